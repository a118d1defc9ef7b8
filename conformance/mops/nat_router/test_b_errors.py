# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B, RFC 4787 and RFC 5382: ICMP errors about connections, before a Migrate and after it."""

import struct

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.packet import Packet, Raw

from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.tester.sides import Moved, Node, Server
from layers.icmpv5 import ICMPv5DestinationUnreachable, ICMPv5Redirect
from testbed import inopportune, over, requirement, valid
from testbed.case.case import Case
from testbed.case.side import Side
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame, Sent

QUOTED = 24
"""Bytes after the network header that an error quotes."""

ICMP_PROTOCOL = 1
ERRORS = {
    "host unreachable": (3, 1),
    "protocol unreachable": (3, 2),
    "port unreachable": (3, 3),
    "prohibited": (3, 13),
    "time exceeded": (11, 0),
    "source quench": (4, 0),
}
UNREACHABLE = ("host unreachable", "port unreachable", "prohibited")
SIDES = pytest.mark.parametrize("side", ["outside", "inside"])
MOMENTS = pytest.mark.parametrize("when", ["before a Migrate", "after a Migrate"])


def _connection(node: Node, server: Server, dut: NatRouter, when: str) -> Moved:
    """A connection opened through the router, or elsewhere and migrated here; it has carried data both ways."""
    if when == "before a Migrate":
        connection = dut.converses(node.at(), server)
        return Moved(connection.mapped, connection.inner, connection.outer)
    moved = node.bring(server, dut.elsewhere())
    dut.migrates(node, server, moved)
    dut.continues(moved)
    return moved


def _quote(dut: NatRouter, end: TcpPeer) -> bytes:
    """The last segment that has come to an end: its network header and the bytes after it that errors quote."""
    packet = bytes(dut.last_segment(end).frame.data[14:])
    return packet[: end.station.network.header_length + QUOTED]


def _send(end: TcpPeer, protocol: int, message: Packet) -> Sent:
    return end.station.send(protocol, message, destination=end.remote)


def _icmp(name: str) -> Packet:
    kind, code = ERRORS[name]
    return ICMP(type=kind, code=code)


def _end(moved: Moved, side: str) -> TcpPeer:
    return moved.outer if side == "outside" else moved.inner


@SIDES
@MOMENTS
@pytest.mark.parametrize("error", ERRORS)
@over("ipv4")
@inopportune
@requirement("MOPS-B-46", case=1)
def test_icmp_error_ends_no_mapping(
    node: Node, server: Server, dut: NatRouter, error: str, when: str, side: str
) -> None:
    """After an error about its last segment, from either side, a connection carries data both ways."""
    moved = _connection(node, server, dut, when)
    end = _end(moved, side)
    _send(end, ICMP_PROTOCOL, _icmp(error) / Raw(_quote(dut, end)))
    dut.settles()
    dut.continues(moved)


@SIDES
@MOMENTS
@pytest.mark.parametrize("code", [0, 1, 3, 10])
@inopportune
@requirement("MOPS-B-46", case=2)
def test_icmpv5_error_ends_no_mapping(
    node: Node, server: Server, dut: NatRouter, code: int, when: str, side: str
) -> None:
    """The same after Destination Unreachable of ICMPv5."""
    moved = _connection(node, server, dut, when)
    end = _end(moved, side)
    content = struct.pack("!I", code << 24) + _quote(dut, end)
    _send(end, end.station.network.icmp_protocol, ICMPv5DestinationUnreachable() / Raw(content))
    dut.settles()
    dut.continues(moved)


def _error_at(side: Side, end: TcpPeer, since: Sent, case: Case) -> Frame | None:
    """The first ICMP error to an end's host since something was sent, in time."""
    network, mark = end.station.network, case.trace.mark_at(since.frame)

    def find() -> Frame | None:
        for frame in side.received(mark):
            header = network.header(frame.data)
            if header and (header.protocol, header.destination) == (ICMP_PROTOCOL, end.station.number):
                return frame
        return None

    return case.look(find, case.deadline(since_ns=since.ns))


@pytest.mark.parametrize("error", UNREACHABLE)
@over("ipv4")
@valid
@requirement("MOPS-B-62", case=1)
def test_unreachable_comes_in(case: Case, node: Node, server: Server, dut: NatRouter, error: str) -> None:
    """Destination Unreachable about a segment of a migrated connection comes to the node."""
    moved = _connection(node, server, dut, "after a Migrate")
    sent = _send(moved.outer, ICMP_PROTOCOL, _icmp(error) / Raw(_quote(dut, moved.outer)))
    if _error_at(dut.inside, moved.inner, sent, case) is None:
        deadline = case.deadline(since_ns=sent.ns)
        reason = f"no ICMP error at {moved.inner.station.address} within {deadline.within_s:g} s"
        raise Broken(Finding(reason, "1", "0", frames=[sent.frame]), deadline)


