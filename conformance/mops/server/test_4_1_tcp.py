# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: what a TCP connection has agreed on, and what it has under way, stays with it (RFC 9293, 7323, 2018)."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import listen_mobile
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import SUCCESS
from testbed import requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE, after
from testbed.peers.stream import fitting
from testbed.peers.tcp import TIMESTAMPS, TcpPeer
from testbed.peers.window import fill
from testbed.wire.clock import NANO

BULK = 50_000
PART = b"part of a stream "


def stamps(segment: Segment) -> tuple[int, int]:
    """TSval and TSecr of a segment, (-1, -1) without them."""
    option = segment.option(TIMESTAMPS)
    raw = option.raw if option else b"\xff" * 10
    return (int.from_bytes(raw[2:6]), int.from_bytes(raw[6:10])) if option else (-1, -1)


def connect_with_timestamps(node: MobileNode, dut: Server, clock: int | None = None) -> Connection:
    """A connection with timestamps and SACK, as far as the device agrees. NotApplicable where it does not."""
    connection = node.connect(timestamps=True, clock=clock)
    if not any("S" in one.flags and one.option(TIMESTAMPS) for one in dut.segments(connection.local)):
        raise NotApplicable("the device uses no timestamps")
    return connection


@valid
@requirement("MOPS-4.1-227", case=1)
def test_timestamps_continue(node: MobileNode, dut: Server) -> None:
    """At the new tuple segments carry timestamps that do not go back and echo the node's last one."""
    connection = connect_with_timestamps(node, dut)
    timestamps_continue(node, dut, connection)


@waits(6)
@valid
@requirement("MOPS-4.1-227", case=11)
def test_timestamps_continue_after_a_second_move(node: MobileNode, dut: Server) -> None:
    """So they do at the tuple of a second move."""
    connection = connect_with_timestamps(node, dut)
    node.migrate(connection)
    node.rest()
    timestamps_continue(node, dut, connection)


def timestamps_continue(node: MobileNode, dut: Server, connection: Connection) -> None:
    """The connection migrates; its timestamps do not go back."""
    last, _ = stamps(dut.segments(connection.local)[-1])
    request, before = node.migrate(connection, use=False), connection.local.clock
    dut.serves(connection)
    segments = dut.segments(connection.local, request.mark)
    for segment in segments:
        value, _ = stamps(segment)
        require(value >= 0, "Timestamps of a segment", "present", "absent", segment.frame)
        require(after(value, last) >= 0, "TSval", f"{last} or later", value, segment.frame)
        last = value
    echoed = stamps(segments[-1])[1]
    require(echoed > before, "TSecr", f"later than {before}", echoed, segments[-1].frame)


def sack_of(case: Case, dut: Server, peer: TcpPeer, ahead: int) -> list[tuple[int, int]]:
    """The SACK blocks by which the device answers a segment that leaves a gap of `ahead` bytes before it."""
    mark = case.mark()
    peer.send_out_of_window(PART, ahead)
    segment = dut.await_segment(peer, mark, lambda one: one.sack)
    return segment.sack if segment else []


@valid
@requirement("MOPS-4.1-228", case=1)
def test_selective_acknowledgements_continue(case: Case, node: MobileNode, dut: Server) -> None:
    """A device that reports what came out of order before the move does so after it, with the right numbers."""
    connection = connect_with_timestamps(node, dut)
    peer = connection.local
    if not sack_of(case, dut, peer, 100):
        raise NotApplicable("the device sends no SACK blocks")
    peer.send(bytes(100) + PART)
    dut.barrier()
    node.migrate(connection, use=False)
    begin = (peer.snd_nxt + len(PART) + 200) % SEQUENCE_SPACE
    deadline, block = case.deadline(), (begin, (begin + len(PART)) % SEQUENCE_SPACE)
    blocks = sack_of(case, dut, peer, len(PART) + 200)
    require(block in blocks, "SACK blocks", f"{block} among them", blocks or "none", deadline)


@valid
@requirement("MOPS-4.1-229", case=1)
@waits(1)
def test_window_that_is_shut_at_the_move_opens_again(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """A connection whose receive window is full migrates, and when the application reads the window opens again."""
    listener = listen_mobile(case, app, service="manual")
    connection = node.connect(remote_port=listener.port, use=False)
    with preamble():
        sent = fill(case, connection.local)
    socket = listener.accepted(case.deadline().within_s)
    request = node.migrate(connection, use=False)
    deadline = case.deadline()
    took, trouble = socket.read(len(sent), deadline.within_s)
    require(took == sent, "what the application reads", f"{len(sent)} bytes", f"{len(took)} bytes {trouble}", deadline)
    dut.opens_window(connection.local, request.mark)
    connection.local.send(PART)
    dut.application_reads(socket, PART)


@valid
@requirement("MOPS-4.1-235", case=1)
def test_full_segments_after_the_move(node: MobileNode, dut: Server) -> None:
    """Many segments of full size go both ways at the new tuple without a byte lost, repeated or changed."""
    connection = node.connect()
    node.migrate(connection, use=False)
    dut.serves(connection, data=bytes(number * 7 % 251 for number in range(BULK)))


@valid
@requirement("MOPS-4.1-37", case=2)
@waits(1)
def test_data_lost_both_ways_at_the_move(case: Case, node: MobileNode, dut: Server) -> None:
    """Data of both directions that was lost at the moment of the move comes to the new tuple, each byte once."""
    connection = node.connect()
    half = fitting(connection.local) // 2
    answered, lost = (bytes(range(256)) * 2)[:half], (b"never arrived " * 20)[:half]
    connection.local.drop_incoming()
    sent = connection.local.send(answered)
    dut.barrier()
    connection.local.send_lost(lost)
    node.move()
    request = node.send_migrate(connection)
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)
    again = connection.local.retransmit(lost)
    dut.delivers(connection.local, answered + lost, max(request.sent.ns, again.ns), unanswered_since_ns=sent.ns)


@pytest.mark.parametrize("options", ["plain", "timestamps and SACK"])
@valid
@requirement("MOPS-4.1-17", case=3)
@waits(2)
def test_retransmissions_do_not_go_to_the_old_tuple(case: Case, node: MobileNode, dut: Server, options: str) -> None:
    """What was under way at the move is not retransmitted to the old tuple, not while a first timeout passes either."""
    connection = node.connect(timestamps=options != "plain")
    connection.local.drop_incoming()
    connection.local.send(b"an echo that is lost")
    dut.barrier()
    node.move()
    request = node.send_migrate(connection)
    reply = dut.reply_to(request, SUCCESS)
    previous = connection.local.at(connection.local.station)
    node.rebind(request, connection)
    mark = case.trace.mark_after(reply.frame)
    case.wait_until(reply.frame.ns + round(case.deadline().within_s * NANO))
    dut.expect_silence(previous, mark)
