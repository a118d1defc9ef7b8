# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON configuration that a device gets from its profile (docs/dut-contract.md)."""

import importlib
from typing import Any

from profiles import Profile, Role


def configuration(profile: Profile, role: Role, tester_mac: str = "") -> dict[str, Any]:
    """What `DUT_CONFIG` holds for a device in `role`; a protocol without values has no table of its own.

    `tester_mac` is every IPFF neighbour's Ethernet address; the holder fills it in where it makes the wires.
    """
    table = importlib.import_module(f"profiles.{role.protocol}").dut_config(profile)
    return {
        "protocol": role.protocol,
        "role": role.name,
        "networks": {name: getattr(profile.ixit, name).dut_config(tester_mac) for name in network_names(profile, role)},
        **({role.protocol: table} if table else {}),
        "services": profile.ixit.services.model_dump(),
    }


def network_names(profile: Profile, role: Role) -> list[str]:
    """The networks that a device in `role` has: those of the role that the profile names."""
    return [name for name in profile.ics.networks if name in role.networks]
