# SPDX-License-Identifier: GPL-2.0-or-later
"""How much a device sends at once: its congestion window as seen from outside."""

from conformance.rehash.host import Host
from conformance.rehash.node import Session
from conformance.rehash.peer import MSS
from testbed.case import Case
from testbed.tcp_peer import SEQUENCE_SPACE
from testbed.upper_tester import Call
from testbed.verdict import Inconclusive

INITIAL_WINDOW = 10 * MSS
"""RFC 6928: the most that a connection may begin with."""

BULK = 60_000
PAUSE_S = 0.05
ROUNDS = 8
PATIENCE = 40
"""Pauses without a byte until the tester gives up."""


def opens_the_window(case: Case, host: Host, session: Session) -> None:
    """The application sends in bulk until a flight is far larger than the initial window, as preamble."""
    peer = session.peer
    for _ in range(ROUNDS):
        start = peer.rcv_nxt
        flight, call = _flight(case, host, session)
        for _ in range(PATIENCE):
            peer.acknowledges()
            if _since(session, start) >= BULK:
                break
            case.watch(PAUSE_S / 10)
            peer.reads()
        call.result()
        session.taken = len(peer.stream)
        if flight > 2 * INITIAL_WINDOW:
            return
    raise Inconclusive("preamble: the device's window did not open", repeat=False)


def first_flight(case: Case, host: Host, session: Session) -> int:
    """How many bytes the device sends before any of them is acknowledged; the connection ends with that."""
    flight, _ = _flight(case, host, session)
    session.peer.resets()
    return flight


def _flight(case: Case, host: Host, session: Session) -> tuple[int, Call]:
    """Bytes that come until there is a pause, and the application's call that sends them."""
    peer = session.peer
    peer.reads()
    start = peer.rcv_nxt
    call = host.agent.ask("send", connection=session.connection, data=bytes(BULK).hex())
    flight = 0
    for _ in range(PATIENCE):
        case.watch(PAUSE_S)
        peer.reads()
        if flight and flight == _since(session, start):
            return flight, call
        flight = _since(session, start)
    raise Inconclusive("preamble: the device did not send")


def _since(session: Session, start: int) -> int:
    return (session.peer.rcv_nxt - start) % SEQUENCE_SPACE
