# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "send a new Migrate SYN with the earlier token": what the device sends when it moves."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.segment import MIGRATE_LENGTH
from conformance.migrate.tester.connection import Connection
from conformance.migrate.tester.host import MigrateHost
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require, require_none
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.wire.clock import NANO

OPENED = pytest.mark.parametrize("opened", ["by the tester", "by the device"])
PADDING = {0, 1}
ON_ITS_WAY_NS = 200_000_000
"""What the device has sent before it has seen a reset comes within this."""


def open_connection(node: MigrateHost, app: Application, opened: str) -> Connection:
    """A connection that can migrate: of the usual variant, or of that which the device offers."""
    return node.accept_from(app) if opened == "by the device" else node.connect_to(app)


@OPENED
@exclusive
@valid
@requirement("MIGRATE-2-09", case=1)
def test_every_connection_is_asked_for(node: MigrateHost, dut: DutNode, app: Application, opened: str) -> None:
    """After a move a Migrate SYN comes from the new address for each connection that can migrate."""
    connections = [open_connection(node, app, opened) for _ in range(2)]
    move = dut.move()
    for connection in connections:
        syn, option = dut.requests(connection, move)
        require(option.length == MIGRATE_LENGTH, "length of Migrate", MIGRATE_LENGTH, option.length, syn.frame)


@exclusive
@valid
@requirement("MIGRATE-2-09", case=2)
def test_twenty_connections_are_asked_for(node: MigrateHost, dut: DutNode) -> None:
    """Of twenty connections that can migrate none is left out."""
    connections = node.as_many_as_open(node.connect, 20)
    move = dut.move()
    for connection in connections:
        dut.requests(connection, move)


@OPENED
@exclusive
@valid
@requirement("MIGRATE-2-10", "MIGRATE-3-03", case=1)
def test_token_of_the_migrate_syn(node: MigrateHost, dut: DutNode, app: Application, opened: str) -> None:
    """The Token of a Migrate SYN is the hash of the initial numbers, the opener's first, and the key."""
    connection = open_connection(node, app, opened)
    syn, option = dut.await_request(connection, dut.move())
    expected = connection.known.token.hex()
    require(option.token.hex() == expected, "Token", expected, option.token.hex(), syn.frame)


@OPENED
@exclusive
@valid
@requirement("MIGRATE-3-05", case=1)
def test_request_of_the_migrate_syn(node: MigrateHost, dut: DutNode, app: Application, opened: str) -> None:
    """The Request of a Migrate SYN is the hash of initial numbers, key, its sequence number and its ReqNo."""
    connection = open_connection(node, app, opened)
    dut.serves(connection)
    syn, option = dut.await_request(connection, dut.move())
    expected = connection.known.request(syn.seq, option.number).hex()
    require(option.request.hex() == expected, "Request", expected, option.request.hex(), syn.frame)


