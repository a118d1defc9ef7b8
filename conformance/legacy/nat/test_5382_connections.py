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
from testbed.case.verdict import require
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.wire.clock import NANO
from testbed.wire.notation import describe

SIX_SECONDS = 6.0
ELSEWHERE = pytest.mark.parametrize("second", ["other port", "other address"])


@pytest.fixture
def dut(case: Case) -> TcpNat:
    """The device under test."""
    case.solicited.clear()
    return TcpNat(case)


@ELSEWHERE
@valid
@requirement("LEGACY-5382.REQ1-01", case=1)
def test_connections_of_a_port_are_mapped_alike(hosts: Hosts, dut: TcpNat, second: str) -> None:
    """Two connections from one inside endpoint to two destinations appear to come from one outside endpoint."""
    inner, outer = hosts.inside(), hosts.outside()
    first = dut.connect(inner, outer)
    other = dut.connect(inner, outer.at(outer.port + 1) if second == "other port" else hosts.outside(outer.port))
    require(other.mapped == first.mapped, "source of the SYN", first.mapped, other.mapped, other.syn.frame)


@valid
@requirement("LEGACY-5382.REQ2-01", case=1)
def test_simultaneous_open(hosts: Hosts, dut: TcpNat) -> None:
    """A connection opens whose SYNs cross on the way, and carries data both ways."""
    inside, outside = hosts.inside(), hosts.outside()
    inner = dut.end(inside, outside.place)
    syn = dut.passes_syn(inner, inner.start(), outside)
    outer = dut.end(outside, (syn.source, syn.source_port))
    outer.start()
    dut.comes_to(inner, lambda: inner.rcv_nxt == outer.snd_nxt, "SYN")
    outer.rcv_nxt = (syn.seq + 1) % SEQUENCE_SPACE
    for end in (inner, outer):
        end.transmit(end.segment("SA", seq=(end.snd_nxt - 1) % SEQUENCE_SPACE))
    for end in (inner, outer):
        end.state, end.snd_una = "ESTABLISHED", end.snd_nxt
    outer.acknowledge()
    dut.delivers(inner, outer, b"both have called")
    dut.delivers(outer, inner, b"and both are heard")


@inopportune
@requirement("LEGACY-5382.REQ4-01", case=1)
@waits(SIX_SECONDS)
def test_unsolicited_syn_is_not_answered(hosts: Hosts, dut: TcpNat) -> None:
    """For six seconds nothing comes in answer to a SYN to a port of the outside address that has no mapping."""
    outer = hosts.outside()
    end = dut.end(outer, (dut.outside_address, hosts.inside().port))
    dut.answers_nothing(end, end.start(), SIX_SECONDS)


@inopportune
@requirement("LEGACY-5382.REQ4-02", case=1)
def test_connection_opens_after_an_unsolicited_syn(hosts: Hosts, dut: TcpNat) -> None:
    """A connection from the inside opens to the endpoint whose SYN has come before, and works."""
    inner, outer = hosts.inside(), hosts.outside()
    dut.end(outer, (dut.outside_address, inner.port)).start()
    dut.barrier(inner.side)
    dut.carries(dut.opens(inner, outer))


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


@valid
@requirement("LEGACY-5382.REQ7-01", case=1)
def test_two_hosts_never_share_a_mapping(hosts: Hosts, dut: TcpNat) -> None:
    """Connections of two hosts from one port to one destination appear as two endpoints, and both carry data."""
    outer, first = hosts.outside(), hosts.inside()
    connections = [dut.opens(first, outer), dut.opens(hosts.inside(first.port), outer)]
    mapped = [one.mapped for one in connections]
    require(mapped[0] != mapped[1], "outside endpoints", "two", mapped, *[one.syn.frame for one in connections])
    for one in connections:
        dut.carries(one)


@valid
@requirement("LEGACY-5382.REQ8-01", case=1)
def test_hairpinned_connection_opens(hosts: Hosts, dut: TcpNat) -> None:
    """Of two inside hosts that call each other's outside endpoints, one hears the other's SYN from its endpoint."""
    outer = hosts.outside()
    inner = [hosts.inside(), hosts.inside()]
    mapped = [dut.connect(one, outer).mapped for one in inner]
    dut.end(inner[0], mapped[1]).start()
    second = dut.end(inner[1], mapped[0])
    syn = dut.passes_syn(second, second.start(), inner[0])
    source = syn.source, syn.source_port
    require(source == mapped[1], "source of the SYN", mapped[1], source, syn.frame)


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
