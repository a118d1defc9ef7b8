# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: what passes after a Migrate and its success."""

import pytest

from conformance.mops.claims import needs_inward_port, needs_opening_on_success
from conformance.mops.dut.firewall import Firewall
from conformance.mops.tester.crossing import RoamingNode
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.peers.stream import most_data

POSITIONS = [
    pytest.param("inside", id="node inside", marks=requirement("MOPS-6-06")),
    pytest.param("outside", id="node outside", marks=requirement("MOPS-6-40")),
]
BOTH = pytest.mark.parametrize("position", ["inside", "outside"])
CROSSED = pytest.mark.parametrize("position", ["crossed"])


@pytest.mark.parametrize("position", POSITIONS)
@valid
@requirement(case=1)
def test_session_passes_at_the_migrated_tuple(node: RoamingNode, dut: Firewall) -> None:
    """After the success segments pass at the migrated tuple both ways, whoever speaks first."""
    for first in ("server", "node"):
        session = dut.connect(node)
        dut.lets_migrate(node, node.move(session))
        dut.carries(session, first=first)


@BOTH
@valid
@requirement("MOPS-6-78", case=1)
def test_flow_passes_at_the_migrated_tuple(node: RoamingNode, dut: Firewall) -> None:
    """After the success datagrams pass at the migrated tuple both ways, whoever speaks first."""
    for first in ("server", "node"):
        flow = dut.connect(node, "udp")
        dut.lets_migrate(node, node.move(flow))
        dut.carries(flow, first=first)


@valid
@requirement("MOPS-6-06", case=2)
def test_atomic_migrate_opens_all_its_entries(node: RoamingNode, dut: Firewall) -> None:
    """After the success of an atomic Migrate of three sessions all of them pass."""
    sessions = [dut.connect(node) for _ in range(3)]
    dut.lets_migrate(node, node.move(*sessions), MIGRATE_ATOMIC)
    dut.carries(*sessions)


@pytest.mark.parametrize("position", ["outside"])
@valid
@requirement("MOPS-6-40", case=3)
def test_full_segments_pass_at_the_migrated_tuple(node: RoamingNode, dut: Firewall) -> None:
    """Segments as long as the path takes pass at the migrated tuple both ways, with timestamps and permitted SACK."""
    session = dut.connect(node, timestamps=True)
    dut.lets_migrate(node, node.move(session))
    for one, other in (session.connection[::-1], session.connection):
        dut.delivers(one, other, bytes(most_data(one) - 12))


@pytest.mark.parametrize("position", POSITIONS)
@inopportune
@requirement(case=4)
def test_success_opens_after_forged_answers(node: RoamingNode, dut: Firewall) -> None:
    """Answers of another host, or with other entries, leave the Migrate open for the server's own answer."""
    session, stranger = dut.connect(node), node.server.side.station()
    move = node.move(session)
    request = dut.ask(node, move)
    for code in (FAILED, SUCCESS):
        node.server.send(request, node.server.reply_message(request, code), stranger)
        node.server.reply(request, code, entries=[(old, new ^ 1, number) for old, new, number in request.entries])
    dut.passes(node.server.reply(request))
    move.follow()
    dut.carries(session)


@valid
@requirement("MOPS-6-40", case=5)
@pytest.mark.parametrize("position", ["outside"])
def test_session_opened_from_outside_passes(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """A session that the node outside has opened to a port that the policy opens passes at its migrated tuple."""
    session = dut.new_session(node, port=needs_inward_port(case))
    with preamble():
        dut.opens(session, session.node)
        dut.carries(session)
    dut.lets_migrate(node, node.move(session))
    dut.carries(session)


@CROSSED
@pytest.mark.parametrize("failing", [1, 2], ids=["second", "last"])
@valid
@requirement("MOPS-6-42", case=1)
def test_entries_not_listed_as_failed_pass(node: RoamingNode, dut: Firewall, failing: int) -> None:
    """Of three entries, one of which the failed reply lists, the two others pass."""
    sessions = [dut.connect(node) for _ in range(3)]
    move = node.move(*sessions)
    request = dut.ask(node, move)
    dut.hear(node.server.reply(request, FAILED, entries=[request.entries[failing]]))
    others = [number for number in range(3) if number != failing]
    move.follow(*others)
    dut.carries(*[sessions[number] for number in others])


@CROSSED
@pytest.mark.parametrize("failing", [(1,), (0, 2)], ids=["second", "others"])
@inopportune
@requirement("MOPS-6-41", case=1)
def test_entries_listed_as_failed_stay_closed(
    node: RoamingNode, dut: Firewall, case: Case, failing: tuple[int, ...]
) -> None:
    """Of three entries those stay closed that the failed reply lists."""
    needs_opening_on_success(case)
    sessions = [dut.connect(node) for _ in range(3)]
    move = node.move(*sessions)
    request = dut.ask(node, move)
    dut.hear(node.server.reply(request, FAILED, entries=[request.entries[number] for number in failing]))
    dut.keeps_closed(node, move, *failing)


@CROSSED
@valid
@requirement("MOPS-6-70", case=1)
def test_as_many_entries_as_a_packet_carries_pass(node: RoamingNode, dut: Firewall) -> None:
    """Of a Migrate that fills a packet the first, the middle and the last entry pass; the others are unknown."""
    sessions = [dut.connect(node) for _ in range(3)]
    move = node.move(*sessions)
    request = dut.ask(node, move, node.full_request(move))
    dut.hear(node.server.reply(request))
    move.follow()
    dut.carries(*sessions)


@valid
@requirement("MOPS-6-70", case=2)
def test_many_sessions_pass(node: RoamingNode, dut: Firewall) -> None:
    """Thirty-two sessions that one Migrate lists pass after its success."""
    sessions = [dut.connect(node) for _ in range(32)]
    dut.lets_migrate(node, node.move(*sessions))
    dut.carries(*sessions)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@valid
@requirement("MOPS-6-13", case=1)
def test_unseen_session_of_a_node_inside_passes(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """A session that was opened elsewhere passes at its migrated tuple after the success, whoever speaks first."""
    for first in ("server", "node"):
        session = node.bring(transport)
        dut.lets_migrate(node, node.move(session))
        dut.carries(session, first=first)


@valid
@requirement("MOPS-6-13", case=2)
def test_several_unseen_sessions_pass(node: RoamingNode, dut: Firewall) -> None:
    """Three sessions that one node has brought along pass after the success of one Migrate."""
    sessions = [node.bring()]
    sessions += [node.bring(elsewhere=sessions[0].place.station) for _ in range(2)]
    dut.lets_migrate(node, node.move(*sessions))
    dut.carries(*sessions)


@valid
@requirement("MOPS-6-13", case=3)
def test_unseen_session_moves_on(node: RoamingNode, dut: Firewall) -> None:
    """A session that was opened elsewhere passes after its second move, too, now within the inside."""
    session = node.bring()
    dut.migrate(node, session)
    dut.lets_migrate(node, node.move(session))
    dut.carries(session)
