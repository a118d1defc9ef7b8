# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: a migrated session is followed on: windows, its end, its timers."""

import pytest

from conformance.mops.claims import needs_timer
from conformance.mops.dut.firewall import Firewall
from conformance.mops.migrate import off_by_one
from conformance.mops.tester.crossing import Flow, Place, RoamingNode
from layers.mops import FAILED
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TcpPeer
from testbed.wire.clock import NANO

CROSSED = pytest.mark.parametrize("position", ["crossed"])
FAR = 1 << 30
MARGIN_S = 0.5
"""How much later than a timer's end a session must be forgotten: a table may be looked through now and then."""


def _outside_end(node: RoamingNode, session: Flow, place: Place) -> TcpPeer:
    end = session.server_to(place) if node.position == "inside" else session.node_at(place)
    assert isinstance(end, TcpPeer)
    return end


@CROSSED
@inopportune
@requirement("MOPS-6-49", case=1)
def test_stray_segments_end_no_migrated_session(node: RoamingNode, dut: Firewall) -> None:
    """After segments from the outside, far outside the window, at the old tuple and the new, the session passes."""
    session = dut.connect(node)
    dut.migrate(node, session)
    for place in (session.left[-1], session.place):
        end = _outside_end(node, session, place)
        for flags, data in (("PA", b"stray"), ("FA", b""), ("R", b""), ("RA", b"")):
            end.transmit(end.segment(flags, data, seq=(end.snd_nxt + FAR) % SEQUENCE_SPACE))
    dut.barrier()
    dut.carries(session)


@CROSSED
@valid
@requirement("MOPS-6-49", case=2)
def test_windows_go_on_after_a_move(node: RoamingNode, dut: Firewall) -> None:
    """Ten segments of a window that the other end has announced before the move pass at the migrated tuple."""
    session = dut.connect(node)
    dut.migrate(node, session, used=False)
    for one, other in (session.connection[::-1], session.connection):
        for number in range(10):
            dut.passes(one.send(bytes([number]) * 1000))
        other.read()
        dut.passes(other.acknowledge())
        one.read()


@CROSSED
@pytest.mark.parametrize("kind", ["finish", "reset"])
@waits(3)
@inopportune
@requirement("MOPS-6-51", case=1)
def test_rule_ends_with_the_connection(node: RoamingNode, dut: Firewall, case: Case, kind: str) -> None:
    """When the migrated connection has ended, and its time is over, its next data from the outside does not pass."""
    seconds = needs_timer(case, "firewall_ended_s")
    session = dut.connect(node)
    dut.migrate(node, session)
    with preamble():
        _end(dut, session, kind)
    ended_ns = case.clock.now_ns()
    case.wait_until(ended_ns + round((seconds + MARGIN_S) * NANO))
    dut.stays_closed(node, session, session.place)


def _end(dut: Firewall, session: Flow, kind: str) -> None:
    """Both ends finish, or one resets the other."""
    one, other = session.connection
    if kind == "reset":
        dut.passes(one.reset())
        return
    for end, far in ((one, other), (other, one)):
        dut.passes(end.finish())
        far.read()
    dut.passes(one.acknowledge())


@CROSSED
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@waits(4)
@valid
@requirement("MOPS-6-52", case=1)
def test_migrated_session_lasts_as_long_as_any(node: RoamingNode, dut: Firewall, case: Case, transport: str) -> None:
    """Of a session of which nothing has passed since the success, data passes after four fifths of the timer."""
    seconds = needs_timer(case, "firewall_idle_s")
    session = dut.connect(node, transport)
    dut.migrate(node, session, used=False)
    began_ns = case.clock.now_ns()
    case.wait_until(began_ns + round(0.8 * seconds * NANO))
    dut.fresh_ns = now_ns = case.clock.now_ns()
    if now_ns > began_ns + round(0.9 * seconds * NANO):
        raise Inconclusive("the tester was late to send")
    dut.carries(session)


@CROSSED
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@waits(5)
@inopportune
@requirement("MOPS-6-53", case=1)
def test_migrated_session_is_forgotten_like_any(node: RoamingNode, dut: Firewall, case: Case, transport: str) -> None:
    """Of a session of which nothing has passed for longer than the timer, data from the outside does not pass."""
    seconds = needs_timer(case, "firewall_idle_s")
    session = dut.connect(node, transport)
    dut.migrate(node, session)
    case.wait_until(case.clock.now_ns() + round((seconds + MARGIN_S) * NANO))
    dut.stays_closed(node, session, session.place)


@CROSSED
@waits(5)
@inopportune
@requirement("MOPS-6-73", case=1)
def test_refused_messages_prolong_nothing(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """A migrated session is forgotten as soon as another one, though messages name it that come to nothing."""
    seconds = needs_timer(case, "firewall_idle_s")
    session, control = dut.connect(node), dut.connect(node)
    dut.migrate(node, session, control)
    began_ns = case.clock.now_ns()
    case.wait_until(began_ns + round(0.6 * seconds * NANO))
    move = node.move(session)
    node.server.agree_unasked(move, node.request(move))
    node.send(move, off_by_one(bytes(node.request(move))))
    dut.hear(node.server.reply(dut.ask(node, move), FAILED))
    dut.message_barrier()
    case.wait_until(began_ns + round((seconds + MARGIN_S) * NANO))
    if dut.tells(dut.inward(node, control, control.place)) == "passes":
        raise NotApplicable("another session has outlasted the timer, too")
    dut.blocks(dut.inward(node, session, session.place))
