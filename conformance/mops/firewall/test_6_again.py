# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: repeats, further moves, and what was recorded."""

import pytest

from conformance.mops.claims import needs_opening_on_success
from conformance.mops.dut.firewall import Firewall
from conformance.mops.tester.crossing import Move, RoamingNode
from layers.mops import SUCCESS
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.interruptions import Inconclusive
from testbed.wire.clock import NANO

CROSSED = pytest.mark.parametrize("position", ["crossed"])
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "udp"])
LATE_S, TOO_LATE_S = 6.0, 9.0
"""Of the ten seconds in which a reply may come: when the tester sends it, and when it is too late for a verdict."""


@CROSSED
@TRANSPORTS
@valid
@requirement("MOPS-6-66", case=1)
def test_further_moves_open_like_the_first(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """After its second and its third move the session passes at the newest tuple both ways."""
    session = dut.connect(node, transport)
    dut.migrate(node, session)
    for _ in range(2):
        dut.lets_migrate(node, node.move(session))
        dut.carries(session)


@CROSSED
@valid
@requirement("MOPS-6-66", case=2)
def test_session_passes_where_it_has_come_back_to(node: RoamingNode, dut: Firewall) -> None:
    """A session that goes back to the tuple where it was opened passes there both ways."""
    session = dut.connect(node)
    home = session.place
    dut.migrate(node, session)
    dut.lets_migrate(node, node.return_to(session, home))
    dut.carries(session)


@CROSSED
@valid
@requirement("MOPS-6-65", case=1)
def test_the_same_move_again_opens_again(node: RoamingNode, dut: Firewall) -> None:
    """An idle session that moves there, back, and there again passes, though messages are repeated byte for byte."""
    session = dut.connect(node)
    home, away = session.place, node.new_place()
    for place in (away, home, away):
        dut.lets_migrate(node, Move([session], [place], [session.place]))
    dut.carries(session)


@CROSSED
@pytest.mark.parametrize("back", [True, False], ids=["back home", "moved on"])
@inopportune
@requirement("MOPS-6-67", case=1)
def test_success_of_an_earlier_move_opens_nothing(node: RoamingNode, dut: Firewall, case: Case, back: bool) -> None:
    """The success of the first move, sent again after the second one, does not open the tuple of the first."""
    needs_opening_on_success(case)
    session = dut.connect(node)
    home, move = session.place, node.move(session)
    request = dut.ask(node, move)
    dut.hear(node.server.reply(request))
    move.follow()
    dut.use(session)
    second = node.return_to(session, home) if back else node.move(session)
    dut.hear(node.server.reply(dut.ask(node, second)))
    second.follow()
    node.server.reply(request)
    dut.message_barrier()
    dut.stays_closed(node, session, move.places[0])
    dut.carries(session)


@CROSSED
@valid
@requirement("MOPS-6-69", case=1)
def test_repeats_and_their_replies_pass(node: RoamingNode, dut: Firewall) -> None:
    """A Migrate that is sent four times comes out four times, three replies come out, and the session passes."""
    session = dut.connect(node)
    move = node.move(session)
    for _ in range(4):
        request = node.migrate(move)
        dut.passes(request.sent)
    for _ in range(3):
        dut.passes(node.server.reply(request, SUCCESS))
    move.follow()
    dut.carries(session)


@CROSSED
@valid
@requirement("MOPS-6-69", case=2)
def test_repeat_after_the_success_passes(node: RoamingNode, dut: Firewall) -> None:
    """A node that has not got the success repeats its Migrate: that and the second success pass, and the session."""
    session = dut.connect(node)
    move = node.move(session)
    for _ in range(2):
        request = node.migrate(move)
        dut.passes(request.sent)
        dut.passes(node.server.reply(request, SUCCESS))
    move.follow()
    dut.carries(session)


@waits(LATE_S)
@CROSSED
@valid
@requirement("MOPS-6-69", case=3)
def test_late_reply_passes(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """A success that comes six seconds after the Migrate passes, and opens the tuple."""
    session = dut.connect(node)
    move = node.move(session)
    request = dut.ask(node, move)
    for second in range(2, int(LATE_S) + 1, 2):
        case.wait_until(request.sent.ns + second * NANO)
        dut.use(session)
        dut.fresh_ns = case.clock.now_ns()
    reply = node.server.reply(request, SUCCESS)
    if reply.ns - request.sent.ns > TOO_LATE_S * NANO:
        raise Inconclusive("the tester replied too late")
    dut.passes(reply)
    move.follow()
    dut.carries(session)
