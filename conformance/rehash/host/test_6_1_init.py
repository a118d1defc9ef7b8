# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.1, REHASH-INIT exchange: who starts it, how it is answered, when it ends."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.segment import RehashSegment
from conformance.rehash.tester.connection import init_deadline
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_init
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require, require_none
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.wire.capture import BEGINNING

ROUNDS_WITHOUT_INIT = 8
ANSWERS = 50
"""More than any host answers that counts them."""

OPENERS = pytest.mark.parametrize("opener", ["tester", "device"])


@valid
@requirement("REHASH-6.1-01", case=1)
def test_host_that_connects_sends_init(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """A host that opens a connection sends REHASH-INIT on the SYN, or later where it says so."""
    connection = node.accept_plainly(app)
    dut.serves(connection)
    deadline = init_deadline(case, case.clock.now_ns())
    first = dut.await_segment(connection.local, BEGINNING, lambda one: one.init, deadline)
    frames = [one.frame for one in dut.segments(connection.local)]
    require(first, "REHASH-INIT on a connection it opens", "some", "none", deadline, *frames)


@valid
@requirement("REHASH-6.1-02", case=1)
def test_init_is_on_the_syn(node: RehashHost, app: Application) -> None:
    """A host that opens a connection sends REHASH-INIT on the SYN."""
    node.expects_init_at_syn()
    syn = node.await_syn(app).syn
    require(syn.init, "REHASH-INIT on the SYN", "one", "none", syn.frame)


@valid
@requirement("REHASH-6.1-03", case=1)
def test_syn_with_init_is_answered(node: RehashHost, dut: DutHost) -> None:
    """A SYN with REHASH-INIT is answered with REHASH-INIT on the SYN-ACK or a later segment."""
    node.expects_init_at_syn()
    connection = node.half_open()
    acknowledged = node.send(connection.local, "A")
    dut.serves(connection)
    dut.answers_init(acknowledged)


@valid
@requirement("REHASH-6.1-04", case=1)
def test_syn_is_answered_on_the_syn_ack(node: RehashHost, dut: DutHost) -> None:
    """A SYN with REHASH-INIT is answered with REHASH-INIT on the SYN-ACK itself."""
    node.expects_init_at_syn()
    syn_ack = dut.segments(node.half_open().local)[0]
    require(syn_ack.init, "REHASH-INIT on the SYN-ACK", "one", "none", syn_ack.frame)


@pytest.mark.parametrize("data", [b"", b"with init"], ids=["acknowledgement", "data"])
@valid
@requirement("REHASH-6.1-05", case=1)
def test_init_on_an_established_connection_is_answered(node: RehashHost, dut: DutHost, data: bytes) -> None:
    """REHASH-INIT received on an established connection is answered with REHASH-INIT."""
    connection = node.connect_plainly()
    node.exchange(connection)
    dut.answers_init(node.send_init(connection, data))


@valid
@requirement("REHASH-6.1-05", case=2)
def test_late_init_makes_the_connection_movable(node: RehashHost, dut: DutHost) -> None:
    """A connection whose init exchange took place after establishment can be rehashed."""
    connection = node.connect_plainly()
    node.exchange(connection)
    node.exchange_init(connection)
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))


@OPENERS
@valid
@requirement("REHASH-6.1-06", case=1)
def test_init_from_either_side_is_answered(node: RehashHost, dut: DutHost, opener: str) -> None:
    """REHASH-INIT, after the handshake, of the peer that connected or was connected to completes the exchange."""
    connection = node.connect_plainly() if opener == "tester" else node.accept_plainly(dut.app)
    node.send_init(connection)
    dut.await_nonce(connection)
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))


@valid
@requirement("REHASH-6.1-07", case=1)
def test_inits_that_cross(node: RehashHost, dut: DutHost, app: Application) -> None:
    """REHASH-INIT of the tester that does not answer the device's, but crosses it, completes the exchange."""
    connection = node.accept_plainly(app)
    data = b"crossing"
    node.send_init(connection, data)
    dut.application_reads(connection.socket, data)
    dut.await_nonce(connection)
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))


@valid
@requirement("REHASH-6.1-08", case=1)
def test_connection_without_init_is_ordinary(node: RehashHost, dut: DutHost) -> None:
    """A connection on which the peer sends no REHASH-INIT carries data and closes like any other."""
    connection = node.connect_plainly()
    dut.serves(connection, data=bytes(range(256)) * 5)
    dut.serves(connection)
    dut.closes(connection.local, connection.local.finish().ns)


@exclusive
@valid
@requirement("REHASH-6.1-09", case=1)
def test_connection_without_init_is_not_announced(node: RehashHost, dut: DutHost, app: Application) -> None:
    """A host that moves sends no REHASH-ADDR on a connection on which the peer sent no REHASH-INIT."""
    plain, rehashing = node.connect_to(app, init=False), node.connect_to(app)
    move = dut.move()
    plain.socket.try_send(b"is this announced")
    rehashing.socket.send(b"I have moved")
    dut.await_rehash_addr(move, rehashing.local)
    dut.quiesce()
    announced = [one.frame for one in dut.segments(plain.local, move.mark) if one.rehash_addr]
    require_none("REHASH-ADDR without init exchange", announced)


