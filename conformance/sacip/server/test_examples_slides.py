# SPDX-License-Identifier: GPL-2.0-or-later
"""Test examples: the captured frames, replayed with their own addresses, byte for byte from the IP header on."""

from conformance.sacip.dut.server import Server
from conformance.sacip.tester import slides
from conformance.sacip.tester.node import Node
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.peers.sequence import SEQUENCE_SPACE

HELLO = b"hello"


@exclusive("it takes an address of the slides")
@valid
@requirement("SACIP-examples-10", case=1)
def test_captured_notification_is_followed(node: Node, dut: Server, case: Case) -> None:
    """192.168.1.101 has a connection of 192.168.1.22: after the captured notification it goes on at 192.168.1.2."""
    dut.takes_the_address_of_the_slides()
    mobile, new = Node(case, slides.FIRST), case.station(slides.SECOND)
    peer = mobile.connect(remote=slides.HOST)
    mobile.exchange(peer)
    sent = mobile.station.transmit(slides.NOTIFICATION)
    case.values["captured notification, sent"] = slides.NOTIFICATION.hex(" ")
    peer.rebind(new, peer.port, case.trace.mark_at(sent.frame))
    dut.serves(peer)


@exclusive("it takes an address of the slides")
@inopportune
@requirement("SACIP-examples-10", case=2)
def test_captured_notification_without_a_connection(node: Node, dut: Server, case: Case) -> None:
    """The captured notification concerns no connection of another address."""
    dut.takes_the_address_of_the_slides()
    mobile, new = Node(case, slides.OTHER_SUBNET), case.station(slides.SECOND)
    peer = mobile.connect(remote=slides.HOST)
    stranger = case.station(slides.FIRST)
    dut.does_not_follow(peer, stranger.transmit(slides.NOTIFICATION), new)


@exclusive("it takes an address of the slides")
@inopportune
@requirement("SACIP-examples-13", case=1)
def test_captured_segment_harms_nothing(node: Node, dut: Server, case: Case) -> None:
    """The captured segment from the new address, which acknowledges what was never sent here, harms no connection."""
    dut.takes_the_address_of_the_slides()
    listener = dut.serves_telnet_port()
    mobile, new = Node(case, slides.SECOND), case.station(slides.OTHER_SUBNET)
    first = (slides.SEGMENT_SEQUENCE - 1 - len(HELLO)) % SEQUENCE_SPACE
    peer = mobile.connect(slides.SEGMENT_PORT, listener.port, slides.HOST, initial_sequence=first)
    mobile.exchange(peer, data=HELLO)
    mobile.change(peer, to=new, remote=slides.HOST)
    dut.barrier()
    new.transmit(slides.SEGMENT)
    case.values["captured segment, sent"] = slides.SEGMENT.hex(" ")
    dut.barrier()
    dut.serves(peer)
