# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1 over IPv4: messages and segments in fragments (RFC 791, 3.2) and with IP options (3.1)."""

from collections.abc import Callable

import pytest
from scapy.layers.inet import IPOption_EOL, IPOption_NOP, IPOption_Router_Alert, IPOption_RR
from scapy.packet import Packet

from conformance.mops.dut.server import Server
from conformance.mops.migrate import SentMigrate, enclosed
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import SUCCESS
from testbed import inopportune, invalid, over, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken, require
from testbed.interruptions import NotApplicable
from testbed.peers.tcp import TcpPeer
from testbed.wire.fragments import fragments, lone_fragment, with_a_wrong_header_checksum
from testbed.wire.headers import TCP_PROTOCOL

HEADER_AND_ENTRY = 32
PIECE = 16
STREAM = bytes(range(100))
ORDERS = pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
OPTIONS = {
    "no-operations": [IPOption_NOP()] * 4,
    "router alert": [IPOption_Router_Alert()],
    "record route": [IPOption_RR(length=7, pointer=4, routers=["0.0.0.0"]), IPOption_EOL()],
}


@pytest.mark.parametrize("piece", ["first", "last", "middle"])
@over("ipv4")
@invalid
@requirement("MOPS-4.1-250", case=1)
def test_fragment_is_no_message(node: MobileNode, dut: Server, piece: str) -> None:
    """A fragment that looks like a whole Migrate, while the others do not come, moves nothing and is not answered."""
    connection = node.connect()
    node.move()
    packet = enclosed(node.station, node.request(connection))
    offset = 0 if piece == "first" else PIECE
    request = node.send_packet(lone_fragment(packet, offset=offset, more=piece != "last"))
    dut.discards(request, connection)


@pytest.mark.parametrize("spoilt", ["the whole packet", "first fragment", "last fragment"])
@over("ipv4")
@invalid
@requirement("MOPS-4.1-260", case=1)
def test_packet_with_a_wrong_header_checksum_is_dropped(node: MobileNode, dut: Server, spoilt: str) -> None:
    """A Migrate in a packet whose header checksum is wrong, or one of whose fragments has such a header, is dropped."""
    connection = node.connect()
    node.move()
    message = node.request(connection)
    packet = enclosed(node.station, message)
    pieces = [bytes(packet)] if spoilt == "the whole packet" else fragments(packet, PIECE)
    wrong = -1 if spoilt == "last fragment" else 0
    pieces[wrong] = with_a_wrong_header_checksum(pieces[wrong])
    dut.discards(node.send_pieces(message, pieces), connection)


def send_in_pieces(node: MobileNode, *connections: Connection, backwards: bool) -> SentMigrate:
    """A Migrate of connections in fragments: the header with the first entry, then one entry each."""
    message = node.request(*connections)
    pieces = fragments(enclosed(node.station, message), HEADER_AND_ENTRY)
    return node.send_pieces(message, pieces[::-1] if backwards else pieces)


@ORDERS
@over("ipv4")
@inopportune
@requirement("MOPS-4.1-251", case=1)
def test_migrate_in_fragments_is_carried_out_whole_or_not(node: MobileNode, dut: Server, backwards: bool) -> None:
    """Of a Migrate that comes in fragments either all connections are at their new tuples or all at the old ones."""
    dut.can_migrate()
    connections = [node.connect() for _ in range(2)]
    node.move()
    request = send_in_pieces(node, *connections, backwards=backwards)
    dut.collect_replies(request.mark)
    moved = []
    for connection, (previous, migrated, _) in zip(connections, request.entries, strict=True):
        old, new = (node.home, previous), (node.station, migrated)
        moved.append(dut.lives_at_one(connection, [old, new]).startswith(f"{node.address}:"))
    require(len(set(moved)) == 1, "which connections have moved", "both or none", moved, request.sent.frame)


@ORDERS
@over("ipv4")
@valid
@requirement("MOPS-4.1-252", case=1)
def test_migrate_in_fragments_is_carried_out(node: MobileNode, dut: Server, backwards: bool) -> None:
    """A Migrate of two connections that comes in fragments moves both."""
    connections = [node.connect() for _ in range(2)]
    node.move()
    request = send_in_pieces(node, *connections, backwards=backwards)
    dut.answers(request, SUCCESS)
    node.rebind(request, *connections)
    dut.serves(*connections)


@pytest.mark.parametrize("options", OPTIONS)
@over("ipv4")
@valid
@requirement("MOPS-4.1-254", case=1)
def test_migrate_with_ip_options(node: MobileNode, dut: Server, options: str) -> None:
    """A Migrate in a packet with options that concern the way alone is carried out."""
    connection = node.connect()
    node.move()
    packet = enclosed(node.station, node.request(connection), options=OPTIONS[options])
    request = node.send_packet(packet)
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)
    dut.serves(connection)


def in_pieces(packet: Packet) -> list[bytes]:
    return fragments(packet, PIECE)


def with_options(packet: Packet) -> list[bytes]:
    packet.options = OPTIONS["no-operations"]
    return [bytes(packet)]


@pytest.mark.parametrize("how", [in_pieces, with_options], ids=["in fragments", "with IP options"])
@over("ipv4")
@valid
@requirement("MOPS-4.1-253", case=1)
def test_segments_in_other_packets(
    case: Case, node: MobileNode, dut: Server, how: Callable[[Packet], list[bytes]]
) -> None:
    """A segment that comes in fragments, or with IP options, is taken after the move as it is before it."""
    connection = node.connect()
    peer = connection.local
    try:
        dut.delivers(peer, STREAM, send_otherwise(case, peer, how))
    except Broken:
        raise NotApplicable(f"the device takes no segment {how.__name__.replace('_', ' ')}") from None
    node.migrate(connection, use=False)
    dut.delivers(peer, STREAM, send_otherwise(case, peer, how))


def send_otherwise(case: Case, peer: TcpPeer, how: Callable[[Packet], list[bytes]]) -> int:
    """Send data in packets made of one; when it was sent."""
    packet = case.network.packet(peer.station.address, peer.remote, TCP_PROTOCOL, peer.segment("PA", STREAM))
    sent = [peer.station.transmit(one) for one in how(packet)]
    peer.send_lost(STREAM)
    return sent[-1].ns
