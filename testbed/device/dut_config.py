# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON configuration that a device gets from its profile (docs/dut-contract.md)."""

from collections.abc import Sequence
from typing import Any

from profiles import Profile, Role

_TOLD = {"address", "prefix_length", "ethertype", "icmp_protocol"}


def configuration(profile: Profile, role: Role) -> dict[str, Any]:
    """What `DUT_CONFIG` holds for a device in `role`, but the Ethernet addresses of its IPFF neighbours.

    A device with two links finds a table for each in the table of a network.
    """
    ixit = profile.ixit
    protocol: dict[str, Any] = {"mops": _mops(profile)}
    if role.protocol == "rehash":
        protocol = {"rehash": ixit.rehash.model_dump(include={"option_kind", "max_retries", "init_reissues"})}
    elif role.protocol == "legacy":
        protocol = {}
    networks = {name: _network(profile, name, role.links) for name in network_names(profile, role)}
    return {
        "protocol": role.protocol,
        "role": role.name,
        "networks": networks,
        **protocol,
        "services": ixit.services.model_dump(),
    }


def network_names(profile: Profile, role: Role) -> list[str]:
    """The networks that a device in `role` has: those of the role that the profile claims."""
    return [name for name in profile.ics.networks if name in role.networks]


def _network(profile: Profile, name: str, links: Sequence[str]) -> dict[str, Any]:
    tables = {
        link: table.model_dump(include=_TOLD) for link in links if (table := getattr(profile.ixit, name).of(link))
    }
    return tables if len(links) > 1 else tables[links[0]]


def _mops(profile: Profile) -> dict[str, Any]:
    """Timers and numbers of MOPS; `mobile_capable` is null where the device does not claim the option."""
    mops = profile.ixit.mops
    option = {"kind": mops.mobile_capable_kind, "exid": mops.mobile_capable_exid}
    return {
        **mops.model_dump(include={"rate_limit_s", "migrate_seq", "retry_interval_s", "retries"}),
        "mobile_capable": option if profile.ics.mops.mobile_capable else None,
    }