@pytest.mark.parametrize("error", [*UNREACHABLE, "time exceeded"])
@over("ipv4")
@valid
@requirement("MOPS-B-61", case=1)
def test_error_quotes_what_the_node_has_sent(
    case: Case, node: Node, server: Server, dut: NatRouter, error: str
) -> None:
    """What an error about a migrated connection quotes at the node is the node's own segment."""
    moved = _connection(node, server, dut, "after a Migrate")
    quote = _quote(dut, moved.outer)
    sent = _send(moved.outer, ICMP_PROTOCOL, _icmp(error) / Raw(quote))
    frame = _error_at(dut.inside, moved.inner, sent, case)
    if frame is None:
        raise NotApplicable("this NAT lets no such error in: that is MOPS-B-62")
    content = bytes(moved.inner.station.network.dissect(frame.data)[ICMP])[8:]
    if len(content) < len(quote):
        raise Inconclusive(f"#{frame.index} quotes {len(content)} bytes")
    quoted = IP(content)
    expected = (moved.inner.station.address, moved.inner.port, server.address, server.listening.port)
    seen = (quoted.src, quoted[TCP].sport, quoted.dst, quoted[TCP].dport)
    require(seen == expected, "quoted tuple", expected, seen, frame, sent.frame)
    require(quoted[TCP].seq == IP(quote)[TCP].seq, "quoted number", IP(quote)[TCP].seq, quoted[TCP].seq, frame)


@pytest.mark.parametrize("error", UNREACHABLE)
@over("ipv4")
@valid
@requirement("MOPS-B-61", case=2)
def test_error_that_goes_out_quotes_what_has_come_in(
    case: Case, node: Node, server: Server, dut: NatRouter, error: str
) -> None:
    """What an error of the node about a segment of the server quotes at the server is the server's own segment."""
    moved = _connection(node, server, dut, "after a Migrate")
    quote = _quote(dut, moved.inner)
    sent = _send(moved.inner, ICMP_PROTOCOL, _icmp(error) / Raw(quote))
    frame = _error_at(dut.outside, moved.outer, sent, case)
    if frame is None:
        raise NotApplicable("this NAT lets no such error out: RFC 5508, REQ-5, is judged elsewhere")
    quoted = IP(bytes(moved.outer.station.network.dissect(frame.data)[ICMP])[8:])
    expected = (server.address, server.listening.port, moved.outer.remote, moved.outer.remote_port)
    seen = (quoted.src, quoted[TCP].sport, quoted.dst, quoted[TCP].dport)
    require(seen == expected, "quoted tuple", expected, seen, frame, sent.frame)


@pytest.mark.parametrize("error", ERRORS)
@over("ipv4")
@inopportune
@requirement("MOPS-B-46", case=3)
def test_icmp_error_ends_no_flow(node: Node, server: Server, dut: NatRouter, error: str) -> None:
    """After an error about its last datagram a flow that a Migrate has moved carries datagrams both ways."""
    (flow,) = dut.migrated_flows(node, server, 1)
    dut.passes_datagram(flow.inner, flow.outer, b"about this one")
    quote = bytes(dut.last_frame(flow.outer).data[14:])[: flow.outer.station.network.header_length + QUOTED]
    flow.outer.station.send(ICMP_PROTOCOL, _icmp(error) / Raw(quote), destination=flow.outer.remote)
    dut.settles()
    dut.passes_datagram(flow.outer, flow.inner, b"inward")
    dut.passes_datagram(flow.inner, flow.outer, b"outward")


@inopportune
@requirement("MOPS-6-03", case=1)
def test_redirect_is_told(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Reported: whether a migrated connection goes on after a Redirect of ICMPv5 about it."""
    moved = _connection(node, server, dut, "after a Migrate")
    content = bytes(4) + _quote(dut, moved.outer)
    _send(moved.outer, moved.outer.station.network.icmp_protocol, ICMPv5Redirect() / Raw(content))
    dut.settles()
    try:
        dut.continues(moved)
    except Broken as broken:
        case.values["migrated connection after a Redirect"] = broken.finding.reason
    else:
        case.values["migrated connection after a Redirect"] = "goes on"
