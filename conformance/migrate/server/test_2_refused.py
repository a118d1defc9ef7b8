# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2: Migrate SYNs that move nothing, whatever they name."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.connection import Connection, Identity
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.opener import Variant
from layers.tcp_options import of_length
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import LATER_S, Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.wire import chance

VARIANTS = pytest.mark.parametrize("variant", Variant, ids=str)


@pytest.mark.parametrize("what", ["unknown", "one bit"])
@invalid
@requirement("MIGRATE-2-15", case=1)
def test_unknown_token_is_reset(node: MigrateHost, dut: DutNode, what: str) -> None:
    """A Migrate SYN whose Token names no connection gets a reset, and moves nothing."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    token = connection.known.token
    wrong = chance.token_bytes(8) if what == "unknown" else token[:7] + bytes([token[7] ^ 1])
    sent = node.send_migrate(connection, token=wrong)
    dut.resets(sent)
    dut.does_not_move(connection, sent)


@inopportune
@requirement("MIGRATE-2-15", case=2)
def test_token_of_a_former_connection_is_reset(node: MigrateHost, dut: DutNode, app: Application) -> None:
    """A Migrate SYN with the Token of a connection that both sides have closed gets a reset."""
    connection = node.connect_to(app)
    dut.serves(connection)
    connection.local.finish()
    dut.quiesce()
    connection.socket.close()
    dut.sends_fin(connection)
    connection.local.read()
    connection.local.acknowledge()
    dut.barrier()
    node.move()
    dut.resets(node.send_migrate(connection))
    dut.moves_an_ordinary_connection()


@invalid
@requirement("MIGRATE-2-15", case=3)
def test_no_number_of_guesses_is_taken(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """Fifty guessed Tokens get resets, and the connection continues; how many were answered is reported."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    rate = case.setup.profile.ixit.mops.guess_rate_per_s
    mark = case.mark()

    sent = [
        case.send_paced(rate, lambda: node.send_migrate(connection, token=chance.token_bytes(8)).sent)
        for _ in range(50)
    ]
    dut.quiesce()
    came = dut.segments(connection.local.at(node.station), mark)
    case.values["resets for 50 guesses"] = str(len(came))
    for segment in came:
        require(segment.is_reset, f"answer to {len(sent)} guesses", "resets", segment, segment.frame)
    dut.serves(connection)
    dut.moves_an_ordinary_connection()


@pytest.mark.parametrize("length", [2, 18, 20, 32])
@invalid
@requirement("MIGRATE-2-17", case=1)
def test_migrate_of_another_length_moves_nothing(node: MigrateHost, dut: DutNode, length: int) -> None:
    """A SYN with a Migrate option of a length other than 19 moves nothing."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    number = node.syn_number(connection.local)
    option = of_length(bytes(node.migrate_option(connection.known, number, connection.known.next_reqno())), length)
    end = connection.local.at(node.station)
    sent = node.send_segment(end, number, "S", [option])
    dut.is_no_move(connection, sent)


@pytest.mark.parametrize("flags", ["A", "PA", "FA", "SA", "R"])
@invalid
@requirement("MIGRATE-2-17", case=2)
def test_migrate_on_another_segment_moves_nothing(node: MigrateHost, dut: DutNode, flags: str) -> None:
    """The Migrate option on a segment that is no SYN, or has an ACK beside it, moves nothing."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    data = b"with Migrate" if flags == "PA" else b""
    dut.is_no_move(connection, node.send_migrate(connection, flags=flags, data=data))


