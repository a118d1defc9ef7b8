# SPDX-License-Identifier: GPL-2.0-or-later
"""Key notes: what connections, applications and everybody else notice of a change of the peer's address: nothing."""

import pytest

from conformance.sacip.dut.server import Server
from conformance.sacip.tester.node import Node
from testbed import inopportune, requirement, valid
from testbed.device.application import Application
from testbed.peers.icmp import error_about

SOFT = pytest.mark.parametrize("code", [0, 1, 5], ids=["network", "host", "source-route"])
HARD = pytest.mark.parametrize("code", [2, 3], ids=["protocol", "port"])
UNREACHABLE = 3
STREAM = bytes(number % 251 for number in range(20_000))


@valid
@requirement("SACIP-front-01", case=1)
def test_stream_continues(node: Node, dut: Server) -> None:
    """A stream that was begun at the old address goes on at the new one, byte-exact in both directions."""
    peer = node.connect()
    node.exchange(peer, data=STREAM[:5000])
    node.change(peer)
    dut.serves(peer, data=STREAM)


@valid
@requirement("SACIP-front-01", case=2)
def test_bytes_that_were_lost_come_once(node: Node, dut: Server, app: Application) -> None:
    """What both ends have sent and nobody has received when the address changes comes once, in its order."""
    peer, socket = node.connect_to(app)
    start = len(peer.stream)
    since_ns = node.receive_without_ack(peer, socket, b"one")
    peer.send_lost(b"two")
    node.change(peer)
    peer.retransmit(b"two")
    dut.application_reads(socket, b"two")
    dut.application_takes(socket, b"three")
    dut.delivers(peer, b"onethree", since_ns, start, since_ns)


@valid
@requirement("SACIP-front-01", case=5)
def test_options_stay(node: Node, dut: Server) -> None:
    """A connection with timestamps, SACK, a window scale and small segments goes on with all of them."""
    peer = node.connect(timestamps=True, scale=2, mss=500)
    node.exchange(peer)
    peer.send_out_of_window(b"at last", len(b"in order"))
    node.change(peer)
    dut.fills_gap(peer, b"in order", b"at last")
    dut.serves(peer, data=STREAM)


@valid
@requirement("SACIP-front-02", case=1)
def test_application_keeps_its_socket(node: Node, dut: Server, app: Application) -> None:
    """The application reads and writes on the same socket as before, without an error or the end of the stream."""
    peer, socket = node.connect_to(app)
    dut.serves_application(peer, socket, b"before")
    node.change(peer)
    dut.serves_application(peer, socket, b"after")


@SOFT
@inopportune
@requirement("SACIP-front-03", case=1)
def test_soft_error_aborts_nothing(node: Node, dut: Server, code: int) -> None:
    """A soft error about the connection, before the change and after it, aborts nothing."""
    peer = node.connect()
    node.send(error_about(peer, UNREACHABLE, code))
    node.change(peer)
    dut.barrier()
    node.send(error_about(peer, UNREACHABLE, code))
    dut.barrier()
    dut.serves(peer)


@HARD
@inopportune
@requirement("SACIP-front-04", case=1)
def test_error_about_the_old_tuple_is_nobodys(node: Node, dut: Server, code: int) -> None:
    """An error that quotes the tuple that was left touches nothing."""
    peer = node.connect()
    left = peer.at(node.station)
    node.change(peer)
    dut.barrier()
    node.send(error_about(left, UNREACHABLE, code), at=left.station)
    dut.barrier()
    dut.serves(peer)


@valid
@requirement("SACIP-front-05", case=1)
def test_other_traffic_is_as_before(node: Node, other: Node, dut: Server) -> None:
    """Echo requests from both addresses are answered as before, connections open there, and other peers go on."""
    bystander, peer = other.connect(), node.connect()
    was_answered = dut.answers_echo(node.station)
    change = node.change(peer)
    dut.barrier()
    if was_answered:
        dut.must_answer_echo(change.old)
        dut.must_answer_echo(change.new)
    dut.accepts_new_connection(node.peer(at=change.old))
    dut.serves(peer, bystander)
