# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "Negotiate the migration support option during initial connection establishment": the device accepts."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.segment import MigrateSegment
from conformance.migrate.tester.connection import Connection
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.keys import NO_POINT, Keys
from conformance.migrate.tester.opener import Variant
from layers.migrate import KEY_PART
from layers.tcp_options import of_length
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require, require_none
from testbed.peers.connection import half_open
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TcpPeer

VARIANTS = pytest.mark.parametrize("variant", Variant, ids=str)


def ordinary(node: MigrateHost, dut: DutNode, peer: TcpPeer) -> None:
    """The connection works, and is none that a Migrate SYN moves."""
    connection, identity = Connection(peer), node.identity_of(peer)
    dut.serves(connection)
    node.move()
    sent = node.send_migrate(connection, identity=identity)
    dut.does_not_move(connection, sent)


@VARIANTS
@valid
@requirement("MIGRATE-2-02", case=1)
def test_syn_ack_permits_what_the_syn_does(node: MigrateHost, dut: DutNode, case: Case, variant: Variant) -> None:
    """A SYN with Migrate-Permitted is answered by a SYN-ACK with it, of the same length and Curve ID."""
    node.needs(variant)
    keys = Keys() if variant is Variant.SECURE else None
    _, answer = node.offer(*node.permitted(keys))
    numbers = case.setup.profile.ixit.migrate
    found = answer.permitted(numbers.permitted_kind)
    expected = (20, numbers.curve) if keys else (3, 0)
    require(found and found.length == expected[0], "length in the SYN-ACK", expected[0], found, answer.frame)
    require(found and found.curve == expected[1], "Curve ID in the SYN-ACK", expected[1], found, answer.frame)


