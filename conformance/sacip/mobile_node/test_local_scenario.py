# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenario, local: the notification, and the connections after it."""

from conformance.sacip.dut.mobile_node import MobileNode
from conformance.sacip.tester.node import Node
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application

SOCKETS = 3
BULK = bytes(60_000)


@exclusive
@valid
@requirement("SACIP-local-01", case=1)
def test_each_socket_is_told(node: Node, dut: MobileNode) -> None:
    """A peer of three connections gets three notifications."""
    for _ in range(SOCKETS):
        node.connect()
    dut.tells_so_often(SOCKETS, node.station, dut.change_address())


@exclusive
@valid
@requirement("SACIP-local-02", case=1)
def test_notification_comes_from_the_old_address(node: Node, dut: MobileNode) -> None:
    """The source of a notification is the old address, the first time and the second."""
    peer = node.connect()
    for _ in range(2):
        move = dut.change_address()
        told = dut.await_notification(node.station, move)
        require(told.source == move.old, "source", move.old, told.source, told.frame)
        dut.follow(move, peer)


@exclusive
@valid
@requirement("SACIP-local-03", case=1)
def test_notification_names_the_new_address(node: Node, dut: MobileNode) -> None:
    """The payload of a notification is the new address, the first time and the second."""
    node.connect()
    for _ in range(2):
        move = dut.change_address()
        dut.names(dut.await_notification(node.station, move), move.new)


@exclusive
@valid
@requirement("SACIP-local-04", case=1)
def test_nothing_leaves_the_new_address_before(node: Node, dut: MobileNode, app: Application, case: Case) -> None:
    """With data under way nothing of the connection comes from the new address before its notification."""
    peer, socket = node.connect_to(app)
    start, asked_ns = len(peer.stream), case.clock.now_ns()
    sending = socket.begin_send(BULK)
    dut.barrier()
    move = dut.change_address()
    dut.follow(move, peer)
    dut.delivers(peer, BULK, asked_ns, start, asked_ns)
    sending.result()
    dut.tells_before_it_leaves(peer, move)


@exclusive
@valid
@requirement("SACIP-local-04", case=2)
def test_no_connection_leaves_the_new_address_before(node: Node, other: Node, dut: MobileNode) -> None:
    """Of several connections with data under way each is told first."""
    peers = [node.connect(), other.connect()]
    for peer in peers:
        peer.send(b"answer when you have moved")
    move = dut.change_address()
    dut.quiesce()
    for peer in peers:
        dut.tells_before_it_leaves(peer, move)


@exclusive
@valid
@requirement("SACIP-local-05", case=1)
def test_segments_leave_the_new_address(node: Node, dut: MobileNode, app: Application) -> None:
    """After the notification the application's data comes from the new address, and no more from the old one."""
    peer, socket = node.connect_to(app)
    dut.sends_from_the_new_address(peer, socket, dut.change_address(), b"from the new address")


@exclusive
@valid
@requirement("SACIP-local-05", case=2)
def test_retransmission_leaves_the_new_address(node: Node, dut: MobileNode, app: Application) -> None:
    """Data that was not acknowledged when the address changed is retransmitted from the new address."""
    peer, socket = node.connect_to(app)
    start = len(peer.stream)
    peer.drop_incoming()
    asked_ns = socket.send(b"lost on the way")
    dut.barrier()
    peer.drop_unread()
    move = dut.change_address()
    told = dut.await_notification(node.station, move)
    dut.follow(move, peer)
    dut.delivers(peer, b"lost on the way", asked_ns, start, asked_ns)
    dut.leaves(peer, move, told)


@exclusive
@valid
@requirement("SACIP-local-05", case=3)
def test_segments_to_the_new_address_are_taken(node: Node, dut: MobileNode) -> None:
    """Data that is sent to the new address is taken, and so is the FIN."""
    peer = node.connect()
    dut.complete_change(peer)
    dut.acknowledges_all(peer, peer.send(b"at the new address"))
    dut.closes(peer, peer.finish().ns)


@exclusive
@valid
@requirement("SACIP-local-06", case=1)
def test_connections_of_other_addresses_stay(node: Node, other: Node, dut: MobileNode) -> None:
    """Connections to other addresses of the device are neither told nor changed, whichever of them is promoted."""
    kept = dut.further_addresses(2)
    for address in kept:
        dut.add_address(address)
    node.connect()
    bystanders = [other.connect(remote=address) for address in kept]
    move = dut.delete_primary(kept[0])
    dut.notifies(node.station, move)
    dut.tells_nothing(other.station, move)
    dut.serves(*bystanders)


@exclusive
@valid
@requirement("SACIP-local-06", case=2)
def test_connection_of_the_promoted_address_stays(node: Node, other: Node, dut: MobileNode) -> None:
    """A connection to the secondary that becomes primary is neither told nor changed."""
    (new,) = dut.further_addresses(1)
    dut.add_address(new)
    peer, bystander = node.connect(), other.connect(remote=new)
    move = dut.delete_primary(new)
    dut.notifies(node.station, move)
    dut.tells_nothing(other.station, move)
    dut.serves(bystander)
    dut.goes_on(move, peer)


@exclusive
@valid
@requirement("SACIP-local-07", case=1)
def test_only_peers_are_told(node: Node, other: Node, dut: MobileNode, case: Case) -> None:
    """The notification goes to the peer of the connection, and to nobody who has none any more or never had."""
    stranger = Node(case)
    peer, ended = node.connect(), other.connect()
    dut.answers_echo(stranger.station)
    ended.reset()
    dut.barrier()
    move = dut.change_address()
    dut.notifies(node.station, move)
    dut.tells_nothing(other.station, move)
    dut.tells_nothing(stranger.station, move)
    dut.goes_on(move, peer)


@exclusive
@valid
@requirement("SACIP-local-08", case=1)
def test_later_change_works_like_the_first(node: Node, dut: MobileNode) -> None:
    """After each of four changes, one back to the first address among them, the connection goes on."""
    peer = node.connect()
    for new in ("", "", dut.home, ""):
        move = dut.change_address(new)
        dut.notifies(node.station, move)
        dut.goes_on(move, peer)


@exclusive
@inopportune
@requirement("SACIP-local-08", case=2)
def test_later_change_without_traffic_between(node: Node, dut: MobileNode) -> None:
    """Two changes one right after the other: each is told, and the connection is at the last address."""
    peer = node.connect()
    first = dut.change_address()
    second = dut.change_address()
    dut.notifies(node.station, first)
    dut.notifies(node.station, second)
    dut.goes_on(second, peer)


@exclusive
@inopportune
@requirement("SACIP-local-09", case=1)
def test_connection_in_the_way_stays_alive(node: Node, dut: MobileNode) -> None:
    """Where a connection to the new address has the tuple that another would get, that one stays alive."""
    (new,) = dut.further_addresses(1)
    dut.add_address(new)
    peer, free = node.connect(), node.connect()
    occupant = node.connect(port=peer.port, remote=new)
    move = dut.delete_primary(new)
    dut.serves(occupant)
    dut.goes_on(move, free)
