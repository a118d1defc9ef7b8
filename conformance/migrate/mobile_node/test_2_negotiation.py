# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, "Negotiate the migration support option during initial connection establishment": the device opens."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.connection import Connection, Opening
from conformance.migrate.tester.host import MigrateHost
from conformance.migrate.tester.keys import Keys, is_point
from layers.migrate import KEY_PART
from layers.tcp_options import of_length
from testbed import exclusive, inopportune, invalid, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require, require_none
from testbed.device.application import Application
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers import connection as tcp_connection
from testbed.peers.sequence import SEQUENCE_SPACE


@valid
@requirement("MIGRATE-2-01", case=1)
def test_syn_permits_migration(node: MigrateHost, app: Application, case: Case) -> None:
    """The device's SYN carries Migrate-Permitted of the variant that the profile names, well-formed."""
    numbers = case.setup.profile.ixit.migrate
    syn = node.await_syn(app).syn
    found = syn.permitted(numbers.permitted_kind)
    expected = (20, numbers.curve) if numbers.offers == "secure" else (3, 0)
    seen = (found.length, found.curve) if found else None
    require(seen == expected, "length and Curve ID of Migrate-Permitted", expected, seen, syn.frame)
    if found and found.is_secure:
        require(is_point(found.key), "Key Data", "a point of the curve", found.key.hex(), syn.frame)


