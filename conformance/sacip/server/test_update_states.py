# SPDX-License-Identifier: GPL-2.0-or-later
"""Remote activation: the table that is searched holds connections of every port and of several states."""

import pytest

from conformance.sacip.dut.server import Server
from conformance.sacip.tester.node import Node
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.device.application import Application


@valid
@requirement("SACIP-update-01", case=1)
def test_ports_do_not_matter(node: Node, dut: Server, app: Application) -> None:
    """Connections to another service, and one that the device has opened, follow with that to the echo service."""
    peer = node.connect()
    accepted, served = node.connect_to(app)
    opened, socket = node.accept_from(app)
    node.change(peer, accepted, opened)
    dut.serves(peer)
    dut.serves_application(accepted, served)
    dut.serves_application(opened, socket)


@valid
@requirement("SACIP-update-02", case=1)
def test_connection_that_the_peer_has_closed_follows(node: Node, dut: Server, app: Application) -> None:
    """In CLOSE-WAIT: the device still sends, to the new address, and closes there."""
    peer, socket = node.connect_to(app)
    dut.acknowledges_all(peer, peer.finish())
    node.change(peer)
    dut.barrier()
    dut.delivers(peer, b"the other direction", dut.application_takes(socket, b"the other direction"))
    peer.acknowledge()
    socket.close()
    dut.closes_at(peer)


@valid
@requirement("SACIP-update-02", case=2)
def test_connection_that_the_device_has_closed_follows(node: Node, dut: Server, app: Application) -> None:
    """In FIN-WAIT-2: what the peer still sends, from the new address, is read, and its FIN is acknowledged."""
    peer, socket = node.connect_to(app)
    socket.shut()
    dut.closes_at(peer)
    peer.acknowledge()
    dut.barrier()
    node.change(peer)
    dut.acknowledges_all(peer, peer.send(b"the other direction"))
    dut.application_reads(socket, b"the other direction")
    dut.acknowledges_all(peer, peer.finish())


@valid
@requirement("SACIP-update-02", case=3)
def test_connection_that_is_being_opened_follows(node: Node, dut: Server, app: Application) -> None:
    """In SYN-SENT: the device takes the SYN-ACK from the new address."""
    opening = node.await_syn(app)
    node.change(opening.local)
    socket = dut.establishes(opening, opening.local)
    dut.serves_application(opening.local, socket)


@valid
@requirement("SACIP-update-02", case=4)
def test_connection_with_a_closed_window_follows(node: Node, dut: Server, app: Application) -> None:
    """With the peer's window shut: the data that waited for it comes when it is opened from the new address."""
    peer, socket = node.connect_to(app)
    peer.acknowledge(window=0)
    dut.barrier()
    start = len(peer.stream)
    asked_ns = socket.send(b"waiting for room")
    dut.barrier()
    peer.drop_unread()
    node.change(peer)
    peer.acknowledge()
    dut.delivers(peer, b"waiting for room", asked_ns, start, asked_ns)


@pytest.mark.parametrize("side", ["peer", "device"])
@valid
@requirement("SACIP-update-02", case=5)
def test_fin_under_way_follows(node: Node, dut: Server, app: Application, case: Case, side: str) -> None:
    """With a FIN that was lost on the way, of either side: it comes, and the connection closes at the new address."""
    peer, socket = node.connect_to(app)
    since_ns = case.clock.now_ns()
    if side == "device":
        peer.drop_incoming()
        socket.shut()
        dut.barrier()
        peer.drop_unread()
        node.change(peer)
        dut.closes_at(peer, since_ns)
    else:
        node.change(peer)
        dut.acknowledges_all(peer, peer.finish())
