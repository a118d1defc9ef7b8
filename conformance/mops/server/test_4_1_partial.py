# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, codes 0 and 1: what happens to the entries that succeed when others fail."""

from dataclasses import dataclass

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.migrate import Entry, SentMigrate
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require


@dataclass
class Mixed:
    """A request with a bad entry among good ones."""

    request: SentMigrate
    good: list[Connection]
    bad: Connection
    entries: list[Entry]


def send_mixed(node: MobileNode, case: Case, code: int, bad: int) -> Mixed:
    """A request for three connections, in which entry `bad` carries a wrong number, of another kind at each place."""
    connections = [node.connect() for _ in range(3)]
    node.move()
    entries = [node.entry(connection) for connection in connections]
    entries[bad] = (*entries[bad][:2], wrong_number(case, connections[bad], bad))
    request = node.send_migrate(*connections, code=code, entries=entries)
    good = [connection for place, connection in enumerate(connections) if place != bad]
    return Mixed(request, good, connections[bad], entries)


POSITIONS = pytest.mark.parametrize("bad", [0, 1, 2], ids=["first fails", "middle fails", "last fails"])


@POSITIONS
@invalid
@requirement("MOPS-4.1-52", case=1)
def test_best_effort_keeps_what_succeeded(node: MobileNode, dut: Server, case: Case, bad: int) -> None:
    """Under code 0 the entries that succeeded stay migrated when one fails."""
    mixed = send_mixed(node, case, MIGRATE, bad)
    dut.reply_to(mixed.request, FAILED)
    node.rebind(mixed.request, *mixed.good)
    dut.serves(*mixed.good)


@POSITIONS
@invalid
@requirement("MOPS-4.1-53", case=2)
def test_best_effort_leaves_what_failed(node: MobileNode, dut: Server, case: Case, bad: int) -> None:
    """Under code 0 the entry that failed stays at its old tuple, and its new tuple has no connection."""
    mixed = send_mixed(node, case, MIGRATE, bad)
    dut.reply_to(mixed.request, FAILED)
    dut.leaves_alone(mixed.request, mixed.bad)


@valid
@requirement("MOPS-4.1-54", case=1)
def test_atomic_success_migrates_all(node: MobileNode, dut: Server) -> None:
    """Under code 1 with every entry right, all are migrated."""
    connections = [node.connect() for _ in range(3)]
    node.move()
    dut.accepts_migrate(node, node.request(*connections, code=MIGRATE_ATOMIC), *connections)


@POSITIONS
@invalid
@requirement("MOPS-4.1-55", "MOPS-4.1-56", case=2)
def test_atomic_failure_leaves_all_where_they_were(node: MobileNode, dut: Server, case: Case, bad: int) -> None:
    """After "failed" to a code 1 request the new tuples have no connection, and every old one carries data."""
    mixed = send_mixed(node, case, MIGRATE_ATOMIC, bad)
    dut.reply_to(mixed.request, FAILED)
    dut.leaves_alone(mixed.request, *mixed.good, mixed.bad)


@POSITIONS
@invalid
@requirement("MOPS-4.1-57", case=2)
def test_atomic_failure_lists_the_cause_or_all(node: MobileNode, dut: Server, case: Case, bad: int) -> None:
    """A failed reply to a code 1 request lists the entry that failed, or every entry: none of them has migrated."""
    mixed = send_mixed(node, case, MIGRATE_ATOMIC, bad)
    frame, reply = dut.reply_to(mixed.request, FAILED)
    allowed = [mixed.entries[bad]], mixed.entries
    require(reply.entries in allowed, "entries", f"{allowed[0]} or all", reply.entries, frame)


@inopportune
@requirement("MOPS-4.1-70", case=1)
def test_previous_port_twice(node: MobileNode, dut: Server) -> None:
    """Two entries with the same previous port: the connection lives at exactly one tuple."""
    connection = node.connect()
    node.move()
    entries = [node.entry(connection), node.entry(connection)]
    dut.collect_replies(node.send_migrate(connection, entries=entries).mark)
    tuples = [(node.home, connection.local.port), *((node.station, migrated) for _, migrated, _ in entries)]
    dut.lives_at_one(connection, tuples)


@inopportune
@requirement("MOPS-4.1-205", case=1)
def test_answer_about_a_previous_port_twice(node: MobileNode, dut: Server, case: Case) -> None:
    """The reply to two entries with the same previous port lists as failed those at whose tuples nobody is."""
    connection = node.connect()
    node.move()
    entries = [node.entry(connection), node.entry(connection)]
    frame, reply = dut.reply_to(node.send_migrate(connection, entries=entries))
    failed, deadline = reply.entries if reply.code == FAILED else [], case.deadline()
    alive = dut.live_tuples(connection, [(node.station, migrated) for _, migrated, _ in entries])
    dead = [entry for entry in entries if f"{node.address}:{entry[1]}" not in alive]
    require(failed == dead, "entries listed as failed", dead, failed, deadline, frame)


@inopportune
@requirement("MOPS-4.1-71", case=1)
def test_migrated_port_twice(node: MobileNode, dut: Server) -> None:
    """Two connections to one migrated tuple: at most one gets it, and both stay alive."""
    connections = [node.connect(), node.connect()]
    node.move()
    port = node.new_port()
    entries = [node.entry(connection, migrated_port=port) for connection in connections]
    request = node.send_migrate(*connections, entries=entries)
    answer = dut.collect_replies(request.mark)
    require(answer != "success", "answer", "not success for both", answer, request.sent.frame)
    places = [
        dut.lives_at_one(connection, [(node.home, connection.local.port), (node.station, port)])
        for connection in connections
    ]
    require(len(set(places)) == 2, "tuples of the two connections", "different", places, request.sent.frame)
