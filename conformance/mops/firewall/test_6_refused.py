# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: what a Migrate leaves that the server has refused or not answered."""

import pytest

from conformance.mops.claims import needs_opening_on_success
from conformance.mops.dut.firewall import Firewall
from conformance.mops.tester.crossing import RoamingNode
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC
from testbed import inopportune, requirement, valid
from testbed.case.case import Case

CROSSED = pytest.mark.parametrize("position", ["crossed"])
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "udp"])


@CROSSED
@pytest.mark.parametrize(
    ("transport", "answer"), [("tcp", "failed"), ("udp", "failed"), ("tcp", "failed, atomic"), ("tcp", "none")]
)
@inopportune
@requirement("MOPS-6-08", case=1)
def test_refused_migrate_opens_nothing(
    node: RoamingNode, dut: Firewall, case: Case, transport: str, answer: str
) -> None:
    """After a Migrate that failed, or that nobody answers, the session's data does not pass at the new tuple."""
    needs_opening_on_success(case)
    move = node.move(dut.connect(node, transport))
    code = MIGRATE_ATOMIC if "atomic" in answer else MIGRATE
    request = dut.ask(node, move, node.request(move, code=code))
    if answer != "none":
        dut.hear(node.server.reply(request, FAILED))
    dut.keeps_closed(node, move)


@CROSSED
@inopportune
@requirement("MOPS-6-08", case=2)
def test_second_refusal_opens_nothing(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """Nor do a second Migrate and its refusal, to the same tuple or after a success to another one."""
    needs_opening_on_success(case)
    session = dut.connect(node)
    dut.migrate(node, session)
    move = node.move(session)
    for _ in range(2):
        dut.hear(node.server.reply(dut.ask(node, move), FAILED))
    dut.keeps_closed(node, move)


@inopportune
@requirement("MOPS-6-08", case=3)
def test_refused_unseen_session_opens_nothing(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """A session that was opened elsewhere does not pass when its Migrate from the inside was refused."""
    needs_opening_on_success(case)
    move = node.move(node.bring())
    dut.hear(node.server.reply(dut.ask(node, move), FAILED))
    dut.keeps_closed(node, move)


@CROSSED
@inopportune
@requirement("MOPS-6-08", case=4)
def test_failed_atomic_migrate_opens_no_entry(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """An atomic Migrate of two sessions whose failed reply lists one of them opens neither."""
    needs_opening_on_success(case)
    move = node.move(dut.connect(node), dut.connect(node))
    request = dut.ask(node, move, node.request(move, code=MIGRATE_ATOMIC))
    dut.hear(node.server.reply(request, FAILED, entries=request.entries[:1]))
    dut.keeps_closed(node, move)


@CROSSED
@TRANSPORTS
@valid
@requirement("MOPS-6-68", case=1)
def test_refused_session_passes_where_it_was(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """After a refused Migrate the session passes both ways at the tuple that it has, at home and after a move."""
    session = dut.connect(node, transport)
    dut.hear(node.server.reply(dut.ask(node, node.move(session)), FAILED))
    dut.carries(session)
    dut.migrate(node, session)
    dut.hear(node.server.reply(dut.ask(node, node.move(session)), FAILED))
    dut.carries(session)


@CROSSED
@pytest.mark.parametrize("code", [FAILED, None], ids=["failed", "success"])
@valid
@requirement("MOPS-6-57", case=1)
def test_other_sessions_pass_as_before(node: RoamingNode, dut: Firewall, code: int | None) -> None:
    """Two other sessions of the node, with this server and from its port with another, pass when one has moved."""
    session, other = dut.connect(node), dut.connect(node)
    beside = RoamingNode(node.case, node.position)
    same_port = dut.connect(beside, place=session.place)
    request = dut.ask(node, move := node.move(session))
    dut.hear(node.server.reply(request, code) if code else node.server.reply(request))
    if code is None:
        move.follow()
    dut.carries(other, same_port)
