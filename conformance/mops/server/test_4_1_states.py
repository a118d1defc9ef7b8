# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: migration in the states of TCP between handshake and end (RFC 9293, 3.3.2)."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from conformance.mops.claims import needs_sequence_reading
from conformance.mops.dut.server import Server
from conformance.mops.dut.sockets import listen_mobile
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import FAILED, SUCCESS
from testbed import inopportune, invalid, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import Broken
from testbed.device.application import Application, Socket
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import await_state
from testbed.peers.spoilt import transmit_spoilt
from testbed.peers.tcp import TcpPeer
from testbed.wire.clock import NANO

LOST = b"lost in front of the FIN"

LINGER_S = 5.0
"""Longer than it takes to forget a connection of which nobody has to know any more."""


@dataclass
class Half:
    """A connection of which an end may be closed, and the application's socket; when the server sent its FIN."""

    connection: Connection
    socket: Socket
    fin_ns: int = 0

    @property
    def peer(self) -> TcpPeer:
        """The node's end."""
        return self.connection.local


def open_half(case: Case, node: MobileNode, app: Application) -> Half:
    """A connection to an application that reads and writes when it is told to."""
    listener = listen_mobile(case, app, service="manual")
    connection = node.connect(remote_port=listener.port, use=False)
    connection.local.send(b"hello")
    half = Half(connection, listener.accepted(case.deadline().within_s))
    half.socket.read(5, case.deadline().within_s)
    return half


def await_fin(case: Case, half: Half) -> None:
    """The server's FIN has come to the node; preamble."""
    deadline = case.deadline()
    frame = await_state(case, half.peer, deadline, lambda: half.peer.state == "CLOSE-WAIT")
    if frame is None:
        raise Inconclusive("preamble: the device sent no FIN")
    half.fin_ns = frame.ns


def await_acknowledgement(case: Case, half: Half) -> None:
    """What the node has sent, its FIN included, is acknowledged; preamble."""
    peer = half.peer
    if await_state(case, peer, case.deadline(), lambda: peer.snd_una == peer.snd_nxt) is None:
        raise Inconclusive("preamble: the device did not acknowledge the FIN")


def close_wait(case: Case, half: Half) -> None:
    half.peer.finish()
    await_acknowledgement(case, half)


def fin_wait_1(case: Case, half: Half) -> None:
    half.socket.shut()
    await_fin(case, half)


def fin_wait_2(case: Case, half: Half) -> None:
    fin_wait_1(case, half)
    half.peer.acknowledge()


def closing(case: Case, half: Half) -> None:
    before = half.peer.rcv_nxt
    fin_wait_1(case, half)
    half.peer.send(flags="FA", ack=before)
    await_acknowledgement(case, half)


def last_ack(case: Case, half: Half) -> None:
    close_wait(case, half)
    half.socket.close()
    await_fin(case, half)


def left_by_the_application(case: Case, half: Half) -> None:
    half.socket.close()
    await_fin(case, half)
    half.peer.acknowledge()


def migrate(case: Case, node: MobileNode, dut: Server, half: Half) -> None:
    """The server answers "success", and the node is at the new tuple."""
    dut.barrier()
    node.move()
    request = node.send_migrate(half.connection)
    dut.answers(request, SUCCESS)
    node.rebind(request, half.connection)


