# SPDX-License-Identifier: GPL-2.0-or-later
"""Test examples: the notification byte for byte, and the scenarios of the slides with their own addresses."""

from conformance.sacip.dut.mobile_node import MobileNode
from conformance.sacip.dut.notification import LENGTH
from conformance.sacip.tester import slides
from conformance.sacip.tester.node import Node
from layers.sacip import SACIP_TYPE
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.peers.udp import UdpPeer


@exclusive
@valid
@requirement("SACIP-notification-01", case=1)
def test_type_is_20(node: Node, dut: MobileNode) -> None:
    """The type of a notification is 20."""
    node.connect()
    told = dut.await_notification(node.station, dut.change_address())
    require(told.kind == SACIP_TYPE, "type", SACIP_TYPE, told.kind, told.frame)


@exclusive
@valid
@requirement("SACIP-examples-01", case=1)
def test_length_is_8(node: Node, dut: MobileNode) -> None:
    """A notification is 8 bytes of ICMP."""
    node.connect()
    told = dut.await_notification(node.station, dut.change_address())
    require(len(told.content) == LENGTH, "length", LENGTH, len(told.content), told.frame)


@exclusive
@valid
@requirement("SACIP-examples-02", case=1)
def test_checksum_is_right(node: Node, dut: MobileNode) -> None:
    """The checksum of a notification is right, the first time and the second."""
    node.connect()
    for _ in range(2):
        dut.has_right_checksum(dut.await_notification(node.station, dut.change_address()))


@exclusive
@valid
@requirement("SACIP-examples-11", case=1)
def test_captured_notification_is_produced(dut: MobileNode, node: Node, case: Case) -> None:
    """192.168.1.22 becomes 192.168.1.2: 192.168.1.101 gets the captured message, byte for byte, and the connection."""
    dut.takes_addresses_of_the_slides(slides.WHOLE, slides.FIRST)
    host = Node(case, slides.HOST)
    peer = host.connect(remote=slides.FIRST)
    host.exchange(peer)
    dut.add_address(slides.SECOND, slides.WHOLE)
    move = dut.delete_further(slides.FIRST, slides.SECOND)
    told = dut.await_notification(host.station, move)
    captured = slides.NOTIFICATION[-LENGTH:]
    case.values["notification, received"] = told.content.hex(" ")
    seen, expected = f"{told.source}: {told.content.hex(' ')}", f"{slides.FIRST}: {captured.hex(' ')}"
    require(seen == expected, "notification", expected, seen, told.frame)
    dut.goes_on(move, peer)


@exclusive
@valid
@requirement("SACIP-examples-06", case=1)
def test_other_subnet_keeps_connections(dut: MobileNode, node: Node, case: Case) -> None:
    """192.168.1.2/25 becomes 192.168.1.222/25: the connection goes on through the router, and after its Redirect."""
    dut.takes_addresses_of_the_slides(slides.HALF, slides.SECOND)
    router, host = Node(case, slides.ROUTER), Node(case, slides.HOST)
    dut.delete_primary(slides.SECOND)
    peer = host.connect(remote=slides.SECOND)
    host.exchange(peer)
    dut.add_address(slides.OTHER_SUBNET, slides.HALF)
    move = dut.delete_primary(slides.OTHER_SUBNET)
    dut.names(dut.notifies(host.station, move), slides.OTHER_SUBNET)
    dut.goes_on(move, peer)
    router.redirect(peer)
    dut.barrier()
    dut.serves(peer)


@exclusive
@valid
@requirement("SACIP-limits-02", case=1)
def test_reported_notification_that_nobody_got(node: Node, dut: MobileNode, app: Application, case: Case) -> None:
    """What the application sees when the peer has not got the notification, and refuses what comes from the new one."""
    peer, socket = node.connect_to(app)
    move = dut.change_address()
    end = peer.at(node.station)
    dut.follow(move, end)
    socket.send(b"who is there")
    dut.await_segment(end, move.mark, lambda one: one.source == move.new)
    end.read()
    end.reset()
    dut.barrier()
    case.values["after the peer's refusal the application sees"] = socket.error() or "nothing"


@exclusive
@valid
@requirement("SACIP-limits-03", case=2)
def test_reported_connected_udp(node: Node, dut: MobileNode, app: Application, case: Case) -> None:
    """From where the datagrams of a connected UDP socket come after a change, and whether its peer is told."""
    socket, port = node.datagram_socket(app)
    move = dut.change_address()
    socket.try_send(b"from where")
    dut.quiesce()
    came = {packet.src for _, packet in UdpPeer(node.station, port).datagrams(move.mark)}
    names = {move.old: "the old address", move.new: "the new address"}
    case.values["datagrams come from"] = " and ".join(sorted(names.get(one, one) for one in came)) or "nowhere"
    case.values["their peer is"] = "told" if dut.has_notified(node.station, move) else "not told"
