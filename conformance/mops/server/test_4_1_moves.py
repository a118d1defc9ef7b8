# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: more than one move, and what others do around a move."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import HALF_THE_SPACE, is_refused
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, invalid, requirement, valid, waits
from testbed.case.case import Case
from testbed.interruptions import NotApplicable
from testbed.peers.sequence import SEQUENCE_SPACE


@waits(11)
@valid
@requirement("MOPS-4.1-209", case=1)
def test_journeys_between_two_places(case: Case, node: MobileNode, dut: Server) -> None:
    """A node that goes away, comes home, and goes to the same place again keeps its connection."""
    connection = node.connect()
    away, home = (case.station(), node.new_port()), (node.home, connection.local.port)
    for station, port in (away, home, away):
        node.rest()
        node.return_to(station)
        message = node.request(connection, entries=[node.entry(connection, migrated_port=port)])
        dut.accepts_migrate(node, message, connection)


@waits(6)
@inopportune
@requirement("MOPS-4.1-219", case=1)
def test_late_retransmission_of_an_earlier_move_changes_nothing(node: MobileNode, dut: Server) -> None:
    """A retransmission of move one that arrives after move two moves nothing, whatever is answered."""
    connection = node.connect()
    first = node.migrate(connection)
    node.rest()
    node.migrate(connection)
    again = node.send(first.message)
    dut.collect_replies(again.mark)
    dut.is_nowhere_else(connection)
    dut.serves(connection)


@waits(6)
@invalid
@requirement("MOPS-4.1-220", case=1)
def test_recorded_migrate_does_not_move_a_later_connection(node: MobileNode, dut: Server) -> None:
    """A Migrate recorded from an earlier connection does not move a later one on the same tuple."""
    first = node.connect()
    port, service = first.local.port, first.local.remote_port
    recorded = node.migrate(first)
    following = (first.local.snd_nxt + HALF_THE_SPACE // 2) % SEQUENCE_SPACE
    first.local.reset()
    dut.barrier()
    node.rest()
    node.return_to(node.home)
    second = Connection(node.new_peer(port, service, following))
    if not dut.takes_new_connection(second.local):
        raise NotApplicable("the device lets a tuple that was left rest for a while")
    assert is_refused(second, recorded.entries[0][2])
    node.return_to(recorded.station)
    again = node.send(recorded.message)
    dut.collect_replies(again.mark)
    dut.leaves_alone(again, second)


@pytest.mark.parametrize("when", ["before a move", "after a move"])
@invalid
@requirement("MOPS-4.1-231", case=1)
def test_unannounced_address_is_nobody(case: Case, node: MobileNode, dut: Server, when: str) -> None:
    """The connection's own next data from an address that no Migrate has named reaches nothing."""
    connection = node.connect()
    if when == "after a move":
        node.migrate(connection)
    dut.new_tuple_is_dead(connection, case.station(), connection.local.port)
    dut.new_tuple_is_dead(connection, connection.local.station, node.new_port())
    dut.serves(connection)


@inopportune
@requirement("MOPS-4.1-232", case=1)
def test_syn_at_the_migrated_tuple_ends_nothing(node: MobileNode, dut: Server) -> None:
    """A SYN from the migrated tuple, as of a node that has started anew, does not end the connection."""
    connection = node.connect()
    node.migrate(connection)
    end = connection.local.at(connection.local.station)
    end.transmit(end.segment("S", seq=(end.snd_nxt + HALF_THE_SPACE) % SEQUENCE_SPACE))
    dut.barrier()
    dut.serves(connection)


@valid
@requirement("MOPS-4.1-230", case=1)
def test_old_and_new_address_are_served_otherwise_as_before(node: MobileNode, dut: Server) -> None:
    """After a move new connections from both of the node's addresses are accepted, and older ones continue."""
    connection, other = node.connect(), node.connect()
    port = connection.local.port
    node.migrate(connection)
    dut.accepts_new_connection(node.new_peer())
    node.return_to(node.home)
    dut.accepts_new_connection(node.new_peer())
    dut.accepts_new_connection(node.new_peer(port - 1))
    dut.serves(other, connection)


@waits(6)
@valid
@requirement("MOPS-4.1-218", case=1)
@pytest.mark.parametrize("code", [0, MIGRATE_ATOMIC], ids=["best-effort", "atomic"])
def test_what_was_refused_migrates_later(node: MobileNode, dut: Server, code: int) -> None:
    """What a failed command has not moved, or has rolled back, migrates by the next one after the interval."""
    connections = [node.connect() for _ in range(3)]
    node.move()
    entries = [node.entry(connection) for connection in connections]
    wrong = [(previous, migrated, number + HALF_THE_SPACE) for previous, migrated, number in entries]
    wrong = [(previous, migrated, number % SEQUENCE_SPACE) for previous, migrated, number in wrong]
    mixed = [entries[0], wrong[1], wrong[2]] if code else wrong
    first = node.send_migrate(*connections, code=code, entries=mixed)
    dut.reply_to(first, FAILED)
    node.rest()
    dut.accepts_migrate(node, node.request(*connections), *connections)


@waits(6)
@valid
@requirement("MOPS-4.1-216", case=1)
def test_migrated_connection_stays_where_it_is(case: Case, node: MobileNode, dut: Server) -> None:
    """When the time for replies and the interval are over, a migrated connection is still there, and was not told
    anything else."""
    connection = node.connect()
    node.move()
    request = node.send_migrate(connection)
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)
    dut.stays_silent(request, case.setup.profile.ixit.mops.reply_within_s)
    node.rest()
    dut.sends_no_flags(connection, request.mark, "SFR")
    dut.serves(connection)
    dut.is_nowhere_else(connection)


@waits(2)
@invalid
@requirement("MOPS-4.1-217", case=1)
def test_refused_connection_stays_where_it_is(case: Case, node: MobileNode, dut: Server) -> None:
    """What was refused has not moved when the time for replies is over either."""
    connection = node.connect()
    request = node.move_and_send(connection, connection.local.snd_nxt + HALF_THE_SPACE)
    dut.answers(request, FAILED)
    dut.stays_silent(request, case.setup.profile.ixit.mops.reply_within_s)
    dut.leaves_alone(request, connection)