@inopportune
@requirement("MIGRATE-2-18", case=1)
def test_migrate_to_another_port_is_refused(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """A Migrate SYN to another port that listens gets a reset, and moves nothing."""
    if case.setup.profile.ixit.migrate.token_at == "host":
        raise NotApplicable(f"{case.setup.profile.path}: ixit.migrate.token_at is host")
    connection = node.connect()
    node.exchange(connection)
    node.move()
    sent = node.send_migrate(connection, remote_port=app.listen().port)
    dut.resets(sent)
    dut.serves(connection)
    dut.moves_an_ordinary_connection()


@VARIANTS
@invalid
@requirement("MIGRATE-3-06", case=1)
def test_wrong_request_is_reset(node: MigrateHost, dut: DutNode, variant: Variant) -> None:
    """A Migrate SYN with the right Token, a larger ReqNo and a random Request gets a reset."""
    connection = node.connect(variant=variant)
    node.move()
    dut.resets(node.send_migrate(connection, request=chance.token_bytes(8)))
    dut.moves_an_ordinary_connection()


ALTERED = pytest.mark.parametrize("what", ["Ni", "Na", "K", "S", "ReqNo", "one bit"])


def altered(node: MigrateHost, connection: Connection, what: str) -> bytes:
    """The Request of a Migrate SYN of which one thing hashed is another."""
    known, number = connection.known, node.syn_number(connection.local)
    reqno, other = known.next_reqno(), Identity(known.ni, known.na, known.key)
    if what == "Ni":
        other.ni = (known.ni + 1) % SEQUENCE_SPACE
    elif what == "Na":
        other.na = (known.na + 1) % SEQUENCE_SPACE
    elif what == "K":
        other.key = known.key[:-1] + bytes([known.key[-1] ^ 1])
    right = other.request((number + (what == "S")) % SEQUENCE_SPACE, reqno + (what == "ReqNo"))
    return right[:7] + bytes([right[7] ^ 1]) if what == "one bit" else right


@ALTERED
@invalid
@requirement("MIGRATE-3-07", case=1)
def test_wrong_request_disturbs_nothing(node: MigrateHost, dut: DutNode, what: str) -> None:
    """A Request of which one thing hashed is another gets a reset; the connection continues where it is."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    sent = node.send_migrate(connection, request=altered(node, connection, what))
    dut.resets(sent)
    dut.does_not_move(connection, sent)


@invalid
@requirement("MIGRATE-3-07", case=2)
def test_wrong_request_moves_nothing_later(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """Nor has a wrong Request moved the connection half a second later."""
    connection = node.connect(variant=Variant.INSECURE)
    node.exchange(connection)
    node.move()
    sent = node.send_migrate(connection, request=chance.token_bytes(8))
    case.watch(LATER_S)
    dut.does_not_move(connection, sent)


@invalid
@requirement("MIGRATE-3-07", case=3)
def test_no_number_of_wrong_requests_moves(node: MigrateHost, dut: DutNode) -> None:
    """Of three wrong Requests, with another ReqNo each time, none moves the connection."""
    connection = node.connect()
    node.exchange(connection)
    for reqno in (1, 2, 3):
        node.move()
        sent = node.send_migrate(connection, reqno=reqno, request=chance.token_bytes(8))
        dut.resets(sent)
        dut.does_not_move(connection, sent, f"still here {reqno}".encode())


@invalid
@requirement("MIGRATE-3-07", case=4)
def test_wrong_request_after_a_migration(node: MigrateHost, dut: DutNode) -> None:
    """After a migration a wrong Request gets a reset too, and the connection continues at its new address."""
    connection = node.connect()
    node.migrate(connection)
    dut.serves(connection)
    node.move()
    sent = node.send_migrate(connection, request=chance.token_bytes(8))
    dut.resets(sent)
    dut.does_not_move(connection, sent)


@valid
@requirement("MIGRATE-processing-03", case=1)
def test_refused_request_uses_no_number_up(node: MigrateHost, dut: DutNode) -> None:
    """After a refused Migrate SYN with ReqNo 40 the honest one with ReqNo 1 is served."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    dut.resets(node.send_migrate(connection, reqno=40, request=chance.token_bytes(8)))
    node.move()
    dut.follows(node, connection, node.send_migrate(connection, reqno=1))


@valid
@requirement("MIGRATE-processing-03", case=2)
def test_refused_request_uses_no_number_up_after_a_migration(node: MigrateHost, dut: DutNode) -> None:
    """After a migration, too, a refused Migrate SYN with a much larger ReqNo uses none up."""
    connection = node.connect()
    node.migrate(connection)
    attacker = node.move()
    dut.resets(node.send_migrate(connection, reqno=50, request=chance.token_bytes(8)))
    node.move()
    assert node.station is not attacker
    dut.follows(node, connection, node.send_migrate(connection))


@invalid
@requirement("MIGRATE-2-15", case=4)
def test_plain_syn_at_the_connections_port_is_none_of_its_own(node: MigrateHost, dut: DutNode) -> None:
    """A SYN without Migrate from elsewhere opens a connection of its own, and leaves the migrated one alone."""
    connection = node.connect()
    node.migrate(connection)
    node.move()
    other = node.connect()
    dut.serves(other, connection)
