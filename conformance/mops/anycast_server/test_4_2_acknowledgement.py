# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.2, the anycast server: which SYNs draw an acknowledgement, and what it says."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from scapy.packet import Packet

from conformance.mops.capable import CapableHandshake, mobile_capable
from conformance.mops.dut.anycast_server import AnycastServer
from conformance.mops.dut.sockets import mobile_echo
from conformance.mops.migrate import in_mops
from conformance.mops.tester.anycast_node import AnycastNode
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.peers.connection import new_peer
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame
from testbed.wire.headers import TCP_PROTOCOL

MANY = 40
LENGTH = 28


@valid
@requirement("MOPS-4.2-01", case=1)
def test_capable_syn_is_acknowledged(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """A SYN with MOBILE_CAPABLE to the anycast address draws an acknowledgement, and the connection carries data."""
    mark = case.mark()
    peer = node.open_capable()
    dut.acknowledges(peer, mark)
    dut.serves(peer)


@pytest.mark.parametrize("place", ["before", "after"])
@valid
@requirement("MOPS-4.2-01", case=2)
def test_option_among_others(case: Case, node: AnycastNode, dut: AnycastServer, place: str) -> None:
    """So does one whose option stands before or after all the others of a SYN."""
    peer = new_peer(case, node.station, timestamps=True)
    peer.remote = node.anycast
    others, ours = [*peer.syn_options(), peer.stamps()], mobile_capable(case)
    mark = case.mark()
    peer.start_with([ours, *others] if place == "before" else [*others, ours])
    peer.options.append(CapableHandshake(case))
    node.complete(peer)
    dut.acknowledges(peer, mark)


@valid
@requirement("MOPS-4.2-01", case=3)
def test_later_connections_are_acknowledged(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """So does the SYN of a node's second connection, and one at a port whose connection has ended."""
    first, mark = node.open_capable(), case.mark()
    dut.acknowledges(node.open_capable(), mark)
    first.reset()
    dut.barrier()
    mark = case.mark()
    dut.acknowledges(node.open_capable(first.port), mark)


@valid
@requirement("MOPS-4.2-57", case=1)
def test_many_at_once_are_acknowledged(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """Each of forty SYNs that come together draws an acknowledgement."""
    peers = [node.capable_peer() for _ in range(MANY)]
    mark = case.mark()
    for peer in peers:
        peer.start()
    node.complete(*peers)
    dut.sends_acknowledgements(node.station, MANY, mark)


@exclusive("a device that is wrong here tells the nodes of other cases")
@valid
@requirement("MOPS-4.2-03", case=1)
def test_it_goes_to_the_source_of_the_syn(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """Of two nodes each gets the acknowledgement of its own SYN."""
    for one in (node, AnycastNode(case), node):
        mark = case.mark()
        frame, packet = dut.acknowledges(one.open_capable(), mark)
        require(packet.dst == one.address, "destination", one.address, packet.dst, frame)


class Acknowledged(NamedTuple):
    """A connection of which the device has sent an acknowledgement."""

    peer: TcpPeer
    frame: Frame
    packet: Packet

    def says(self, **fields: Any) -> None:
        """The message has exactly these values."""
        for name, wanted in fields.items():
            seen = self.packet.payload.getfieldval(name)
            if name.endswith("_destination"):
                seen = in_mops(seen)
            require(seen == wanted, name, wanted, seen, self.frame)


@pytest.fixture
def acknowledged(case: Case, node: AnycastNode, dut: AnycastServer) -> "AcknowledgedOnes":
    """What a case looks into."""
    return AcknowledgedOnes(case, node, dut)


class AcknowledgedOnes:
    """Acknowledgements of a node's first connection, of one to another service, and of another node's."""

    def __init__(self, case: Case, node: AnycastNode, dut: AnycastServer) -> None:
        self._case, self._node, self._dut = case, node, dut

    def __iter__(self) -> Iterator[Acknowledged]:
        service = mobile_echo(self._case)
        for node, port in ((self._node, 0), (self._node, service), (AnycastNode(self._case), 0)):
            mark = self._case.mark()
            peer = node.open_capable(remote_port=port)
            yield Acknowledged(peer, *self._dut.acknowledgement_of(peer, mark))


@valid
@requirement("MOPS-4.2-04", case=1)
def test_type_version_code_and_length(case: Case, acknowledged: AcknowledgedOnes) -> None:
    """It is of type 101, version 1, code 0 and 28 bytes long."""
    for one in acknowledged:
        one.says(type=101, version=1, code=0)
        length = len(case.network.payload(one.frame.data))
        require(length == LENGTH, "length", LENGTH, length, one.frame)


@valid
@requirement("MOPS-4.2-05", case=1)
def test_checksum(case: Case, acknowledged: AcknowledgedOnes) -> None:
    """Its checksum is right."""
    for one in acknowledged:
        ends = case.network.number(one.packet.src), case.network.number(one.packet.dst)
        wanted = case.network.message_checksum(*ends, case.network.payload(one.frame.data))
        seen = one.packet.payload.checksum
        require(seen % 0xFFFF == wanted % 0xFFFF, "checksum", f"{wanted:#06x}", f"{seen:#06x}", one.frame)


@valid
@requirement("MOPS-4.2-06", case=1)
def test_reserved_fields_are_zero(acknowledged: AcknowledgedOnes) -> None:
    """Both of its Reserved fields are zero."""
    for one in acknowledged:
        one.says(reserved=0, reserved2=0)


@valid
@requirement("MOPS-4.2-07", case=1)
def test_protocol_is_that_of_the_session(acknowledged: AcknowledgedOnes) -> None:
    """Its Protocol is TCP."""
    for one in acknowledged:
        one.says(protocol=TCP_PROTOCOL)


@valid
@requirement("MOPS-4.2-08", case=1)
def test_anycast_address_is_the_one_called(node: AnycastNode, acknowledged: AcknowledgedOnes) -> None:
    """Its Anycast Destination Address is the address that the SYN was sent to."""
    for one in acknowledged:
        one.says(anycast_destination=in_mops(node.anycast))


@valid
@requirement("MOPS-4.2-09", case=1)
def test_unicast_address_is_the_servers_own(node: AnycastNode, acknowledged: AcknowledgedOnes) -> None:
    """Its Unicast Destination Address is the server's own address."""
    for one in acknowledged:
        one.says(unicast_destination=in_mops(node.unicast))


@valid
@requirement("MOPS-4.2-10", case=1)
def test_source_port_is_that_of_the_node(acknowledged: AcknowledgedOnes) -> None:
    """Its Source Port is the source port of the SYN."""
    for one in acknowledged:
        one.says(source_port=one.peer.port)


@valid
@requirement("MOPS-4.2-11", case=1)
def test_destination_port_is_that_of_the_server(acknowledged: AcknowledgedOnes) -> None:
    """Its Destination Port is the destination port of the SYN."""
    for one in acknowledged:
        one.says(destination_port=one.peer.remote_port)


@valid
@requirement("MOPS-4.2-35", case=1)
def test_it_comes_from_the_anycast_address(node: AnycastNode, acknowledged: AcknowledgedOnes) -> None:
    """It comes from the anycast address."""
    for one in acknowledged:
        require(one.packet.src == node.anycast, "source", node.anycast, one.packet.src, one.frame)
