# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON configuration that a device gets from its profile (docs/dut-contract.md)."""

from typing import Any

from profiles import Profile


def configuration(profile: Profile, role: str, tester_mac: str = "") -> dict[str, Any]:
    """What `DUT_CONFIG` holds for a device in `role`.

    `tester_mac` is every IPFF neighbour's Ethernet address; the holder fills it in where it makes the wires.
    """
    ixit = profile.ixit
    carriages: dict[str, dict[str, Any]] = {}
    if "ipff" in profile.ics.carriages and ixit.ipff:
        carriages["ipff"] = {
            "address": ixit.ipff.address,
            "ethertype": ixit.ipff.ethertype,
            "icmp_protocol": ixit.ipff.icmp_protocol,
            "neighbour_mac": tester_mac,
        }
    if "ipv4" in profile.ics.carriages and ixit.ipv4:
        carriages["ipv4"] = {
            "address": ixit.ipv4.address,
            "prefix_length": ixit.ipv4.prefix_length,
            "icmp_protocol": ixit.ipv4.icmp_protocol,
        }
    mops = ixit.mops.model_dump(include={"rate_limit_s", "migrate_seq"})
    return {"role": role, "carriages": carriages, "mops": mops, "services": ixit.services.model_dump()}
