# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario, remote: which connections a notification changes, to where, and what it leaves alone."""

import pytest

from conformance.sacip.dut.server import Server
from conformance.sacip.tester.node import Node
from testbed import inopportune, invalid, requirement, valid, waits
from testbed.case.case import LATER_S, Case
from testbed.device.application import Application

REPEATS = 5
MANY = 20


@valid
@requirement("SACIP-remote-01", case=1)
def test_connections_of_the_peer_follow(node: Node, dut: Server) -> None:
    """Every connection of the peer goes on at the new address."""
    peers = [node.connect() for _ in range(3)]
    node.change(*peers)
    dut.serves(*peers)


@valid
@requirement("SACIP-remote-01", case=2)
def test_many_connections_follow(node: Node, dut: Server) -> None:
    """So do twenty."""
    peers = [node.connect() for _ in range(MANY)]
    node.change(*peers)
    dut.serves(*peers)


@valid
@requirement("SACIP-remote-01", case=3)
def test_notification_after_bad_ones_is_followed(node: Node, dut: Server, case: Case) -> None:
    """A notification is followed after others of the same peer that count for nothing."""
    peer, elsewhere = node.connect(), case.station().address
    node.notify(elsewhere, checksum=node.wrong_checksum(elsewhere))
    node.send(node.cut(elsewhere, 7))
    node.notify(elsewhere, type=21)
    node.change(peer)
    dut.serves(peer)


@valid
@requirement("SACIP-remote-01", case=4)
@waits(LATER_S)
def test_connection_is_still_there_later(node: Node, dut: Server, case: Case) -> None:
    """Half a second after the notification the connection goes on at the new address."""
    peer = node.connect()
    node.change(peer)
    dut.serves(peer)
    case.watch(LATER_S)
    dut.serves(peer)


@valid
@requirement("SACIP-remote-02", case=1)
def test_connections_of_others_stay(node: Node, other: Node, dut: Server) -> None:
    """A connection of another address, which has the same port, stays where it is."""
    peer = node.connect()
    bystander = other.connect(port=peer.port)
    change = node.change(peer)
    dut.does_not_follow(bystander, change.sent, change.new)
    dut.serves(peer)


@valid
@requirement("SACIP-remote-02", case=2)
def test_connections_of_others_to_another_service_stay(node: Node, other: Node, dut: Server, app: Application) -> None:
    """So does one to another service, whose tuple would be free at the new address."""
    peer = node.connect()
    bystander = other.connect(peer.port, app.listen(service="echo").port)
    change = node.change(peer)
    dut.does_not_follow(bystander, change.sent, change.new)
    dut.serves(peer)


@valid
@requirement("SACIP-remote-03", case=1)
def test_next_data_goes_to_the_new_address(node: Node, dut: Server, app: Application) -> None:
    """The first segment after the notification goes to the new address, though nothing has come from there."""
    peer, socket = node.connect_to(app)
    change = node.change(peer)
    dut.sends_to_the_new_address(peer, socket, change, b"where you are now")


@valid
@requirement("SACIP-remote-03", case=2)
def test_retransmission_goes_to_the_new_address(node: Node, dut: Server, app: Application, case: Case) -> None:
    """Data that was not acknowledged when the address changed is retransmitted to the new address."""
    peer, socket = node.connect_to(app)
    start = len(peer.stream)
    asked_ns = socket.send(b"lost on the way")
    peer.drop_incoming()
    dut.barrier()
    peer.drop_unread()
    change = node.change(peer)
    dut.barrier()
    mark = case.mark()
    dut.delivers(peer, b"lost on the way", asked_ns, start, asked_ns)
    dut.leaves(peer, change.old, mark)


@valid
@requirement("SACIP-remote-04", case=1)
def test_data_from_the_new_address_is_taken(node: Node, dut: Server, app: Application) -> None:
    """Data that comes from the new address right after the notification is taken and acknowledged."""
    peer, socket = node.connect_to(app)
    node.change(peer)
    sent = peer.send(b"from the new address")
    dut.acknowledges_all(peer, sent)
    dut.application_reads(socket, b"from the new address")


@valid
@requirement("SACIP-remote-04", case=2)
def test_close_from_the_new_address_is_taken(node: Node, dut: Server) -> None:
    """A FIN from the new address closes the connection."""
    peer = node.connect()
    node.change(peer)
    dut.closes(peer, peer.finish().ns)


