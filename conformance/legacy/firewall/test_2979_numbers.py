# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 2979: the numbers of a connection are those of its ends."""

import struct

import pytest

from conformance.legacy.dut.nat_tcp import TcpNat
from conformance.legacy.tester.hosts import Hosts
from testbed import requirement, valid
from testbed.case.verdict import require
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer

PIECE = b"a piece of it"
TOWARDS = pytest.mark.parametrize("towards", ["outside", "inside"])


@valid
@requirement("LEGACY-2979-02", case=1)
def test_initial_numbers_pass(hosts: Hosts, dut: TcpNat) -> None:
    """The SYN comes out with its number and is answered by nobody before; the SYN-ACK comes with the number it had."""
    inner, outer = hosts.inside(), hosts.outside()
    first = dut.end(inner, outer.place)
    initial = first.snd_nxt
    syn = dut.passes_syn_unanswered(first, first.start(), outer)
    require(syn.seq == initial, "number of the SYN", initial, syn.seq, syn.frame)
    second = dut.end(outer, (syn.source, syn.source_port))
    answered = second.snd_nxt
    sent = second.accept(syn)
    came = dut.passes_segment(sent, first, "SYN-ACK")
    numbers = answered, first.snd_nxt
    require((came.seq, came.ack) == numbers, "numbers of the SYN-ACK", numbers, (came.seq, came.ack), came.frame)


@TOWARDS
@valid
@requirement("LEGACY-2979-02", case=2)
def test_numbers_of_data_and_selective_acknowledgements_pass(hosts: Hosts, dut: TcpNat, towards: str) -> None:
    """Data after a hole comes with its numbers and timestamps, and the SACK block about it with its edges."""
    connection = dut.connect(hosts.inside(), hosts.outside(), timestamps=True)
    one, other = connection.inner, connection.outer
    if towards == "inside":
        one, other = other, one
    one.send_lost(PIECE)
    edges = one.snd_nxt, one.snd_nxt + len(PIECE)
    stamps, numbers = (one.clock + 1, one.echo), (one.snd_nxt, one.rcv_nxt)
    came = dut.passes_segment(one.send(PIECE), other, "data")
    require((came.seq, came.ack) == numbers, "numbers of the data", numbers, (came.seq, came.ack), came.frame)
    require(_stamps(came) == stamps, "timestamps of the data", stamps, _stamps(came), came.frame)
    _require_block(dut, other, one, edges)


def _require_block(dut: TcpNat, one: TcpPeer, other: TcpPeer, edges: tuple[int, int]) -> None:
    """A duplicate acknowledgement with a SACK block comes to the other end with its number and the block's edges."""
    modulus = 1 << 32
    block = edges[0] % modulus, edges[1] % modulus
    option = b"\x01\x01\x05\x0a" + struct.pack("!II", *block)
    number = one.rcv_nxt
    came = dut.passes_segment(one.transmit(one.segment("A", options=[option])), other, "acknowledgement")
    require(came.ack == number, "acknowledgement", number, came.ack, came.frame)
    if came.sack:  # options that are taken out are another requirement's
        require(came.sack == [block], "SACK block", [block], came.sack, came.frame)


def _stamps(segment: Segment) -> tuple[int, int]:
    option = segment.option(8)
    value, echo = struct.unpack("!II", option.raw[2:]) if option else (0, 0)
    return value, echo
