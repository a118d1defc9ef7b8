# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2: two routers, one after the other."""

import pytest
from conformance.router.dut.router import Router
from conformance.router.tester.path import Path

from profiles import Profile
from testbed import chain, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.chain import Chain, Position
from testbed.wire.interface import ETHERTYPE_IPV4
from testbed.wire.network import Ipv4Network

NEIGHBOUR = ("{python}", "tests/router/device.py")
BETWEEN = 1


def _side(address: str, *routes: tuple[str, str]) -> dict[str, object]:
    return {"address": address, "prefix_length": 24, "routes": [{"to": to, "via": via} for to, via in routes]}


def _far() -> dict[str, Ipv4Network]:
    number = 10 << 24 | 3 << 16
    return {"ipv4": Ipv4Network(ETHERTYPE_IPV4, 254, "10.3.0.1", number + 10, number + 249)}


def inner(profile: Profile) -> Chain:
    """The device under test, then its neighbour on 10.2.0.2 and 10.3.0.1."""
    neighbour = {
        "networks": {"ipv4": {"inside": _side("10.2.0.2", ("10.1.0.0/24", "10.2.0.1")), "outside": _side("10.3.0.1")}}
    }
    route = {"networks": {"ipv4": {"outside": {"routes": [{"to": "10.3.0.0/24", "via": "10.2.0.2"}]}}}}
    return Chain((Position(configuration=route), Position(NEIGHBOUR, neighbour)), {2: _far()}, taps=(BETWEEN,))


def outer(profile: Profile) -> Chain:
    """The neighbour on 10.3.0.1 and 10.1.0.2, then the device under test."""
    neighbour = {
        "networks": {"ipv4": {"inside": _side("10.3.0.1"), "outside": _side("10.1.0.2", ("10.2.0.0/24", "10.1.0.1"))}}
    }
    route = {"networks": {"ipv4": {"inside": {"routes": [{"to": "10.3.0.0/24", "via": "10.1.0.2"}]}}}}
    return Chain((Position(NEIGHBOUR, neighbour), Position(configuration=route)), {0: _far()}, taps=(BETWEEN,))


@pytest.mark.parametrize("towards", ["outside", "inside"])
@pytest.mark.parametrize(
    "place", [pytest.param("inner", marks=chain(inner)), pytest.param("outer", marks=chain(outer))]
)
@valid
@requirement("ROUTER-2-01", case=1)
def test_each_of_two_routers_takes_one_hop(case: Case, path: Path, dut: Router, place: str) -> None:
    """Through two routers the hop limit is two less, between them one less, and the payload is as it was."""
    between = case.between(BETWEEN)
    between.observe(path.destination.address)
    request = path.send(ttl=64)
    dut.forwards_unchanged(path, request)
    seen = [dut.shows(between, request).ttl, dut.forwards(path, request).ttl]
    require(seen == [63, 62], f"hop limits after each router ({place})", [63, 62], seen, request.sent.frame)
    frames = [frame for frame in case.trace.since(request.since)[0] if frame.note == "forwarded"]
    order = [frame.interface for frame in frames]
    right = order == ["between 1", path.far.name]
    require(right, "wires in the order of the kernel's stamps", "between, far", order, *frames)
    assert case.between(BETWEEN).station().address != path.source.address, "the tester may be a neighbour there too"
