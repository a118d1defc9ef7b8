# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, codes 0 and 1: what happens to the entries that succeed when others fail."""

from dataclasses import dataclass

import pytest

from conformance.mops.dut.server import Server, require_fields
from conformance.mops.tester.mobile_node import MobileNode, Request, Session
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require


@dataclass
class Mixed:
    """A request with a bad entry among good ones."""

    request: Request
    good: list[Session]
    bad: Session
    entries: list[tuple[int, int, int]]


def sends_mixed(node: MobileNode, code: int, bad_position: int) -> Mixed:
    """Three connections, of which the one at `bad_position` carries a wrong sequence number."""
    sessions = [node.connects() for _ in range(3)]
    node.moves()
    entries = [node.entry(session) for session in sessions]
    previous, migrated, identifier = entries[bad_position]
    entries[bad_position] = (previous, migrated, (identifier + 2**31) % 2**32)
    request = node.sends(node.migrate(*sessions, code=code, entries=entries))
    good = [session for position, session in enumerate(sessions) if position != bad_position]
    return Mixed(request, good, sessions[bad_position], entries)


POSITIONS = pytest.mark.parametrize("bad", [0, 1, 2], ids=["first fails", "middle fails", "last fails"])


@POSITIONS
@invalid
@requirement("MOPS-4.1-52", case=1)
def test_best_effort_keeps_what_succeeded(node: MobileNode, server: Server, bad: int) -> None:
    """Under code 0 the entries that succeeded stay migrated when one fails."""
    mixed = sends_mixed(node, MIGRATE, bad)
    server.replies(mixed.request, FAILED)
    node.follows(mixed.request, *mixed.good)
    for session in mixed.good:
        server.serves(session)


@POSITIONS
@invalid
@requirement("MOPS-4.1-53", case=1)
def test_best_effort_leaves_what_failed(node: MobileNode, server: Server, bad: int) -> None:
    """Under code 0 the entry that failed stays at its old tuple, and nobody is at its new one."""
    mixed = sends_mixed(node, MIGRATE, bad)
    server.replies(mixed.request, FAILED)
    server.serves(mixed.bad)
    server.is_not_at(mixed.bad, node.station, mixed.entries[bad][1])


@valid
@requirement("MOPS-4.1-54", case=1)
def test_atomic_success_migrates_all(node: MobileNode, server: Server) -> None:
    """Under code 1 with every entry in order, all are migrated."""
    sessions = [node.connects() for _ in range(3)]
    node.moves()
    server.goes_along(node, node.migrate(*sessions, code=MIGRATE_ATOMIC), *sessions)


@POSITIONS
@invalid
@requirement("MOPS-4.1-55", case=1)
def test_atomic_failure_leaves_all_at_the_old_tuples(node: MobileNode, server: Server, bad: int) -> None:
    """After "failed" to a code 1 request every connection still carries data at its old tuple."""
    mixed = sends_mixed(node, MIGRATE_ATOMIC, bad)
    server.replies(mixed.request, FAILED)
    for session in [*mixed.good, mixed.bad]:
        server.serves(session)


@POSITIONS
@invalid
@requirement("MOPS-4.1-56", case=1)
def test_atomic_failure_leaves_the_new_tuples_dead(node: MobileNode, server: Server, bad: int) -> None:
    """After "failed" to a code 1 request nobody is at the new tuples."""
    mixed = sends_mixed(node, MIGRATE_ATOMIC, bad)
    server.replies(mixed.request, FAILED)
    migrated = {previous: new for previous, new, _ in mixed.entries}
    for session in mixed.good:
        server.is_not_at(session, node.station, migrated[session.peer.port])


@POSITIONS
@invalid
@requirement("MOPS-4.1-57", case=1)
def test_atomic_failure_lists_the_cause_only(node: MobileNode, server: Server, bad: int) -> None:
    """A failed reply to a code 1 request lists the entry that failed, not those rolled back because of it."""
    mixed = sends_mixed(node, MIGRATE_ATOMIC, bad)
    require_fields(server.replies(mixed.request, FAILED), entries=[mixed.entries[bad]])


@inopportune
@requirement("MOPS-4.1-70", case=1)
def test_previous_port_twice(node: MobileNode, server: Server) -> None:
    """Two entries with the same previous port: the connection lives at exactly one tuple."""
    session = node.connects()
    node.moves()
    entries = [node.entry(session), node.entry(session)]
    server.hears_out(node.sends(node.migrate(session, entries=entries)))
    tuples = [(node.home, session.peer.port), *((node.station, migrated) for _, migrated, _ in entries)]
    alive = server.ends_alive(session, tuples)
    require(len(alive) == 1, "tuples at which the connection lives", "exactly one", alive)


@inopportune
@requirement("MOPS-4.1-71", case=1)
def test_migrated_port_twice(node: MobileNode, server: Server, case: Case) -> None:
    """Two connections to one migrated tuple: at most one gets it, and both stay alive."""
    sessions = [node.connects(), node.connects()]
    node.moves()
    port = node.new_port()
    entries = [node.entry(session, migrated_port=port) for session in sessions]
    said = server.hears_out(node.sends(node.migrate(*sessions, entries=entries)))
    require(said != "success", "answer", "not success for both", said)
    places = []
    for session in sessions:
        alive = server.ends_alive(session, [(node.home, session.peer.port), (node.station, port)])
        require(len(alive) == 1, "tuples at which a connection lives", "exactly one", alive)
        places += alive
    require(len(set(places)) == 2, "tuples of the two connections", "different", places)