@inopportune
@requirement("MOPS-4.1-224", case=1)
def test_connection_that_the_node_has_closed_migrates(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """In CLOSE-WAIT the server's data, and in the end its FIN, come to the new tuple."""
    half = open_half(case, node, app)
    close_wait(case, half)
    migrate(case, node, dut, half)
    dut.delivers(half.peer, b"still something to say", half.socket.send(b"still something to say"))
    half.socket.close()
    dut.closes_at(half.peer)


@pytest.mark.parametrize("reach", [fin_wait_1, fin_wait_2], ids=["FIN-WAIT-1", "FIN-WAIT-2"])
@inopportune
@requirement("MOPS-4.1-225", case=1)
def test_connection_that_the_server_has_closed_migrates(
    case: Case, node: MobileNode, dut: Server, app: Application, reach: Callable[[Case, Half], None]
) -> None:
    """In FIN-WAIT-1 and -2 the application takes what the node sends from the new tuple, and its end is accepted."""
    half = open_half(case, node, app)
    reach(case, half)
    migrate(case, node, dut, half)
    half.peer.send(b"the node is not done")
    dut.application_reads(half.socket, b"the node is not done")
    dut.acknowledges_all(half.peer, half.peer.finish())


@pytest.mark.parametrize("reach", [close_wait, fin_wait_2], ids=["CLOSE-WAIT", "FIN-WAIT-2"])
@waits(6)
@inopportune
@requirement("MOPS-4.1-26", case=11)
def test_half_closed_connection_migrates_twice(
    case: Case, node: MobileNode, dut: Server, app: Application, reach: Callable[[Case, Half], None]
) -> None:
    """A connection that one side has closed migrates a second time, and carries the data of the other side."""
    half = open_half(case, node, app)
    reach(case, half)
    migrate(case, node, dut, half)
    node.rest()
    migrate(case, node, dut, half)
    if reach is close_wait:
        dut.delivers(half.peer, b"still something to say", half.socket.send(b"still something to say"))
    else:
        half.peer.send(b"the node is not done")
        dut.application_reads(half.socket, b"the node is not done")


@invalid
@requirement("MOPS-4.1-38", case=11)
def test_half_closed_connection_that_is_refused_stays(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """A wrong number moves no connection that the server has closed: it takes the node's data at the old tuple."""
    half = open_half(case, node, app)
    fin_wait_2(case, half)
    request = node.move_and_send(half.connection, wrong_number(case, half.connection))
    dut.answers(request, FAILED)
    dut.can_migrate()
    dut.new_tuple_is_dead(half.connection, node.station, request.entries[0][1])
    half.peer.send(b"the node is not done")
    dut.application_reads(half.socket, b"the node is not done")


@inopportune
@requirement("MOPS-4.1-225", case=3)
def test_fin_ahead_of_lost_data_closes_nothing(case: Case, node: MobileNode, dut: Server, app: Application) -> None:
    """In FIN-WAIT-2 a FIN of the node, in front of which data was lost, is no end: at the new tuple both are taken."""
    needs_sequence_reading(case, "window")
    half = open_half(case, node, app)
    fin_wait_2(case, half)
    half.peer.send_lost(LOST)
    half.peer.finish()
    migrate(case, node, dut, half)
    half.peer.send_out_of_window(LOST, -len(LOST) - 1)
    dut.application_reads(half.socket, LOST)
    dut.acknowledges_all(half.peer, half.peer.transmit(half.peer.segment("FA", seq=half.peer.snd_nxt - 1)))


@valid
@requirement("MOPS-4.1-225", case=2)
def test_fin_lost_at_the_old_tuple_comes_to_the_new_one(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """A FIN of the server that was lost at the moment of the move is retransmitted to the new tuple."""
    half = open_half(case, node, app)
    half.peer.drop_incoming()
    since, asked_ns = case.mark(), case.clock.now_ns()
    half.socket.shut()
    if dut.await_segment(half.peer, since, lambda segment: "F" in segment.flags) is None:
        raise Inconclusive("preamble: the device sent no FIN")
    migrate(case, node, dut, half)
    dut.closes_at(half.peer, unanswered_since_ns=asked_ns)


@pytest.mark.parametrize(
    "reach",
    [closing, last_ack, left_by_the_application],
    ids=["CLOSING", "LAST-ACK", "left by the application"],
)
@inopportune
@requirement("MOPS-4.1-226", case=1)
def test_connection_at_its_end_migrates(
    case: Case, node: MobileNode, dut: Server, app: Application, reach: Callable[[Case, Half], None]
) -> None:
    """While a FIN is not acknowledged, or the application has left its socket, a Migrate is answered "success"."""
    half = open_half(case, node, app)
    reach(case, half)
    migrate(case, node, dut, half)


@pytest.mark.parametrize("reach", [closing, last_ack], ids=["CLOSING", "LAST-ACK"])
@invalid
@requirement("MOPS-4.1-226", case=2)
def test_spoilt_acknowledgement_ends_nothing(
    case: Case, node: MobileNode, dut: Server, app: Application, reach: Callable[[Case, Half], None]
) -> None:
    """An acknowledgement of the server's FIN whose checksum is wrong ends nothing: the connection migrates."""
    half = open_half(case, node, app)
    reach(case, half)
    transmit_spoilt(half.peer, half.peer.segment("A"))
    migrate(case, node, dut, half)


@inopportune
@requirement("MOPS-4.1-43", case=3)
def test_connection_that_the_server_has_closed_first_is_refused(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """In TIME-WAIT, when both FINs are acknowledged, a Migrate is refused."""
    half = open_half(case, node, app)
    fin_wait_2(case, half)
    with preamble():
        dut.acknowledges_all(half.peer, half.peer.finish())
    dut.barrier()
    node.move()
    request = node.send_migrate(half.connection)
    dut.answers(request, FAILED)
    dut.new_tuple_is_dead(half.connection, node.station, request.entries[0][1])


def time_wait(case: Case, dut: Server, half: Half) -> None:
    """The server has closed first, and both FINs are acknowledged; preamble."""
    fin_wait_2(case, half)
    with preamble():
        dut.acknowledges_all(half.peer, half.peer.finish())
    dut.barrier()


def rest(case: Case, node: MobileNode, dut: Server, app: Application) -> tuple[Half, Half]:
    """Two sessions in TIME-WAIT, of which the second has migrated."""
    stayed, moved = open_half(case, node, app), open_half(case, node, app)
    migrate(case, node, dut, moved)
    for half in (stayed, moved):
        time_wait(case, dut, half)
    return stayed, moved


def acknowledges_again(dut: Server, stayed: Half, moved: Half) -> None:
    """The FIN repeated is acknowledged at the new tuple; NotApplicable where it is not for the session that stayed."""
    try:
        dut.acknowledges_fin_again(stayed.peer)
    except Broken:
        raise NotApplicable("the device does not keep a connection in TIME-WAIT until then") from None
    dut.acknowledges_fin_again(moved.peer)


@valid
@requirement("MOPS-4.1-242", case=1)
def test_fin_repeated_after_the_close(case: Case, node: MobileNode, dut: Server, app: Application) -> None:
    """In TIME-WAIT at the new tuple the node's FIN, when it comes again, is acknowledged again and not reset."""
    acknowledges_again(dut, *rest(case, node, dut, app))


@waits(LINGER_S)
@valid
@requirement("MOPS-4.1-243", case=1)
def test_fin_repeated_seconds_after_the_close(case: Case, node: MobileNode, dut: Server, app: Application) -> None:
    """Five seconds after the close TIME-WAIT lasts at the new tuple, where it does at one that never migrated."""
    stayed, moved = rest(case, node, dut, app)
    case.wait_until(case.clock.now_ns() + round(LINGER_S * NANO))
    acknowledges_again(dut, stayed, moved)