@valid
@requirement("MIGRATE-2-03", case=1)
def test_syn_ack_permits_nothing_unasked(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """A SYN without Migrate-Permitted is answered by a SYN-ACK without it, by a device that otherwise permits it."""
    connection = node.connect_plainly()
    answer = node.syn_ack_of(connection.local)
    found = answer.permitted(case.setup.profile.ixit.migrate.permitted_kind)
    require(not found, "Migrate-Permitted in the SYN-ACK", "none", found, answer.frame)
    dut.serves(connection)
    dut.moves_an_ordinary_connection()


@VARIANTS
@valid
@requirement("MIGRATE-2-04", case=1)
def test_no_other_segment_permits(node: MigrateHost, dut: DutNode, case: Case, variant: Variant) -> None:
    """The segments of a connection after its SYN-ACK, and after a migration, carry no Migrate-Permitted."""
    connection = node.connect(variant=variant)
    node.exchange(connection)
    node.migrate(connection)
    dut.serves(connection)
    kind = case.setup.profile.ixit.migrate.permitted_kind
    ends = [*connection.previous, connection.local]
    later = [one for end in ends for one in dut.segments(end) if "S" not in one.flags and one.permitted(kind)]
    require_none("segments with Migrate-Permitted", [one.frame for one in later])


@invalid
@requirement("MIGRATE-2-04", case=2)
def test_permitted_on_a_later_segment_is_ignored(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """Migrate-Permitted on the ACK and on data does not make a connection migrateable."""
    node.needs(Variant.INSECURE)
    peer = node.new_peer()
    half_open(case, peer)
    option = node.permitted()
    peer.send(flags="A", options=option)
    peer.send(b"", flags="A", options=option)
    ordinary(node, dut, peer)


@valid
@requirement("MIGRATE-2-05", case=1)
def test_connection_without_permission_never_migrates(node: MigrateHost, dut: DutNode) -> None:
    """A connection whose SYN has no Migrate-Permitted works, and a Migrate SYN for it is refused and moves nothing."""
    connection = node.connect_plainly()
    node.move()
    sent = node.send_migrate(connection, identity=node.identity_of(connection.local))
    dut.resets(sent)
    dut.does_not_move(connection, sent)


@pytest.mark.parametrize("length", [2, 4, 19, 24])
@invalid
@requirement("MIGRATE-2-06", case=1)
def test_permitted_of_another_length_negotiates_nothing(
    node: MigrateHost, dut: DutNode, case: Case, length: int
) -> None:
    """Migrate-Permitted of a length other than 3 and 20 is not answered: an ordinary connection, or a reset."""
    option = of_length(bytes(node.permitted()[0]), length)
    peer, answer = node.offer(option)
    if answer.is_reset:
        return
    found = answer.permitted(case.setup.profile.ixit.migrate.permitted_kind)
    require(not found, "Migrate-Permitted in the SYN-ACK", "none", found, answer.frame)
    peer.acknowledge()
    ordinary(node, dut, peer)


@invalid
@requirement("MIGRATE-2-06", case=2)
def test_permitted_of_length_3_with_a_curve(node: MigrateHost, dut: DutNode) -> None:
    """Migrate-Permitted of length 3 that names a curve makes no connection that migrates without a key."""
    node.needs(Variant.SECURE)
    peer, answer = node.offer(*node.permitted(curve=1))
    if not answer.is_reset:
        peer.acknowledge()
        ordinary(node, dut, peer)


@VARIANTS
@valid
@requirement("MIGRATE-2-07", case=1)
def test_retransmitted_syn_ack_permits_the_same(node: MigrateHost, dut: DutNode, case: Case, variant: Variant) -> None:
    """The SYN-ACK to a repeated SYN carries the same Migrate-Permitted, key included, as the first."""
    node.needs(variant)
    options = node.permitted(Keys() if variant is Variant.SECURE else None)
    peer, first = node.offer(*options)
    mark = case.mark()
    peer.snd_nxt = (first.ack - 1) % SEQUENCE_SPACE
    peer.start(*options)
    again = dut.await_segment(peer, mark, lambda one: "S" in one.flags)
    with preamble():
        require(again, "answer to the repeated SYN", "a SYN-ACK", again, case.deadline())
    assert again
    same_permission(case, first, again)


def same_permission(case: Case, first: MigrateSegment, again: MigrateSegment) -> None:
    """Both segments carry the same option and, where it has a key, the same timestamps."""
    kind = case.setup.profile.ixit.migrate.permitted_kind
    expected, seen = first.permitted(kind), again.permitted(kind)
    same = expected and seen and expected.raw == seen.raw and (not expected.is_secure or expected.key == seen.key)
    require(same, "Migrate-Permitted sent again", expected, seen, again.frame, first.frame)


@pytest.mark.parametrize("what", ["unknown curve", "no point", "no timestamps"])
@invalid
@requirement("MIGRATE-2-08", case=1)
def test_secure_offer_that_cannot_be_met(node: MigrateHost, dut: DutNode, case: Case, what: str) -> None:
    """A curve that the server does not know, a key that is no point, or half a key: no secure option, or a reset."""
    key = NO_POINT if what == "no point" else Keys().public
    numbers = case.setup.profile.ixit.migrate
    unknown = {"curve": numbers.curve ^ 0x80 or 0x81} if what == "unknown curve" else {}
    stamps, option = node.permitted_with(key, **unknown)
    options = [option] if what == "no timestamps" else [stamps, option]
    peer, answer = node.offer(*options, clock=int.from_bytes(key[KEY_PART:-4]))
    if answer.is_reset:
        return
    found = answer.permitted(numbers.permitted_kind)
    is_secure = found is not None and found.is_secure
    require(not is_secure, "Migrate-Permitted in the SYN-ACK", "none that is secure", found, answer.frame)
    peer.timestamps = bool(answer.stamps)
    peer.acknowledge()
    ordinary(node, dut, peer)


@inopportune
@requirement("MIGRATE-2-05", case=2)
def test_many_connections_migrate_only_where_permitted(node: MigrateHost, dut: DutNode) -> None:
    """Of two connections of one peer the one that permits it migrates, and the other stays."""
    permitted, plain = node.connect(), node.connect_plainly()
    node.migrate(permitted)
    sent = node.send_migrate(plain, identity=node.identity_of(plain.local))
    dut.resets(sent)
    dut.serves(permitted, plain)