@valid
@requirement("MIGRATE-2-04", case=3)
def test_no_other_segment_permits(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """On a connection that the device opens no segment but the SYN carries Migrate-Permitted."""
    connection = node.accept_from(app)
    dut.serves(connection)
    kind = case.setup.profile.ixit.migrate.permitted_kind
    later = [one for one in dut.segments(connection.local) if "S" not in one.flags and one.permitted(kind)]
    require_none("segments with Migrate-Permitted", [one.frame for one in later])


@exclusive
@valid
@requirement("MIGRATE-2-05", case=3)
def test_connection_without_permission_is_not_asked_for(
    node: MigrateHost, dut: DutNode, app: Application, case: Case
) -> None:
    """A connection whose SYN-ACK permits nothing works, and after a move no Migrate SYN is sent for it."""
    plain, permitted = node.accept_plainly(app), node.connect_to(app)
    dut.serves(plain)
    move = dut.move()
    dut.await_request(permitted, move)
    dut.quiesce()
    kind = case.setup.profile.ixit.migrate.option_kind
    frames = [one.frame for one in dut.segments(plain.local, move.mark) if one.migrate(kind)]
    require_none("Migrate SYNs for a connection that permits none", frames)


@pytest.mark.parametrize("length", [2, 4, 19])
@exclusive
@invalid
@requirement("MIGRATE-2-06", case=3)
def test_permitted_of_another_length_permits_nothing(
    node: MigrateHost, dut: DutNode, app: Application, case: Case, length: int
) -> None:
    """A SYN-ACK with Migrate-Permitted of a length other than 3 and 20: an ordinary connection, or a reset."""
    permitted, opening = node.connect_to(app), node.await_syn(app)
    try:
        tcp_connection.accept(case, opening.local, opening.syn, of_length(bytes(node.permitted()[0]), length))
    except Inconclusive:
        if opening.local.state == "RESET":
            return
        raise
    plain = Connection(opening.local, application=opening.connecting.socket())
    dut.serves(plain)
    move = dut.move()
    dut.await_request(permitted, move)
    dut.quiesce()
    kind = case.setup.profile.ixit.migrate.option_kind
    frames = [one.frame for one in dut.segments(plain.local, move.mark) if one.migrate(kind)]
    require_none("Migrate SYNs for a connection that permits none", frames)


@valid
@requirement("MIGRATE-2-07", case=2)
@waits(3)
def test_retransmitted_syn_permits_the_same(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """A SYN that nobody answers is retransmitted with the same Migrate-Permitted, key included."""
    opening = node.await_syn(app)
    mark, deadline = case.trace.mark_after(opening.syn.frame), case.deadline(5.0, opening.syn.frame.ns)
    again = dut.await_segment(opening.local, mark, lambda one: "S" in one.flags, deadline)
    if again is None:
        raise NotApplicable("the device does not retransmit its SYN within 5 s")
    kind = case.setup.profile.ixit.migrate.permitted_kind
    first, second = opening.syn.permitted(kind), again.permitted(kind)
    same = first and second and first.raw == second.raw and first.key == second.key
    require(same, "Migrate-Permitted sent again", first, second, again.frame, opening.syn.frame)


@valid
@requirement("MIGRATE-3-02", case=2)
def test_keys_are_points_and_fresh(node: MigrateHost, app: Application, case: Case) -> None:
    """The keys of several SYNs of the device are points of the curve, no two of them the same."""
    if case.setup.profile.ixit.migrate.offers != "secure":
        raise NotApplicable(f"{case.setup.profile.path}: ixit.migrate.offers is insecure")
    seen: list[bytes] = []
    for _ in range(3):
        opening = node.await_syn(app)
        key = node.device_permitted(opening).key
        require(is_point(key), "Key Data", "a point of the curve", key.hex(), opening.syn.frame)
        require(key not in seen, "Key Data", "another one for each connection", key.hex(), opening.syn.frame)
        seen.append(key)


def fails(opening: Opening, case: Case) -> None:
    """The application's connection does not open."""
    deadline = case.deadline()
    try:
        opening.connecting.socket()
    except OperationFailed:
        return
    raise Broken(Finding("the application's connection", "an error", "a connection"), deadline)


@pytest.mark.parametrize("what", ["another curve", "the other variant"])
@invalid
@requirement("MIGRATE-exchange-01", case=1)
def test_another_curve_ends_the_connection(
    node: MigrateHost, dut: DutNode, app: Application, case: Case, what: str
) -> None:
    """A SYN-ACK with another Curve ID than the SYN gets a reset, and the application an error."""
    opening = node.await_syn(app)
    device = node.device_permitted(opening)
    numbers = case.setup.profile.ixit.migrate
    if what == "the other variant":
        options = node.permitted(None if device.is_secure else Keys())
    else:
        options = node.permitted_with(Keys().public, curve=numbers.curve ^ 0x80 or 0x81)
    mark = case.mark()
    sent = opening.local.accept(opening.syn, *options)
    deadline = case.deadline(since_ns=sent.ns)
    found = dut.await_segment(opening.local, mark, lambda one: "S" not in one.flags, deadline)
    seen = str(found or "silence")
    if found is None:
        raise Broken(Finding("answer to the SYN-ACK", "a reset", seen), deadline, sent.frame)
    require(found.is_reset, "answer to the SYN-ACK", "a reset", seen, found.frame, sent.frame)
    expected = opening.local.rcv_nxt
    require(found.seq == expected, "number of the reset", expected, found.seq, found.frame)
    fails(opening, case)


@valid
@requirement("MIGRATE-timestamps-01", case=2)
def test_key_is_no_timestamp(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """Timestamps smaller than the end of the key in the SYN-ACK are no reason to drop a segment."""
    if case.setup.profile.ixit.migrate.offers != "secure":
        raise NotApplicable(f"{case.setup.profile.path}: ixit.migrate.offers is insecure")
    opening, keys = node.await_syn(app), Keys()
    stamp = int.from_bytes(keys.public[KEY_PART:-4])
    connection = node.accept(opening, keys)
    opening.local.clock = (stamp - (1 << 30)) % SEQUENCE_SPACE
    dut.serves(connection)


@valid
@requirement("MIGRATE-timestamps-02", case=1)
def test_end_of_the_key_is_echoed(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """The segment after a SYN-ACK with a key echoes its TSval, the end of that key."""
    if case.setup.profile.ixit.migrate.offers != "secure":
        raise NotApplicable(f"{case.setup.profile.path}: ixit.migrate.offers is insecure")
    opening, keys = node.await_syn(app), Keys()
    connection = node.accept(opening, keys)
    segment = next(one for one in dut.segments(connection.local) if "S" not in one.flags)
    expected, seen = keys.public[KEY_PART:-4].hex(), segment.stamps[4:].hex()
    require(seen == expected, "TSecr of the next segment", expected, seen, segment.frame)


@inopportune
@requirement("MIGRATE-2-27", case=2)
def test_reset_closes_an_ordinary_connection(node: MigrateHost, dut: DutNode, app: Application, case: Case) -> None:
    """A reset ends a connection that the device has opened and that cannot migrate, as ever."""
    plain = node.accept_plainly(app)
    dut.serves(plain)
    since = dut.reset_by_its_peer(plain, judged=True)
    dut.reports_the_end(plain.socket, case.setup.profile.ixit.tcp_within_s, since)
    permitted = node.accept_from(app)
    since = dut.reset_by_its_peer(permitted)
    dut.still_waits(since)
