# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5382: connections through the NAT."""

import pytest
from scapy.layers.inet import IP, TCP
from scapy.packet import Raw

from conformance.legacy.dut.nat_tcp import TcpNat
from conformance.legacy.dut.quoting import require_quote
from conformance.legacy.tester.errors import EVERY, UNREACHABLE, Error
from conformance.legacy.tester.hosts import Hosts
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.wire.clock import NANO
from testbed.wire.notation import describe

SIX_SECONDS = 6.0
ELSEWHERE = pytest.mark.parametrize("second", ["other port", "other address"])


@valid
@requirement("LEGACY-5382.REQ2-01", case=1)
def test_simultaneous_open(hosts: Hosts, dut: TcpNat) -> None:
    """A connection opens whose SYNs cross on the way, and carries data both ways."""
    inside, outside = hosts.inside(), hosts.outside()
    inner = dut.end(inside, outside.place)
    syn = dut.passes_syn(inner, inner.start(), outside)
    outer = dut.end(outside, (syn.source, syn.source_port))
    before = inner.rcv_nxt
    outer.start()
    dut.comes_to(inner, lambda: inner.rcv_nxt != before, "SYN")
    outer.rcv_nxt = (syn.seq + 1) % SEQUENCE_SPACE
    for end in (inner, outer):
        end.transmit(end.segment("SA", seq=(end.snd_nxt - 1) % SEQUENCE_SPACE))
    for end in (inner, outer):
        end.state, end.snd_una = "ESTABLISHED", end.snd_nxt
    outer.acknowledge()
    dut.delivers(inner, outer, b"both have called")
    dut.delivers(outer, inner, b"and both are heard")


@inopportune
@requirement("LEGACY-5382.REQ4-03", case=1)
@waits(SIX_SECONDS + 1)
def test_answer_after_six_seconds_is_told(hosts: Hosts, dut: TcpNat, case: Case) -> None:
    """Reported: what has come seven seconds after a SYN that nobody asked for, and when."""
    outer = hosts.outside()
    end = dut.end(outer, (dut.outside_address, hosts.inside().port))
    sent = end.start()
    case.wait_until(sent.ns + round((SIX_SECONDS + 1) * NANO))
    answer = dut.answer_to(end, case.trace.mark_at(sent.frame))
    came = (
        f"{describe(outer.side.network, answer).summary}, after {(answer.ns - sent.ns) / NANO:.3f} s"
        if answer
        else "none"
    )
    case.values["answer to an unsolicited SYN"] = came


@pytest.mark.parametrize("port", [5060, 1723, 6667, 554])
@valid
@requirement("LEGACY-5382.REQ6-01", case=1)
def test_data_that_names_addresses_passes(hosts: Hosts, dut: TcpNat, port: int) -> None:
    """Data that names the sender's address, on the port of a protocol with well-known ALGs, passes unchanged."""
    connection = dut.connect(hosts.inside(), hosts.outside(port))
    own = connection.inner.station.address
    dut.carries(connection, f"Contact: <sip:a@{own}:5060>\r\nPORT {own.replace('.', ',')},7,1\r\n".encode())


@pytest.mark.parametrize("error", UNREACHABLE, ids=str)
@valid
@requirement("LEGACY-5382.REQ9-01", case=1)
def test_unreachable_about_a_connection_comes_in(hosts: Hosts, dut: TcpNat, error: Error) -> None:
    """Destination Unreachable about a segment comes in, and quotes it as its host has sent it."""
    inner, outer = hosts.inside(), hosts.outside()
    connection = dut.connect(inner, outer)
    token = b"unreachable-is-me"
    segment = IP(src=inner.address, dst=outer.address, id=0x4D4F) / TCP(
        sport=inner.port, dport=outer.port, seq=connection.inner.snd_nxt, ack=connection.inner.rcv_nxt, flags="PA"
    )
    request = inner.transmit(segment / Raw(token), token)
    came = dut.forwarded(request, outer.side)
    sent = outer.station.transmit(error.about(came.packet, outer.address, None))
    frame, packet = dut.message_about(request, inner, error.kind, error.code, sent)
    require_quote(frame, packet, request.packet)


@pytest.mark.parametrize("error", EVERY, ids=str)
@pytest.mark.parametrize("side", ["outside", "inside"])
@inopportune
@requirement("LEGACY-5382.REQ10-01", case=1)
def test_error_ends_no_connection(hosts: Hosts, dut: TcpNat, error: Error, side: str) -> None:
    """After an error about it, from either side, a connection carries data both ways."""
    inner, outer = hosts.inside(), hosts.outside()
    connection = dut.connect(inner, outer)
    if side == "outside":
        packet = IP(bytes(connection.syn.packet))
        outer.station.transmit(error.about(packet, outer.address))
        dut.barrier(inner.side)
    else:
        last = dut.last_segment(connection.inner).packet
        inner.station.transmit(error.about(last, inner.address))
        dut.barrier(outer.side)
    dut.carries(connection)


@pytest.mark.parametrize("side", ["outside", "inside"])
@valid
@requirement("LEGACY-7857.2.2-01", case=1)
def test_reset_passes(hosts: Hosts, dut: TcpNat, side: str) -> None:
    """A reset of either end comes to the other."""
    connection = dut.connect(hosts.inside(), hosts.outside())
    one, other = connection.inner, connection.outer
    if side == "outside":
        one, other = other, one
    one.reset()
    dut.comes_to(other, lambda: other.state == "RESET", "reset")