@inopportune
@requirement("SACIP-remote-05", case=1)
def test_repeated_notification_changes_nothing_more(node: Node, dut: Server) -> None:
    """Several notifications of one change, as a peer of several sockets gets them, are as good as one."""
    peers = [node.connect(), node.connect()]
    change = node.change(*peers)
    for _ in range(REPEATS):
        node.notify(change.new.address, at=change.old)
    dut.barrier()
    dut.serves(*peers)


@inopportune
@requirement("SACIP-remote-05", case=2)
def test_late_repeat_of_an_earlier_change_changes_nothing(node: Node, dut: Server) -> None:
    """The notification of the first change, repeated after the second, changes nothing."""
    peer = node.connect()
    first = node.change(peer)
    node.exchange(peer)
    node.change(peer)
    node.exchange(peer)
    sent = node.notify(first.new.address, at=first.old)
    dut.does_not_follow(peer, sent, first.new)


@valid
@requirement("SACIP-remote-06", case=1)
def test_notification_is_not_answered(node: Node, dut: Server) -> None:
    """Nothing comes in answer to a notification, at the old address or at the new one."""
    peer = node.connect()
    change = node.change(peer)
    dut.answers_nothing(change)
    dut.serves(peer)


@pytest.mark.parametrize("named", ["its own address", "that of a peer"])
@inopportune
@requirement("SACIP-remote-07", case=1)
def test_notification_of_a_stranger_changes_nothing(node: Node, other: Node, dut: Server, named: str) -> None:
    """A notification from an address without any connection changes none, whichever address it names."""
    peer = node.connect()
    stations = {"its own address": other.station, "that of a peer": node.station}
    sent = other.notify(stations[named].address)
    dut.does_not_follow(peer, sent, other.station)


@inopportune
@requirement("SACIP-remote-07", case=2)
def test_notification_ahead_of_a_connection_changes_nothing(node: Node, dut: Server, case: Case) -> None:
    """A connection that is opened after a notification from its address stays there."""
    elsewhere = case.station()
    sent = node.notify(elsewhere.address)
    dut.barrier()
    dut.does_not_follow(node.connect(), sent, elsewhere)


@inopportune
@requirement("SACIP-remote-08", case=1)
def test_connection_in_the_way_stays_alive(node: Node, other: Node, dut: Server) -> None:
    """A notification by which one connection would get the tuple of another leaves that other one alive."""
    peer = node.connect()
    occupant = other.connect(port=peer.port)
    free = node.connect()
    node.change(free, to=other.station)
    dut.barrier()
    dut.serves(occupant, free)


@valid
@requirement("SACIP-remote-09", case=1)
def test_new_connections_open_at_both_addresses(node: Node, dut: Server) -> None:
    """New connections open from the new address and from the old one, from there with the same port."""
    peer = node.connect()
    change = node.change(peer)
    dut.barrier()
    dut.accepts_new_connection(node.peer())
    dut.accepts_new_connection(node.peer(port=peer.port, at=change.old))
    dut.serves(peer)


@pytest.mark.parametrize("changes", [2, 6])
@valid
@requirement("SACIP-remote-10", case=1)
def test_later_change_is_followed(node: Node, dut: Server, changes: int) -> None:
    """Every later change, to a further address each time, is followed like the first."""
    peer = node.connect()
    for _ in range(changes):
        node.change(peer)
        dut.serves(peer)


@valid
@requirement("SACIP-remote-10", case=2)
def test_return_to_the_first_address_is_followed(node: Node, dut: Server) -> None:
    """A change back to the first address is followed, and the one after it too."""
    peer = node.connect()
    away = node.change(peer)
    node.exchange(peer)
    for station in (node.home, away.new):
        node.change(peer, to=station)
        dut.serves(peer)


@valid
@requirement("SACIP-remote-10", case=3)
def test_changes_without_traffic_between_are_followed(node: Node, dut: Server) -> None:
    """Two changes one right after the other lead to the last address."""
    peer = node.connect()
    node.change(peer)
    node.change(peer)
    dut.serves(peer)


@invalid
@requirement("SACIP-remote-11", case=1)
def test_address_that_was_not_announced_is_nobodys(node: Node, other: Node, dut: Server) -> None:
    """Right numbers from an address that was never announced reach nothing, before a change and after it."""
    peer = node.connect()
    node.exchange(peer)
    dut.ignores(peer.at(other.station), b"from nowhere")
    node.change(peer)
    dut.serves(peer, data=b"at the new address")
    dut.ignores(peer.at(other.station), b"from nowhere")
    dut.serves(peer)
