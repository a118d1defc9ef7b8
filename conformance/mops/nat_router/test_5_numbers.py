# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 5, 6 and C: sequence numbers, and MOBILE_CAPABLE, pass unchanged."""

from dataclasses import dataclass

import pytest
from scapy.packet import Packet

from conformance.mops.capable import mobile_capable
from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.tester.sides import Node, Server
from testbed import invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.interruptions import Inconclusive
from testbed.peers.segment import SACK, Segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Sent
from testbed.wire.headers import read_tcp

NUMBERS = pytest.mark.parametrize("number", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF], ids=hex)
DIRECTIONS = pytest.mark.parametrize("towards", ["outside", "inside"])
MOMENTS = pytest.mark.parametrize(
    "when",
    [
        pytest.param("before a Migrate", marks=requirement("MOPS-5-01")),
        pytest.param("after a Migrate", marks=requirement("MOPS-5-15")),
    ],
)
EDGES = ((-200, -100), (1000, 1100))
"""SACK blocks round the acknowledged data."""

WRAPPING = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)


@NUMBERS
@valid
@requirement("MOPS-6-01", case=1)
def test_initial_number_of_a_syn(node: Node, server: Server, dut: NatRouter, number: int) -> None:
    """The initial sequence number of a SYN comes out as it went in."""
    end = dut.end(node.at(), server.listening.place, initial_sequence=number)
    with preamble():
        syn = dut.passes_syn(end, end.start(*dut.syn_options), server.listening)
    require(syn.seq == number, "sequence number of the SYN", number, syn.seq, syn.frame)


@NUMBERS
@valid
@requirement("MOPS-6-02", case=1)
def test_initial_number_of_a_syn_ack(case: Case, node: Node, server: Server, dut: NatRouter, number: int) -> None:
    """The initial sequence number of a SYN-ACK comes in as it was sent, and acknowledges the SYN."""
    first = dut.end(node.at(), server.listening.place)
    with preamble():
        syn = dut.passes_syn(first, first.start(*dut.syn_options), server.listening)
    second = dut.end(server.listening, (syn.source, syn.source_port), initial_sequence=number)
    came = _comes(dut, second, first, second.segment("SA", seq=number, ack=(syn.seq + 1) % SEQUENCE_SPACE))
    require(came.seq == number, "sequence number of the SYN-ACK", number, came.seq, came.frame)
    require(came.ack == first.snd_nxt, "its acknowledgement number", first.snd_nxt, came.ack, came.frame)


def _comes(dut: NatRouter, one: TcpPeer, other: TcpPeer, segment: Packet) -> Segment:
    """A segment of one end as it comes to the other; preamble."""
    return _passed(dut, one.transmit(segment), other)


def _passed(dut: NatRouter, sent: Sent, other: TcpPeer) -> Segment:
    """What was sent as it comes to an end; preamble."""
    came = dut.passed(sent, other)
    if came is None:
        raise Inconclusive(f"preamble: a segment did not come to {other}")
    return came


@dataclass(frozen=True)
class Ends:
    """The ends of a connection through the router, the sender first."""

    one: TcpPeer
    other: TcpPeer


def _ends(node: Node, server: Server, dut: NatRouter, when: str, towards: str) -> Ends:
    """A connection with SACK and timestamps, opened through the router, or elsewhere and migrated here."""
    if when == "before a Migrate":
        connection = dut.converses(node.at(), server, timestamps=True)
        inner, outer = connection.inner, connection.outer
    else:
        moved = node.bring(server, dut.elsewhere(), timestamps=True)
        dut.migrates(node, server, moved)
        inner, outer = moved.inner, moved.outer
    one, other = (inner, outer) if towards == "outside" else (outer, inner)
    return Ends(one, other)


@MOMENTS
@DIRECTIONS
@valid
@requirement(case=1)
def test_later_numbers_pass(node: Node, server: Server, dut: NatRouter, towards: str, when: str) -> None:
    """Numbers of data, acknowledgement, urgent data and FIN come to the other end as they were sent."""
    ends = _ends(node, server, dut, when, towards)
    for flags, data in (("PA", b"data"), ("A", b""), ("PAU", b"urgent"), ("PA", b"odd"), ("FA", b"")):
        sent = ends.one.segment(flags, data)
        came = _comes(dut, ends.one, ends.other, sent)
        numbers = ends.one.snd_nxt, ends.one.rcv_nxt
        require((came.seq, came.ack) == numbers, f"numbers of {flags}", numbers, (came.seq, came.ack), came.frame)
        ends.one.snd_nxt = (ends.one.snd_nxt + len(data)) % SEQUENCE_SPACE


