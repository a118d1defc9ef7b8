# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Timing and retransmission by server: the interval in which a second command is discarded.

Times are in intervals, `mops.rate_limit_s` of the profile (the draft recommends 5 s).
"""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.migrate import SentMigrate
from conformance.mops.tester.mobile_node import Connection, MobileNode
from conformance.mops.tester.numbers import wrong_number
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case

INSIDE = 0.9
AFTER = 1.1
DEFAULT_S = 5
"""The interval that the draft recommends."""


def send_wrong(node: MobileNode, case: Case, connection: Connection) -> SentMigrate:
    """Send an attempt with a wrong sequence number."""
    return node.send_migrate(connection, entries=[node.entry(connection, identifier=wrong_number(case, connection))])


def send_failing(node: MobileNode, dut: Server, case: Case, connection: Connection) -> SentMigrate:
    """An attempt with a wrong sequence number, which starts the interval; preamble."""
    request = send_wrong(node, case, connection)
    dut.reply_to(request, FAILED)
    return request


@inopportune
@requirement("MOPS-4.1-72", case=2)
def test_second_command_is_discarded(node: MobileNode, dut: Server) -> None:
    """A second command for the same previous address and port is silently discarded and changes nothing."""
    connection = node.connect()
    home, port, identifier = node.home, connection.local.port, connection.local.snd_nxt
    first = node.migrate(connection)
    node.move()
    entry = (port, node.new_port(), identifier)
    second = node.send_migrate(entries=[entry], previous_source=home.address)
    node.check_in_time(second, first, 1)
    dut.discards(second, connection)


@waits(2)
@inopportune
@requirement("MOPS-4.1-72", case=3)
def test_second_command_is_not_answered_later(node: MobileNode, dut: Server, case: Case) -> None:
    """Nor is it answered in the whole time that a reply may take."""
    connection = node.connect()
    node.move()
    first = send_failing(node, dut, case, connection)
    second = node.send_migrate(connection)
    node.check_in_time(second, first, 1)
    dut.stays_silent(second, case.setup.profile.ixit.mops.reply_within_s)


@inopportune
@requirement("MOPS-4.1-73", case=1)
@waits(INSIDE * DEFAULT_S)
def test_command_shortly_before_the_end_is_discarded(node: MobileNode, dut: Server, case: Case) -> None:
    """A command sent when nine tenths of the interval have passed is still discarded."""
    connection = node.connect()
    node.move()
    first = send_failing(node, dut, case, connection)
    node.wait(first, INSIDE)
    second = node.send_migrate(connection)
    node.check_in_time(second, first, 1)
    dut.stays_silent(second)


@valid
@requirement("MOPS-4.1-74", case=1)
@waits(AFTER * DEFAULT_S)
def test_command_after_the_interval_is_served(node: MobileNode, dut: Server, case: Case) -> None:
    """A command sent after the interval is answered and takes effect."""
    connection = node.connect()
    node.move()
    first = send_failing(node, dut, case, connection)
    node.wait(first, AFTER)
    second = node.send_migrate(connection)
    dut.answers(second, SUCCESS)
    node.rebind(second, connection)
    dut.serves(connection)


@valid
@requirement("MOPS-4.1-75", case=1)
def test_other_port_is_not_limited(node: MobileNode, dut: Server, case: Case) -> None:
    """A command for another previous port of the same address is served inside the interval."""
    limited, other = node.connect(), node.connect()
    node.move()
    first = send_failing(node, dut, case, limited)
    second = node.send_migrate(other)
    node.check_in_time(second, first, 1)
    dut.answers(second, SUCCESS)


@valid
@requirement("MOPS-4.1-76", case=1)
def test_other_address_is_not_limited(node: MobileNode, dut: Server, case: Case) -> None:
    """A command for the same previous port of another address is served inside the interval."""
    limited = node.connect()
    node.move()
    other = node.connect(port=limited.local.port)
    first = send_failing(node, dut, case, limited)
    node.move()
    second = node.send_migrate(other)
    node.check_in_time(second, first, 1)
    dut.answers(second, SUCCESS)


@inopportune
@requirement("MOPS-4.1-77", case=1)
def test_other_protocol_and_the_limit(node: MobileNode, dut: Server, case: Case) -> None:
    """Reported: whether a UDP and a TCP command with the same previous address and port limit each other."""
    connection = node.connect()
    node.move()
    udp = node.send_migrate(connection, protocol=17)
    case.values["answer to UDP"] = dut.collect_replies(udp.mark)
    tcp = node.send_migrate(connection)
    answer = dut.collect_replies(tcp.mark)
    case.values["answer to TCP after it"] = answer
    case.values["limited together"] = "yes" if answer == "silence" else "no"


@inopportune
@requirement("MOPS-4.1-78", case=2)
def test_failed_attempt_starts_the_interval(node: MobileNode, dut: Server, case: Case) -> None:
    """After a failed attempt a correct command is silently discarded and changes nothing."""
    connection = node.connect()
    node.move()
    first = send_failing(node, dut, case, connection)
    second = node.send_migrate(connection)
    node.check_in_time(second, first, 1)
    dut.discards(second, connection)


@inopportune
@requirement("MOPS-4.1-222", case=1)
def test_other_commands_do_not_end_the_interval(node: MobileNode, dut: Server, case: Case) -> None:
    """Inside the interval a second command is discarded, also after commands about other ports and addresses."""
    connection, others = node.connect(), [node.connect() for _ in range(3)]
    node.move()
    first = send_failing(node, dut, case, connection)
    between = [send_wrong(node, case, other) for other in others]
    second = node.send_migrate(connection)
    node.check_in_time(second, first, 1)
    for request in between:
        dut.reply_to(request, FAILED)
    dut.discards(second, connection)


@pytest.mark.parametrize("codes", [(MIGRATE, MIGRATE_ATOMIC), (MIGRATE_ATOMIC, MIGRATE)], ids=["0 then 1", "1 then 0"])
@inopportune
@requirement("MOPS-4.1-223", case=1)
def test_the_interval_holds_for_both_codes(node: MobileNode, dut: Server, case: Case, codes: tuple[int, int]) -> None:
    """A second command with the other code is discarded inside the interval of the first."""
    connection = node.connect()
    node.move()
    wrong = node.entry(connection, identifier=wrong_number(case, connection))
    first = node.send_migrate(connection, code=codes[0], entries=[wrong])
    dut.reply_to(first, FAILED)
    second = node.send_migrate(connection, code=codes[1])
    node.check_in_time(second, first, 1)
    dut.discards(second, connection)


@inopportune
@requirement("MOPS-4.1-79", case=1)
@waits(AFTER * DEFAULT_S)
def test_discarded_command_does_not_restart_the_interval(node: MobileNode, dut: Server, case: Case) -> None:
    """A command discarded inside the interval does not start it anew."""
    connection = node.connect()
    node.move()
    first = send_failing(node, dut, case, connection)
    node.wait(first, 0.6)
    discarded = node.send_migrate(connection)
    node.check_in_time(discarded, first, 1)
    dut.collect_replies(discarded.mark)
    node.wait(first, AFTER)
    dut.answers(node.send_migrate(connection), SUCCESS)


@valid
@requirement("MOPS-4.1-80", case=1)
@waits(AFTER * DEFAULT_S)
def test_retransmission_of_a_success_is_answered_success(node: MobileNode, dut: Server) -> None:
    """A retransmission of a Migrate that succeeded is answered "success" after the interval and changes nothing."""
    connection = node.connect()
    first = node.migrate(connection)
    node.wait(first, AFTER)
    dut.answers(node.send(first.message), SUCCESS)
    dut.serves(connection)


@valid
@requirement("MOPS-4.1-79", "MOPS-4.1-80", case=2)
@waits(1.2 * DEFAULT_S)
def test_connection_survives_a_lost_reply(node: MobileNode, dut: Server) -> None:
    """Of three retransmissions of a Migrate whose reply was lost, the one after the interval is answered "success"."""
    connection = node.connect()
    first = node.migrate(connection)
    for intervals in (0.4, 0.8):
        node.wait(first, intervals)
        again = node.send(first.message)
        node.check_in_time(again, first, 1)
    node.wait(first, 1.2)
    dut.answers(node.send(first.message), SUCCESS)
    dut.collect_replies(first.mark)
    dut.serves(connection)


@inopportune
@requirement("MOPS-4.1-81", case=1)
def test_one_entry_of_several_is_limited(node: MobileNode, dut: Server, case: Case) -> None:
    """Reported: the answer to a command with two entries of which one lies inside its interval."""
    limited, free = node.connect(), node.connect()
    node.move()
    send_failing(node, dut, case, limited)
    request = node.send_migrate(limited, free)
    case.values["answer"] = dut.collect_replies(request.mark)
    case.values["limited connection still at the old tuple"] = str(dut.is_served(limited))
    case.values["free connection still at the old tuple"] = str(dut.is_served(free))
