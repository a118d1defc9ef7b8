# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: places that change hands, many moves, and what else the addresses of a move are for."""

from collections.abc import Iterator

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.server.test_4_1_errors import report
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import SUCCESS
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.peers.udp import UdpPeer, expect_datagram
from testbed.wire.station import Station

MOVES = 10
FULL_PACKET, MORE_THAN_A_PACKET = 159, 300
"""Entries of a packet of 1320 bytes, which every path takes (ipff-00, 5), and of two."""

SAMPLES = 16


def carry_to(node: MobileNode, dut: Server, connection: Connection, place: tuple[Station, int]) -> None:
    """The server agrees to a move to this address and port."""
    node.return_to(place[0])
    request = node.send(node.request(connection, entries=[node.entry(connection, migrated_port=place[1])]))
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)


def place_of(connection: Connection) -> tuple[Station, int]:
    """Where the node's end of a connection is."""
    return connection.local.station, connection.local.port


@valid
@requirement("MOPS-4.1-255", case=1)
def test_each_takes_the_place_that_the_one_before_has_left(case: Case, node: MobileNode, dut: Server) -> None:
    """Of three connections one moves away, the second to where that one was, the third to where the second was."""
    connections = [MobileNode(case).connect() for _ in range(3)]
    place = (case.station(), node.new_port())
    for connection in connections:
        left = place_of(connection)
        carry_to(node, dut, connection, place)
        place = left
    dut.serves(*connections)
    dut.serves(*reversed(connections), data=b"each its own")


@waits(6)
@valid
@requirement("MOPS-4.1-255", case=2)
def test_two_connections_exchange_their_places(case: Case, node: MobileNode, dut: Server) -> None:
    """By way of a third place two connections, one of each of two nodes, come to be where the other one was."""
    first, second = (MobileNode(case).connect() for _ in range(2))
    goals = place_of(second), place_of(first)
    carry_to(node, dut, first, (case.station(), node.new_port()))
    carry_to(node, dut, second, goals[1])
    node.rest()
    carry_to(node, dut, first, goals[0])
    dut.serves(first, second)
    dut.serves(second, first, data=b"each its own")


@valid
@requirement("MOPS-4.1-256", case=1)
def test_ten_moves_settle_at_the_last_place(node: MobileNode, dut: Server) -> None:
    """After ten moves in a row, each of which the server has agreed to, the connection is at the last place alone."""
    connection = node.connect()
    node.migrate(connection)
    for move in range(2, MOVES + 1):
        node.move()
        request = node.send_migrate(connection)
        try:
            dut.answers(request, SUCCESS)
        except Broken as broken:
            if move == 2 and broken.deadline is not None:
                raise NotApplicable("the device limits how often a connection moves: that is MOPS-4.1-208") from None
            raise
        node.rebind(request, connection)
    dut.serves(connection)
    dut.is_nowhere_else(connection)


def lots(connections: list[Connection]) -> Iterator[list[Connection]]:
    """Connections in as many lots as packets are needed."""
    for first in range(0, len(connections), FULL_PACKET):
        yield connections[first : first + FULL_PACKET]


@pytest.mark.parametrize("number", [FULL_PACKET, MORE_THAN_A_PACKET])
@valid
@requirement("MOPS-4.1-221", case=3)
def test_as_many_connections_as_a_node_has(node: MobileNode, dut: Server, number: int) -> None:
    """All connections of a node migrate, though they fill a packet or need two."""
    connections = [node.connect(use=False) for _ in range(number)]
    sample = [*connections[:: number // SAMPLES], connections[-1]]
    with preamble():
        dut.serves(*sample)
    node.move()
    for some in lots(connections):
        request = node.send_migrate(*some)
        dut.answers(request, SUCCESS)
        node.rebind(request, *some)
    dut.serves(*sample)


class Traffic:
    """What a station has with the device beside the connection: echo requests, and datagrams to a UDP service."""

    def __init__(self, case: Case, dut: Server, port: int, station: Station) -> None:
        self._case, self._dut, self.station = case, dut, station
        self._flow = UdpPeer(station, port, port)

    def needs_datagrams(self) -> None:
        """A datagram is answered, as preamble."""
        with preamble():
            self.datagram_is_answered()

    def datagram_is_answered(self) -> None:
        """A datagram to the UDP service comes back."""
        since, sent = self._case.mark(), self._flow.send(b"still here?")
        expect_datagram(self._case, self._flow, since, self._case.deadline(since_ns=sent.ns))

    def echo_is_answered(self) -> bool:
        """Whether an echo request is answered, where there are such."""
        return self._case.network.name == "ipv4" and self._dut.answers_echo(self.station)


@pytest.mark.parametrize("address", ["left", "new"])
@valid
@requirement("MOPS-4.1-257", case=1)
def test_other_traffic_of_a_nodes_addresses(
    case: Case, node: MobileNode, dut: Server, app: Application, address: str
) -> None:
    """Echo requests and datagrams from the address that was left, or from the new one, are answered there as before."""
    connection, away = node.connect(), case.station()
    port = app.listen(service="echo", protocol="udp").port
    traffic = Traffic(case, dut, port, node.home if address == "left" else away)
    traffic.needs_datagrams()
    was_answered = traffic.echo_is_answered()
    node.return_to(away)
    request = node.send_migrate(connection)
    dut.reply_to(request, SUCCESS)
    node.rebind(request, connection)
    traffic.datagram_is_answered()
    if was_answered:
        dut.must_answer_echo(traffic.station)
    dut.serves(connection)


@pytest.mark.parametrize("when", ["before the move", "after it"])
@inopportune
@requirement("MOPS-4.1-258", case=1)
def test_packet_too_big_ends_nothing(case: Case, node: MobileNode, dut: Server, when: str) -> None:
    """A router's word that a packet to the node needs fragments ends no connection, before the move or after it."""
    connection = node.connect()
    if when == "before the move":
        report(case, connection.local, "fragmentation needed")
        dut.quiesce()
        node.move()
        dut.accepts_migrate(node, node.request(connection), connection)
    else:
        node.migrate(connection)
        report(case, connection.local, "fragmentation needed")
        dut.quiesce()
    dut.serves(connection, data=bytes(range(250)) * 20)
