# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON configuration that a device gets from its profile (docs/dut-contract.md)."""

from typing import Any

from profiles import Profile

REHASH_HOST, LEGACY_HOST = "host", "legacy host"


def configuration(profile: Profile, role: str, tester_mac: str = "") -> dict[str, Any]:
    """What `DUT_CONFIG` holds for a device in `role`.

    `tester_mac` is every IPFF neighbour's Ethernet address; the holder fills it in where it makes the wires.
    """
    ixit = profile.ixit
    names = network_names(profile, role)
    networks: dict[str, dict[str, Any]] = {}
    if "ipff" in names and ixit.ipff:
        networks["ipff"] = {
            "address": ixit.ipff.address,
            "ethertype": ixit.ipff.ethertype,
            "icmp_protocol": ixit.ipff.icmp_protocol,
            "neighbour_mac": tester_mac,
        }
    if "ipv4" in names and ixit.ipv4:
        networks["ipv4"] = {
            "address": ixit.ipv4.address,
            "prefix_length": ixit.ipv4.prefix_length,
            "icmp_protocol": ixit.ipv4.icmp_protocol,
        }
    protocol: dict[str, Any] = {"mops": _mops(profile)}
    if role == REHASH_HOST:
        protocol = {"rehash": ixit.rehash.model_dump(include={"option_kind", "max_retries", "init_reissues"})}
    elif role == LEGACY_HOST:
        protocol = {}
    name, said = {REHASH_HOST: ("rehash", "host"), LEGACY_HOST: ("legacy", "host")}.get(role, ("mops", role))
    return {"protocol": name, "role": said, "networks": networks, **protocol, "services": ixit.services.model_dump()}


def network_names(profile: Profile, role: str) -> list[str]:
    """The networks that a device in `role` has: TCP Rehash and legacy hosts know IPv4 alone."""
    return [name for name in profile.ics.networks if role not in (REHASH_HOST, LEGACY_HOST) or name == "ipv4"]


def _mops(profile: Profile) -> dict[str, Any]:
    """Timers and numbers of MOPS; `mobile_capable` is null where the device does not claim the option."""
    mops = profile.ixit.mops
    option = {"kind": mops.mobile_capable_kind, "exid": mops.mobile_capable_exid}
    return {
        **mops.model_dump(include={"rate_limit_s", "migrate_seq", "retry_interval_s", "retries"}),
        "mobile_capable": option if profile.ics.mops.mobile_capable else None,
    }
