# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1, Timing and retransmission by server: the interval in which a second command is discarded.

Times are in intervals, `mops.rate_limit_s` of the profile (the draft recommends 5 s).
"""

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode, Request, Session
from layers.mops import FAILED, SUCCESS
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case

INSIDE = 0.9
AFTER = 1.1


def fails(node: MobileNode, server: Server, session: Session) -> Request:
    """An attempt with a wrong sequence number, which starts the interval; preamble: it must be refused."""
    entry = node.entry(session, identifier=session.peer.snd_nxt + 2**31)
    request = node.sends(node.migrate(session, entries=[entry]))
    server.replies(request, FAILED)
    return request


@inopportune
@requirement("MOPS-4.1-72", case=1)
def test_second_command_is_discarded(node: MobileNode, server: Server) -> None:
    """A second command for the same previous address and port is met with silence and changes nothing."""
    session = node.connects()
    home, port, identifier = node.home, session.peer.port, session.peer.snd_nxt
    first = node.migrates(session)
    node.moves()
    entry = (port, node.new_port(), identifier)
    second = node.sends(node.migrate(entries=[entry], previous_source=home.address))
    node.was_in_time(second, first, 1)
    server.keeps_silent(second)
    server.serves(session)


@inopportune
@requirement("MOPS-4.1-73", case=1)
@waits(INSIDE)
def test_command_shortly_before_the_end_is_discarded(node: MobileNode, server: Server) -> None:
    """A command sent when nine tenths of the interval have passed is still discarded."""
    session = node.connects()
    node.moves()
    first = fails(node, server, session)
    node.waits(first, INSIDE)
    second = node.sends(node.migrate(session))
    node.was_in_time(second, first, 1)
    server.keeps_silent(second)


@valid
@requirement("MOPS-4.1-74", case=1)
@waits(AFTER)
def test_command_after_the_interval_is_served(node: MobileNode, server: Server) -> None:
    """A command sent after the interval is answered and takes effect."""
    session = node.connects()
    node.moves()
    first = fails(node, server, session)
    node.waits(first, AFTER)
    second = node.sends(node.migrate(session))
    server.answers(second, SUCCESS)
    node.follows(second, session)
    server.serves(session)


@valid
@requirement("MOPS-4.1-75", case=1)
def test_other_port_is_not_limited(node: MobileNode, server: Server) -> None:
    """A command for another previous port of the same address is served inside the interval."""
    limited, other = node.connects(), node.connects()
    node.moves()
    first = fails(node, server, limited)
    second = node.sends(node.migrate(other))
    node.was_in_time(second, first, 1)
    server.answers(second, SUCCESS)


@valid
@requirement("MOPS-4.1-76", case=1)
def test_other_address_is_not_limited(node: MobileNode, server: Server) -> None:
    """A command for the same previous port of another address is served inside the interval."""
    limited = node.connects()
    node.moves()
    other = node.connects(port=limited.peer.port)
    first = fails(node, server, limited)
    node.moves()
    second = node.sends(node.migrate(other))
    node.was_in_time(second, first, 1)
    server.answers(second, SUCCESS)


@inopportune
@requirement("MOPS-4.1-77", case=1)
def test_other_protocol_and_the_limit(node: MobileNode, server: Server, case: Case) -> None:
    """Reported: whether a UDP and a TCP command with the same previous address and port limit each other."""
    session = node.connects()
    node.moves()
    udp = node.sends(node.migrate(session, protocol=17))
    case.values["answer to UDP"] = server.hears_out(udp)
    tcp = node.sends(node.migrate(session))
    said = server.hears_out(tcp)
    case.values["answer to TCP behind it"] = said
    case.values["limited together"] = "yes" if said == "silence" else "no"


@inopportune
@requirement("MOPS-4.1-78", case=1)
def test_failed_attempt_starts_the_interval(node: MobileNode, server: Server) -> None:
    """After a failed attempt a correct command is discarded in silence and changes nothing."""
    session = node.connects()
    node.moves()
    first = fails(node, server, session)
    second = node.sends(node.migrate(session))
    node.was_in_time(second, first, 1)
    server.keeps_silent(second)
    server.serves(session)


@inopportune
@requirement("MOPS-4.1-79", case=1)
@waits(AFTER)
def test_discarded_command_does_not_restart_the_interval(node: MobileNode, server: Server) -> None:
    """A command discarded inside the interval does not start it anew."""
    session = node.connects()
    node.moves()
    first = fails(node, server, session)
    node.waits(first, 0.6)
    discarded = node.sends(node.migrate(session))
    node.was_in_time(discarded, first, 1)
    server.hears_out(discarded)
    node.waits(first, AFTER)
    server.answers(node.sends(node.migrate(session)), SUCCESS)


@valid
@requirement("MOPS-4.1-80", case=1)
@waits(AFTER)
def test_repeat_of_a_success_is_answered_success(node: MobileNode, server: Server) -> None:
    """A repeat equal to a Migrate that succeeded is answered "success" after the interval and changes nothing."""
    session = node.connects()
    first = node.migrates(session)
    node.waits(first, AFTER)
    server.answers(node.sends(first.message), SUCCESS)
    server.serves(session)


@valid
@requirement("MOPS-4.1-79", "MOPS-4.1-80", case=2)
@waits(1.2)
def test_lost_reply_does_not_kill_the_session(node: MobileNode, server: Server) -> None:
    """The mobile node that lost the reply repeats three times; the repeat after the interval is answered "success"."""
    session = node.connects()
    first = node.migrates(session)
    for intervals in (0.4, 0.8):
        node.waits(first, intervals)
        repeat = node.sends(first.message)
        node.was_in_time(repeat, first, 1)
        server.hears_out(repeat)
    node.waits(first, 1.2)
    server.answers(node.sends(first.message), SUCCESS)
    server.serves(session)


@inopportune
@requirement("MOPS-4.1-81", case=1)
def test_one_entry_of_several_is_limited(node: MobileNode, server: Server, case: Case) -> None:
    """Reported: the answer to a command with two entries of which one lies inside its interval."""
    limited, free = node.connects(), node.connects()
    node.moves()
    fails(node, server, limited)
    request = node.sends(node.migrate(limited, free))
    case.values["answer"] = server.hears_out(request)
    case.values["limited connection still at the old tuple"] = str(server.is_served(limited))
    case.values["free connection still at the old tuple"] = str(server.is_served(free))
