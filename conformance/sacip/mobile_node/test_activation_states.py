# SPDX-License-Identifier: GPL-2.0-or-later
"""Local activation: the table that is searched holds connections of several states."""

from conformance.sacip.dut.mobile_node import MobileNode
from conformance.sacip.dut.notification import notifications
from conformance.sacip.tester.node import Node
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application


@exclusive
@valid
@requirement("SACIP-activation-01", case=1)
def test_code_is_0(node: Node, dut: MobileNode) -> None:
    """The code of a notification is 0."""
    node.connect()
    told = dut.await_notification(node.station, dut.change_address())
    require(told.code == 0, "code", 0, told.code, told.frame)


@exclusive
@valid
@requirement("SACIP-activation-02", case=1)
def test_connection_that_the_peer_has_closed_goes_on(node: Node, dut: MobileNode, app: Application) -> None:
    """In CLOSE-WAIT: the peer is told, the device still sends, from the new address, and closes there."""
    peer, socket = node.connect_to(app)
    dut.acknowledges_all(peer, peer.finish())
    move = dut.change_address()
    dut.notifies(node.station, move)
    dut.follow(move, peer)
    dut.delivers(peer, b"the other direction", dut.application_takes(socket, b"the other direction"))
    peer.acknowledge()
    socket.close()
    dut.closes_at(peer)


@exclusive
@valid
@requirement("SACIP-activation-02", case=2)
def test_connection_that_the_device_has_closed_goes_on(node: Node, dut: MobileNode, app: Application) -> None:
    """In FIN-WAIT-2: the peer is told, and what it still sends, to the new address, is read."""
    peer, socket = node.connect_to(app)
    socket.shut()
    dut.closes_at(peer)
    peer.acknowledge()
    dut.barrier()
    move = dut.change_address()
    dut.notifies(node.station, move)
    dut.follow(move, peer)
    dut.acknowledges_all(peer, peer.send(b"the other direction"))
    dut.application_reads(socket, b"the other direction")
    dut.acknowledges_all(peer, peer.finish())


@exclusive
@valid
@requirement("SACIP-activation-02", case=3)
def test_connection_that_is_being_opened_goes_on(node: Node, dut: MobileNode, app: Application) -> None:
    """In SYN-SENT: the peer is told, and its SYN-ACK is taken at the new address."""
    opening = node.await_syn(app)
    move = dut.change_address()
    dut.notifies(node.station, move)
    opening.local.remote = move.new
    dut.serves_application(opening.local, dut.establishes(opening, opening.local))


@exclusive
@valid
@requirement("SACIP-activation-02", case=4)
def test_connection_with_a_closed_window_goes_on(node: Node, dut: MobileNode, app: Application) -> None:
    """With the peer's window shut: it is told, and the data that waited comes when it opens the window."""
    peer, socket = node.connect_to(app)
    peer.acknowledge(window=0)
    dut.barrier()
    start = len(peer.stream)
    asked_ns = socket.send(b"waiting for room")
    dut.barrier()
    peer.drop_unread()
    move = dut.change_address()
    dut.notifies(node.station, move)
    dut.follow(move, peer)
    peer.acknowledge()
    dut.delivers(peer, b"waiting for room", asked_ns, start, asked_ns)


@exclusive
@valid
@requirement("SACIP-activation-02", case=5)
def test_fin_under_way_comes_from_the_new_address(node: Node, dut: MobileNode, app: Application, case: Case) -> None:
    """With a FIN that was lost on the way: the peer is told, and it comes from the new address."""
    peer, socket = node.connect_to(app)
    since_ns = case.clock.now_ns()
    peer.drop_incoming()
    socket.shut()
    dut.barrier()
    peer.drop_unread()
    move = dut.change_address()
    dut.notifies(node.station, move)
    dut.follow(move, peer)
    dut.closes_at(peer, since_ns)


@exclusive
@valid
@requirement("SACIP-activation-03", case=1)
def test_reported_time_wait(node: Node, dut: MobileNode, app: Application, case: Case) -> None:
    """Whether the peer of a connection in TIME-WAIT is told."""
    peer, socket = node.connect_to(app)
    socket.close()
    dut.closes_at(peer)
    dut.acknowledges_all(peer, peer.finish())
    dut.barrier()
    move = dut.change_address()
    dut.quiesce()
    case.values["peer of a connection in TIME-WAIT"] = (
        "told" if notifications(case, node.station, move.mark) else "not told"
    )