@OPENERS
@valid
@requirement("REHASH-6.1-10", case=1)
def test_init_reissues_to_a_peer_without_init(node: RehashHost, dut: DutHost, case: Case, opener: str) -> None:
    """Reported: how often REHASH-INIT is sent to a peer that never sends one."""
    connection = node.connect_plainly() if opener == "tester" else node.accept_plainly(dut.app)
    for _ in range(case.setup.profile.ixit.rehash.init_reissues + ROUNDS_WITHOUT_INIT):
        dut.serves(connection)
    segments = dut.segments(connection.local)
    case.values["segments of the device"] = str(len(segments))
    case.values["with REHASH-INIT"] = str(sum(one.init is not None for one in segments))


@OPENERS
@valid
@requirement("REHASH-6.1-11", case=1)
def test_init_reissues_stop(node: RehashHost, dut: DutHost, case: Case, opener: str) -> None:
    """Reported: whether REHASH-INIT is still sent after the number of reissues that the profile states."""
    connection = node.connect_plainly() if opener == "tester" else node.accept_plainly(dut.app)
    for _ in range(1 + case.setup.profile.ixit.rehash.init_reissues):
        dut.serves(connection)
    mark = case.mark()
    for _ in range(ROUNDS_WITHOUT_INIT):
        dut.serves(connection)
    dut.quiesce()
    case.values["REHASH-INITs after that"] = str(
        sum(one.init is not None for one in dut.segments(connection.local, mark))
    )


@inopportune
@requirement("REHASH-6.1-12", case=1)
def test_repeated_init_changes_nothing(node: RehashHost, dut: DutHost) -> None:
    """REHASH-INIT that comes again with the same nonce leaves the connection as it is."""
    connection = node.connect()
    for _ in range(3):
        node.send_init(connection)
    dut.quiesce()
    dut.serves(connection)
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))


@inopportune
@requirement("REHASH-6.1-12", case=2)
def test_repeated_init_starts_no_endless_exchange(node: RehashHost, dut: DutHost) -> None:
    """REHASH-INIT that comes three times more is answered at most three times."""
    connection = node.connect()
    node.exchange(connection)
    dut.quiesce()
    first, *_ = [node.send_init(connection) for _ in range(3)]
    for _ in range(ROUNDS_WITHOUT_INIT):
        dut.serves(connection)
    dut.quiesce()
    frames = [one.frame for one in dut.segments(connection.local, first.mark) if one.init]
    require_none("REHASH-INITs beyond the third", frames[3:])


@inopportune
@requirement("REHASH-6.1-12", case=4)
@waits(2)
def test_hosts_that_answer_each_other_come_to_an_end(node: RehashHost, dut: DutHost) -> None:
    """Repeated REHASH-INIT whose every answer is answered again, as a device of the same kind does, comes to an end."""
    connection = node.connect()
    node.exchange(connection)
    dut.quiesce()
    answers: list[RehashSegment] = []
    while len(answers) < ANSWERS and (answer := dut.answer_to_init(node.send_init(connection))):
        answers.append(answer)
    for last in answers[-1:]:
        what = "REHASH-INITs that answer one another"
        require(len(answers) < ANSWERS, what, f"fewer than {ANSWERS}", len(answers), last.frame)
    dut.serves(connection)


@valid
@requirement("REHASH-6.1-12", case=3)
def test_answer_is_not_answered(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """After REHASH-INIT and its answer the device that began sends no further REHASH-INIT."""
    node.expects_init_at_syn()
    opening = node.await_syn(app)
    connection = node.accept(opening, rehash_init(opening.local))
    allowed = 1 + case.setup.profile.ixit.rehash.init_reissues
    for _ in range(allowed + ROUNDS_WITHOUT_INIT):
        dut.serves(connection)
    dut.quiesce()
    last = dut.segments(connection.local)[-allowed:]
    require_none("REHASH-INIT long after the exchange", [one.frame for one in last if one.init])


@inopportune
@requirement("REHASH-6.1-13", case=1)
def test_half_open_connection_is_not_moved(node: RehashHost, dut: DutHost) -> None:
    """REHASH-ADDR for a connection whose handshake is not complete does not move it."""
    node.expects_init_at_syn()
    connection = node.half_open()
    if connection.state.device_nonce is None:
        raise NotApplicable("the SYN-ACK carries no REHASH-INIT: before the handshake is complete there is no nonce")
    node.move()
    sent = node.send_rehash_addr(connection)
    dut.expect_silence(sent.end, sent.mark)
    connection.local.acknowledge()
    dut.does_not_rehash(connection, sent)
