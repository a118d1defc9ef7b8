# SPDX-License-Identifier: GPL-2.0-or-later
"""Key notes: what connections, applications and everybody else notice of a change of the device's address: nothing."""

from conformance.sacip.dut.mobile_node import MobileNode
from conformance.sacip.tester.node import Node
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.device.application import Application
from testbed.peers.icmp import error_about

UNREACHABLE, PORT = 3, 3
SOFT = (0, 1, 5)
"""Codes of errors that abort no connection: network and host unreachable, source route failed."""
STREAM = bytes(number % 251 for number in range(20_000))
CHANGES = 10


@exclusive
@valid
@requirement("SACIP-front-01", case=3)
def test_stream_continues(node: Node, dut: MobileNode) -> None:
    """A stream that was begun at the old address goes on at the new one, byte-exact in both directions."""
    peer = node.connect()
    node.exchange(peer, data=STREAM[:5000])
    dut.complete_change(peer)
    dut.serves(peer, data=STREAM)


@exclusive
@valid
@requirement("SACIP-front-01", case=4)
def test_bytes_that_were_lost_come_once(node: Node, dut: MobileNode, app: Application) -> None:
    """What both ends have sent and nobody has received when the address changes comes once, in its order."""
    peer, socket = node.connect_to(app)
    start = len(peer.stream)
    since_ns = node.receive_without_ack(peer, socket, b"one")
    peer.send_lost(b"two")
    dut.complete_change(peer)
    peer.retransmit(b"two")
    dut.application_reads(socket, b"two")
    dut.application_takes(socket, b"three")
    dut.delivers(peer, b"onethree", since_ns, start, since_ns)


@exclusive
@valid
@requirement("SACIP-front-01", case=6)
def test_options_stay(node: Node, dut: MobileNode) -> None:
    """A connection with timestamps, SACK, a window scale and small segments goes on with all of them."""
    peer = node.connect(timestamps=True, scale=2, mss=500)
    node.exchange(peer)
    peer.send_out_of_window(b"at last", len(b"in order"))
    dut.complete_change(peer)
    dut.fills_gap(peer, b"in order", b"at last")
    dut.serves(peer, data=STREAM)


@exclusive
@valid
@requirement("SACIP-front-02", case=2)
def test_application_keeps_its_socket(node: Node, dut: MobileNode, app: Application) -> None:
    """The application reads and writes on the same socket as before, without an error or the end of the stream."""
    peer, socket = node.connect_to(app)
    dut.serves_application(peer, socket, b"before")
    dut.complete_change(peer)
    dut.serves_application(peer, socket, b"after")


@exclusive
@inopportune
@requirement("SACIP-front-03", case=2)
def test_soft_errors_abort_nothing(node: Node, dut: MobileNode) -> None:
    """Soft errors about the connection, before the change and after it, abort nothing."""
    peer = node.connect()
    for code in SOFT:
        node.send(error_about(peer, UNREACHABLE, code))
    dut.barrier()
    move = dut.complete_change(peer)
    for code in SOFT:
        node.send(error_about(peer, UNREACHABLE, code), to=move.new)
        dut.barrier()
        dut.serves(peer)


@exclusive
@inopportune
@requirement("SACIP-front-04", case=2)
def test_error_about_the_old_tuple_is_nobodys(node: Node, dut: MobileNode) -> None:
    """An error that quotes the tuple that was left touches nothing, whichever address it is sent to."""
    peer = node.connect()
    error = error_about(peer, UNREACHABLE, PORT)
    move = dut.complete_change(peer)
    for address in (move.old, move.new):
        node.send(error, to=address)
    dut.barrier()
    dut.serves(peer)


@exclusive
@valid
@requirement("SACIP-front-05", case=2)
def test_other_traffic_is_as_before(node: Node, other: Node, dut: MobileNode) -> None:
    """At addresses that are kept connections, echo and new connections are served."""
    was_answered = dut.answers_echo(other.station)
    kept = dut.further_addresses(2)
    for address in kept:
        dut.add_address(address)
    bystanders = [other.connect(remote=address) for address in kept]
    node.connect()
    dut.await_notification(node.station, dut.delete_primary(kept[0]))
    dut.serves(*bystanders)
    for dut.address in kept:
        if was_answered:
            dut.must_answer_echo(other.station)
        dut.accepts_new_connection(node.peer())


@exclusive
@valid
@requirement("SACIP-front-06", case=1)
def test_ten_changes_settle(node: Node, dut: MobileNode) -> None:
    """After ten changes one after the other the connection is at the last address."""
    peer = node.connect()
    for _ in range(CHANGES):
        dut.follow(dut.change_address(), peer)
    dut.serves(peer)


@exclusive
@inopportune
@requirement("SACIP-front-07", case=1)
def test_change_after_that_of_the_peer_is_told_at_its_new_address(node: Node, dut: MobileNode, case: Case) -> None:
    """After a change of the peer the device's own one is told to the peer's new address, and the connection goes on."""
    peer = node.connect()
    node.change(peer)
    dut.barrier()
    move = dut.change_address()
    dut.notifies(peer.station, move)
    dut.goes_on(move, peer)


@exclusive
@inopportune
@requirement("SACIP-front-08", case=1)
def test_reported_crossing_changes(node: Node, dut: MobileNode, case: Case) -> None:
    """What becomes of a connection when both ends change at once: the peer's notification comes too late."""
    peer = node.connect()
    move = dut.change_address()
    node.change(peer, remote=move.old)
    dut.follow(move, peer)
    case.values["both ends at once"] = "goes on" if dut.is_served(peer) else "is lost"
