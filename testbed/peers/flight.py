# SPDX-License-Identifier: GPL-2.0-or-later
"""How much a device sends at once: its congestion window as seen from outside (RFC 5681)."""

from collections.abc import Callable

from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.device.application import Socket
from testbed.device.upper_tester import Call
from testbed.interruptions import Inconclusive
from testbed.peers.connection import await_state
from testbed.peers.sequence import SEQUENCE_SPACE, after
from testbed.peers.stream import expect_stream
from testbed.peers.tcp import TcpPeer

BULK = 60_000
"""Bytes that the application sends to fill the window."""

PAUSE_S = 0.05
ROUNDS = 8
PAUSES_WITHOUT_DATA = 40


def initial_window(mss: int) -> int:
    """The most bytes that a connection may begin with (RFC 6928, section 2)."""
    return min(10 * mss, max(2 * mss, 14_600))


def open_window(case: Case, peer: TcpPeer, socket: Socket, enough: int) -> None:
    """The application sends in bulk until a flight is at least `enough` bytes, as preamble."""
    for _ in range(ROUNDS):
        start = len(peer.stream)
        flight, sending = _flight(case, peer, socket, enough)
        with preamble():
            expect_stream(case, peer, bytes(BULK), case.deadline(), start)
        sending.result()
        if flight >= enough:
            return
    raise Inconclusive("preamble: the device's window did not open")


def first_flight(
    case: Case, peer: TcpPeer, socket: Socket, barrier: Callable[[], None], meanwhile: int = 0, acknowledged: int = 0
) -> int:
    """How many bytes the device sends before any of them is acknowledged; the connection ends with that.

    `meanwhile` is how many segments the peer sends itself until then: data that acknowledges nothing new opens no
    window (RFC 5681, section 2). `acknowledged` is how many bytes are acknowledged at last after all, one at a time,
    each of which may open it by a segment (section 3.1); what is sent then counts too. After the `barrier` the device
    has dealt with all of them.
    """
    peer.read()
    start = peer.rcv_nxt
    flight, _ = _flight(case, peer, socket, BULK)
    for _ in range(meanwhile):
        peer.send(b".", ack=start)
    for number in range(acknowledged):
        peer.acknowledge(ack=(start + 1 + number) % SEQUENCE_SPACE)
    if meanwhile or acknowledged:
        barrier()
        case.watch(PAUSE_S)
        peer.read()
        flight = after(peer.rcv_nxt, start)
    peer.reset()
    return flight


def _flight(case: Case, peer: TcpPeer, socket: Socket, enough: int) -> tuple[int, Call]:
    """Bytes that come without any acknowledgement until there is a pause, and the application's call that sends them.

    Not longer than it takes to see `enough`: the device must not come to believe that they are lost.
    """
    peer.read()
    start = peer.rcv_nxt
    sending = socket.begin_send(bytes(BULK))
    flight = 0
    for _ in range(PAUSES_WITHOUT_DATA):
        before = flight
        await_state(case, peer, case.deadline(PAUSE_S), lambda: after(peer.rcv_nxt, start) >= enough)
        flight = after(peer.rcv_nxt, start)
        if flight >= enough or (flight and flight == before):
            return flight, sending
    raise Inconclusive("preamble: the device did not send")
