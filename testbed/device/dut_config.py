# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON configuration that a device gets from its profile (docs/dut-contract.md)."""

import importlib
from typing import Any

from profiles import Profile, Role


def configuration(profile: Profile, role: Role) -> dict[str, Any]:
    """What `DUT_CONFIG` holds for a device in `role`; a protocol without values has no table of its own.

    A device with two links finds a table for each in the table of a network. The Ethernet addresses of IPFF neighbours
    are added where the wires are known.
    """
    table = importlib.import_module(f"profiles.{role.protocol}").dut_config(profile, role)
    return {
        "protocol": role.protocol,
        "role": role.name,
        "networks": {name: _network(profile, name, role) for name in network_names(profile, role)},
        **({role.protocol: table} if table else {}),
        "services": profile.ixit.services.model_dump(),
    }


def network_names(profile: Profile, role: Role) -> list[str]:
    """The networks that a device in `role` has: those of the role that the profile names."""
    return [name for name in profile.ics.networks if name in role.networks]


def _network(profile: Profile, name: str, role: Role) -> dict[str, Any]:
    tables = {link: getattr(profile.ixit, name).of(link).dut_config() for link in role.links}
    return tables if len(tables) > 1 else tables[role.links[0]]