@exclusive
@valid
@requirement("MIGRATE-3-05", case=2)
def test_request_of_the_second_migrate_syn(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """The Request of the second migration has the second one's number and ReqNo in it."""
    connection = node.connect_to(app)
    dut.complete_move(node, connection)
    syn, option = dut.await_request(connection, dut.move())
    expected = connection.known.request(syn.seq, option.number).hex()
    require(option.request.hex() == expected, "Request", expected, option.request.hex(), syn.frame)


@exclusive
@valid
@requirement("MIGRATE-3-04", case=1)
def test_number_grows_with_every_move(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """ReqNo is larger with the second and the third move, as numbers of 7 bits are, for each of two connections."""
    connections = [node.connect_to(app), node.connect_to(app)]
    last: dict[int, int] = {}
    for _ in range(3):
        move = dut.move()
        for number, connection in enumerate(connections):
            syn, option = dut.await_request(connection, move)
            grown = (option.reqno - last.get(number, option.reqno - 1)) % 128
            require(0 < grown < 64, "ReqNo", f"larger than {last.get(number)}", option.reqno, syn.frame)
            last[number] = option.reqno
            dut.resumes(node, connection, move, syn)


@exclusive
@valid
@requirement("MIGRATE-option-01", case=1)
def test_no_other_segment_has_migrate(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """Migrate stands on SYNs alone, before, during and after a migration with data under way."""
    connection = node.connect_to(app)
    dut.serves(connection)
    dut.complete_move(node, connection)
    kind = case.setup.profile.ixit.migrate.option_kind
    wrong = [one for one in dut.segments(connection.local) if one.migrate(kind) and one.flags != "S"]
    require_none("segments with Migrate that are no SYN", [one.frame for one in wrong])


@exclusive
@valid
@requirement("MIGRATE-option-02", case=1)
def test_preload_is_not_set(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """The Preload flag of the device's Migrate is 0, at the second move too."""
    connection = node.connect_to(app)
    syn, option = dut.complete_move(node, connection)
    require(not option.is_preload, "Preload", 0, 1, syn.frame)
    syn, option = dut.await_request(connection, dut.move())
    require(not option.is_preload, "Preload", 0, 1, syn.frame)


@OPENED
@exclusive
@valid
@requirement("MIGRATE-requesting-03", case=1)
def test_migrate_syn_has_no_other_option(node: MigrateHost, dut: DutNode, app: Application, opened: str) -> None:
    """The Migrate SYN has no option but Migrate, padding aside."""
    connection = open_connection(node, app, opened)
    syn, option = dut.await_request(connection, dut.move())
    kinds = [one.kind for one in syn.options if one.kind not in PADDING]
    require(kinds == [option.raw[0]], "kinds of options of the Migrate SYN", [option.raw[0]], kinds, syn.frame)


@pytest.mark.parametrize("what", ["nothing sent", "acknowledged", "outstanding"])
@exclusive
@valid
@requirement("MIGRATE-requesting-02", case=1)
def test_number_of_the_migrate_syn(node: MigrateHost, dut: DutNode, app: Application, case: Case, what: str) -> None:
    """The Migrate SYN has the number of the device's byte that was acknowledged last, whatever is outstanding."""
    connection = node.connect_to(app)
    if what != "nothing sent":
        dut.serves(connection)
        connection.local.acknowledge()
        dut.barrier()
    acknowledged = connection.local.rcv_nxt
    if what == "outstanding":
        connection.local.drop_incoming()
        connection.socket.send(b"nobody acknowledges this")
        dut.barrier()
    syn, _ = dut.await_request(connection, dut.move())
    less = 1 if case.setup.profile.ixit.migrate.syn_number == "acknowledged" else 0
    expected = (acknowledged - less) % SEQUENCE_SPACE
    require(syn.seq == expected, "sequence number of the Migrate SYN", expected, syn.seq, syn.frame)


@exclusive
@valid
@requirement("MIGRATE-2-19", case=1)
@waits(1)
def test_unanswered_migrate_syn_is_repeated(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """A Migrate SYN that nobody answers is sent again: the same number, ReqNo, Token and Request."""
    connection = node.connect_to(app)
    syn, option = dut.await_request(connection, dut.move())
    again, repeated = dut.repeats(connection, syn)
    expected, seen = (syn.seq, option.raw.hex()), (again.seq, repeated.raw.hex())
    require(seen == expected, "number and Migrate of the repeated SYN", expected, seen, again.frame, syn.frame)


@exclusive
@valid
@requirement("MIGRATE-2-19", case=2)
@waits(3)
def test_application_sees_that_it_was_given_up(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """When Migrate SYNs are given up the application sees an error or the end."""
    numbers = case.setup.profile.ixit.migrate
    if numbers.give_up_s is None:
        raise NotApplicable(f"{case.setup.profile.path}: ixit.migrate.give_up_s is not stated")
    connection = node.connect_to(app)
    move = dut.move()
    dut.await_request(connection, move)
    case.wait_until(move.done_ns + round(numbers.give_up_s * NANO))
    within_s = numbers.give_up_s + numbers.migrate_within_s + case.setup.profile.ixit.tcp_within_s
    dut.reports_the_end(connection.socket, within_s, move.done_ns)


@OPENED
@exclusive
@inopportune
@requirement("MIGRATE-2-22", case=1)
def test_reset_ends_the_connection(node: MigrateHost, dut: DutNode, app: Application, case: Case, opened: str) -> None:
    """A reset in answer to the Migrate SYN ends the connection: the application sees an error or the end."""
    connection = open_connection(node, app, opened)
    move = dut.move()
    syn, _ = dut.await_request(connection, move)
    end = connection.local
    end.follow_remote(move.new, move.mark)
    end.remote_port = syn.source_port
    reset = node.send_segment(end, 0, "RA", [], ack=(syn.seq + 1) % SEQUENCE_SPACE)
    ixit = case.setup.profile.ixit
    within_s = ixit.tcp_within_s + (ixit.migrate.wait_s or 0.0)
    known_ns = dut.reports_the_end(connection.socket, within_s, reset.ns)
    dut.quiesce()
    sent = [one.frame for one in dut.segments(end, case.trace.mark_after(reset.frame))]
    frames = [one for one in sent if one.ns > known_ns + ON_ITS_WAY_NS]
    require_none("segments after the reset", frames)
