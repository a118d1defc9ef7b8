# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.3: acknowledgements of an upstream router that are not sent on, and those of nobody in particular."""

import struct
from collections.abc import Callable

import pytest
from scapy.packet import Packet

from conformance.mops.dut.acknowledging import Acknowledgement, Mapping
from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.migrate import Message, Octets, sealed
from conformance.mops.tester.nat_router import nat_acknowledgement
from conformance.mops.tester.sides import Node, Server, Upstream
from conformance.mops.tester.spoilt import CHECKSUMS, MALFORMED, replaced
from testbed import inopportune, invalid, requirement
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.wire.headers import UDP_PROTOCOL

HIGHEST = 255
FURTHER = struct.pack("!HH", 5051, 6051)
UNMAPPED = 9
"""A port that no NAT gives to a node."""

WRONG: dict[str, Callable[[Packet], Message]] = {
    **MALFORMED,
    "code 1": lambda message: replaced(message, code=1),
    "code 255": lambda message: replaced(message, code=255),
}


@pytest.mark.parametrize("which", ["address", "port", "protocol"])
@inopportune
@requirement("MOPS-4.3-19", case=1)
def test_upstream_that_matches_nothing_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping, which: str
) -> None:
    """After a right one an acknowledgement whose Original has another address, port or protocol is not sent on."""
    address, port = mapping.outside
    dut.forwarded_level(node.station, upstream.send(_right(upstream, mapping), address))
    original = {"address": (upstream.address, port), "port": (address, UNMAPPED)}.get(which, mapping.outside)
    fields = {"protocol": UDP_PROTOCOL} if which == "protocol" else {}
    message = nat_acknowledgement(original, upstream.translation(), **fields)
    dut.passes_none(upstream.send(message, address), node.station)


@inopportune
@requirement("MOPS-4.3-19", case=2)
def test_level_without_the_one_below_is_not_sent_on(
    case: Case, node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """An acknowledgement of level 2 whose Original no level 1 has named as translated is not sent on."""
    lower = upstream.acknowledge(mapping.outside, upstream.translation())
    dut.forwarded_level(node.station, lower)
    message = nat_acknowledgement((case.outside.station().address, UNMAPPED), upstream.translation(), 2)
    dut.passes_none(upstream.send(message, mapping.outside[0]), node.station)


@invalid
@requirement("MOPS-4.3-21", case=1)
def test_level_255_is_not_sent_on(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """After all levels in order one of 255 is not sent on."""
    with preamble():
        original, came = dut.climbs(node.station, upstream, mapping, HIGHEST - 1)
    for one in came:
        one.frame.account()
    message = nat_acknowledgement(original, upstream.translation(), HIGHEST)
    dut.passes_none(upstream.send(message, mapping.outside[0]), node.station)


@invalid
@requirement("MOPS-4.3-21", case=2)
def test_level_255_of_the_own_tuple_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """An acknowledgement of level 255 about the node's own outside tuple is not sent on."""
    dut.passes_none(upstream.acknowledge(mapping.outside, upstream.translation(), HIGHEST), node.station)


@invalid
@requirement("MOPS-4.3-63", case=1)
def test_level_0_is_not_sent_on(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """An acknowledgement of level 0 is not sent on."""
    dut.passes_none(upstream.acknowledge(mapping.outside, upstream.translation(), 0), node.station)


def _right(upstream: Upstream, mapping: Mapping) -> Packet:
    return nat_acknowledgement(mapping.outside, upstream.translation())


@pytest.mark.parametrize("wrong", CHECKSUMS)
@invalid
@requirement("MOPS-4.3-22", case=1)
def test_upstream_with_a_wrong_checksum_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping, wrong: str
) -> None:
    """A right acknowledgement is sent on, and then not one whose checksum is wrong."""
    dut.forwarded_level(node.station, upstream.send(_right(upstream, mapping), mapping.outside[0]))
    spoilt = Octets(bytes(_right(upstream, mapping)), CHECKSUMS[wrong])
    dut.passes_none(upstream.send(spoilt, mapping.outside[0]), node.station)


@pytest.mark.parametrize("how", WRONG)
@invalid
@requirement("MOPS-4.3-23", case=1)
def test_malformed_upstream_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping, how: str
) -> None:
    """An acknowledgement of another version or code, without entries, or with fewer than Count says, is not sent on."""
    message = WRONG[how](_right(upstream, mapping))
    dut.passes_none(upstream.send(message, mapping.outside[0]), node.station)


@invalid
@requirement("MOPS-4.3-79", case=1)
def test_upstream_with_trailing_bytes_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """An acknowledgement with an entry more than Count says is not sent on."""
    message = sealed(bytes(_right(upstream, mapping)) + FURTHER)
    dut.passes_none(upstream.send(message, mapping.outside[0]), node.station)


@inopportune
@requirement("MOPS-4.3-26", case=1)
def test_upstream_from_the_inside_is_told(
    case: Case, node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """Reported: what becomes of an acknowledgement of the outside tuple that comes from the inside."""
    other = Node(case)
    told = other.tell(_right(upstream, mapping), dut.inside.dut_address)
    dut.message_barrier()
    dut.quiets()
    case.values["upstream acknowledgement from the inside"] = _fate(dut.acknowledgements(node.station, told.since))


@inopportune
@requirement("MOPS-4.3-26", case=2)
def test_forged_upstream_is_told(
    case: Case, node: Node, server: Server, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """Reported: whether an acknowledgement with the right tuple from an address that is no router's is sent on."""
    told = server.send(_right(upstream, mapping), mapping.outside[0])
    dut.message_barrier()
    dut.quiets()
    case.values["forged upstream acknowledgement"] = _fate(dut.acknowledgements(node.station, told.since))


def _fate(came: list[Acknowledgement]) -> str:
    for one in came:
        one.frame.account("reported")
    return "sent on" if came else "dropped"
