# SPDX-License-Identifier: GPL-2.0-or-later
"""A second NAT router before the device or after it: the reference, at addresses of its own."""

from dataclasses import replace
from typing import Any

from layers.fields import address_to_int
from profiles import ROLES, Profile
from testbed.device.chain import Chain, Position, overlay
from testbed.device.dut_config import configuration, network_names
from testbed.wire.network import Network, networks

ROUTER = ("{python}", "-m", "reference")
BETWEEN = 1

INSIDE = {
    "ipff": ("192.168.1.1.99", "192.168.2.0.1", "192.168.2.15.999"),
    "ipv4": ("10.3.0.1", "10.3.1.1", "10.3.9.250"),
}
OUTSIDE = {"ipff": ("775.2.23.5.5", "775.2.24.0.1", "775.2.24.15.999"), "ipv4": ("10.4.0.1", "10.4.1.1", "10.4.9.250")}
"""On the wire that the device is not on: the second router's address, and the tester's."""

JOINED = {"ipff": "172.16.0.0.1", "ipv4": 1}
"""On the wire between both: the second router's address; in IPv4 so many after the device's."""

PREFIX = 16


def router_after(profile: Profile) -> Chain:
    """The device, then a second router on its outside."""
    routes = [{"to": "10.4.0.0/16", "via": _joined(profile, "outside")}]
    route = {"networks": {"ipv4": {"outside": {"routes": routes}}}} if "ipv4" in profile.ics.networks else {}
    there = _second(profile, inside=_at_the_device(profile, "outside"), outside=_far(profile, OUTSIDE))
    return Chain((Position(configuration=route), Position(ROUTER, there)), {2: _networks(profile, OUTSIDE)}, (BETWEEN,))


def router_before(profile: Profile) -> Chain:
    """A second router on the device's inside, then the device."""
    outside = _at_the_device(profile, "inside")
    if table := profile.ixit.ipv4.of("inside"):
        outside["ipv4"]["routes"] = [{"to": "0.0.0.0/0", "via": table.address}]
    there = _second(profile, inside=_far(profile, INSIDE), outside=outside)
    return Chain((Position(ROUTER, there), Position()), {0: _networks(profile, INSIDE)}, (BETWEEN,))


def _second(profile: Profile, inside: dict[str, Any], outside: dict[str, Any]) -> dict[str, Any]:
    """The configuration of the second router: the device's, with other addresses."""
    role = next(role for role in ROLES if role.qualified == "mops NAT router")
    sides = {name: {"inside": inside[name], "outside": outside[name]} for name in network_names(profile, role)}
    return overlay(configuration(profile, role), {"networks": sides})


def _far(profile: Profile, addresses: dict[str, tuple[str, str, str]]) -> dict[str, Any]:
    prefixes = {"ipv4": {"prefix_length": PREFIX}}
    return {name: {"address": ends[0], **prefixes.get(name, {})} for name, ends in addresses.items()}


def _at_the_device(profile: Profile, link: str) -> dict[str, Any]:
    return {"ipff": {"address": JOINED["ipff"]}, "ipv4": {"address": _joined(profile, link)}}


def _joined(profile: Profile, link: str) -> str:
    """The second router's IPv4 address on a wire of the device's."""
    found = networks(profile, ["ipv4"], link).get("ipv4")
    return found.address(found.number(found.dut) + 1) if found else "0.0.0.0"


def _networks(profile: Profile, addresses: dict[str, tuple[str, str, str]]) -> dict[str, Network]:
    """What the tester needs to know of the wire that the device is not on."""
    found = {}
    for name, known in networks(profile, profile.ics.networks, "outside").items():
        own, first, last = addresses[name]
        number = known.number if name == "ipv4" else address_to_int
        found[name] = replace(known, dut=own, first=number(first), last=number(last))
    return found