@MOMENTS
@DIRECTIONS
@valid
@requirement(case=2)
def test_sack_blocks_pass(node: Node, server: Server, dut: NatRouter, towards: str, when: str) -> None:
    """The edges of SACK blocks come to the other end as they were sent, over the wrap too."""
    ends = _ends(node, server, dut, when, towards)
    at = ends.one.rcv_nxt
    edges = [((at + left) % SEQUENCE_SPACE, (at + right) % SEQUENCE_SPACE) for left, right in EDGES]
    option = bytes([SACK, 2 + 8 * len(edges)]) + b"".join(edge.to_bytes(4) for block in edges for edge in block)
    came = _comes(dut, ends.one, ends.other, ends.one.segment("A", b"", [b"\x01\x01", option]))
    require(came.sack == edges, "SACK blocks", edges, came.sack, came.frame)


@MOMENTS
@DIRECTIONS
@valid
@requirement(case=3)
def test_numbers_pass_over_the_wrap(node: Node, server: Server, dut: NatRouter, towards: str, when: str) -> None:
    """Data with numbers round the wrap, the half of it and zero comes to the other end as it was sent."""
    ends = _ends(node, server, dut, when, towards)
    for number in WRAPPING:
        came = _comes(dut, ends.one, ends.other, ends.one.segment("PA", b"ahead of others", seq=number))
        require(came.seq == number, "sequence number", number, came.seq, came.frame)
        require(came.ack == ends.one.rcv_nxt, "acknowledgement number", ends.one.rcv_nxt, came.ack, came.frame)


@pytest.mark.parametrize("segment", ["SYN", "SYN-ACK", "ACK"])
@valid
@requirement("MOPS-C-07", case=1)
def test_mobile_capable_passes(case: Case, node: Node, server: Server, dut: NatRouter, segment: str) -> None:
    """MOBILE_CAPABLE on SYN, SYN-ACK and ACK comes to the other end as it was sent."""
    option = mobile_capable(case)
    first = dut.end(node.at(), server.listening.place)
    with preamble():
        came = dut.passes_syn(first, first.start(option), server.listening)
    second = dut.end(server.listening, (came.source, came.source_port))
    if segment != "SYN":
        sent = second.accept(came, option)
        came = _passed(dut, sent, first)
    if segment == "ACK":
        first.read()
        came = _comes(dut, first, second, first.segment("A", b"", [option]))
    options = [one.raw for one in came.options]
    require(option in options, "options", f"with {option.hex()}", [one.hex() for one in options], came.frame)


@DIRECTIONS
@invalid
@requirement("MOPS-B-68", case=1)
def test_wrong_checksum_is_not_made_right(node: Node, server: Server, dut: NatRouter, towards: str) -> None:
    """A segment of a migrated connection with a wrong checksum is dropped, or comes out with a wrong one."""
    ends = _ends(node, server, dut, "after a Migrate", towards)
    right = read_tcp(node.station.network.payload(ends.one.transmit(ends.one.segment("A")).data))
    assert right
    sent = ends.one.transmit(ends.one.segment("PA", b"spoilt", chksum=right.checksum ^ 0x5A5A))
    dut.settles()
    for segment in dut.segments_to(ends.other, sent):
        intact = ends.other.station.network.tcp_checksum_ok(segment.frame.data)
        require(
            not intact or segment.data != b"spoilt", "checksum", "none or a wrong one", "a right one", segment.frame
        )


@pytest.mark.parametrize("wanted", [0x0000, 0x0001, 0xFFFE, 0xFFFF], ids=hex)
@valid
@requirement("MOPS-B-54", case=2)
def test_segment_whose_checksum_is_at_its_edge(node: Node, server: Server, dut: NatRouter, wanted: int) -> None:
    """Data of a migrated connection is such that its checksum outside comes to 0x0000 or 0xffff: it is right."""
    ends = _ends(node, server, dut, "after a Migrate", "outside")
    first = _comes(dut, ends.one, ends.other, ends.one.segment("PA", bytes(2)))
    filling = ((first.header.checksum - wanted) % 0xFFFF).to_bytes(2)
    sent = ends.one.transmit(ends.one.segment("PA", filling))
    came = _passed(dut, sent, ends.other)
    right = ends.other.station.network.tcp_checksum_ok(came.frame.data)
    require(right, "TCP checksum", "a right one", hex(came.header.checksum), came.frame, sent.frame)
