# SPDX-License-Identifier: GPL-2.0-or-later
"""How much a device sends at once: its congestion window as seen from outside."""

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import preamble
from conformance.rehash.tester.host import Session
from conformance.rehash.tester.peer import MSS
from testbed.case.case import Case
from testbed.device.upper_tester import Call
from testbed.interruptions import Inconclusive
from testbed.peers.tcp import SEQUENCE_SPACE
from testbed.wire.capture import Frame
from testbed.wire.clock import Deadline

INITIAL_WINDOW = 10 * MSS
"""RFC 6928: the most that a connection may begin with."""

BULK = 60_000
PAUSE_S = 0.05
ROUNDS = 8
PATIENCE = 40
"""Pauses without a byte until the tester gives up."""


def opens_the_window(case: Case, host: Host, session: Session) -> None:
    """The application sends in bulk until a flight is far larger than the initial window, as preamble."""
    for _ in range(ROUNDS):
        flight, call = _flight(case, host, session, 2 * INITIAL_WINDOW)
        with preamble():
            host.delivers(session, bytes(BULK), case.clock.now_ns())
        call.result()
        if flight >= 2 * INITIAL_WINDOW:
            return
    raise Inconclusive("preamble: the device's window did not open")


def first_flight(case: Case, host: Host, session: Session) -> int:
    """How many bytes the device sends before any of them is acknowledged; the connection ends with that."""
    flight, _ = _flight(case, host, session, BULK)
    session.peer.reset()
    return flight


def _flight(case: Case, host: Host, session: Session, enough: int) -> tuple[int, Call]:
    """Bytes that come without any acknowledgement until there is a pause, and the application's call that sends them.

    Not longer than it takes to see `enough`: the device must not come to believe that they are lost.
    """
    peer = session.peer
    peer.read()
    start = peer.rcv_nxt
    call = host.agent.ask("send", connection=session.connection, data=bytes(BULK).hex())
    flight = 0

    def grown() -> Frame | None:
        news = peer.read()
        return news[-1] if (peer.rcv_nxt - start) % SEQUENCE_SPACE >= enough else None

    for _ in range(PATIENCE):
        before = flight
        case.look(grown, Deadline(case.clock.now_ns(), PAUSE_S))
        flight = (peer.rcv_nxt - start) % SEQUENCE_SPACE
        if flight >= enough or (flight and flight == before):
            return flight, call
    raise Inconclusive("preamble: the device did not send")
