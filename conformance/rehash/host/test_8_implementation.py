# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 3, 4 and 8: applications, listening sockets, peers without TCP Rehash, and both ends moving at once."""

import pytest

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import require
from conformance.rehash.tester.host import Move, Node, Order, Session
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.interruptions import NotApplicable


@pytest.mark.parametrize("mover", ["device", "tester"])
@exclusive
@valid
@requirement("REHASH-3-01", case=1)
def test_application_keeps_its_socket(node: Node, host: Host, mover: str) -> None:
    """The application reads and writes the same socket before and after two moves, without an error."""
    session = host.offers(node)
    host.serves(session, b"before")
    for _ in range(2):
        if mover == "tester":
            node.rehashes(session)
        else:
            move = host.moves()
            require(host.socket(session), "socket of the application", "open", "gone")
            host.application_says(session, b"after")
            host.first_from(move, session.peer)
            node.takes_over(session, move)
            host.has_calmed_down()
            session.skips()
        host.serves(session, b"after")
        require(host.socket(session), "socket of the application", "open", "gone")


@exclusive
@valid
@requirement("REHASH-8-01", case=1)
def test_bound_listener_moves(node: Node, host: Host) -> None:
    """A service bound to the old address accepts connections at the new one after a move."""
    service = host.agent.call("listen", port=0, service="echo", address=host.address)
    node.uses(node.connects(remote_port=int(service["port"])))
    host.moves()
    host.serves(host.welcomes(node, remote_port=int(service["port"])))


@exclusive
@valid
@requirement("REHASH-8-02", case=1)
def test_unbound_listener_stays(node: Node, host: Host) -> None:
    """A service bound to any address goes on accepting connections after a move."""
    service = host.agent.call("listen", port=0, service="echo")
    node.uses(node.connects(remote_port=int(service["port"])))
    host.moves()
    host.serves(host.welcomes(node, remote_port=int(service["port"])))


@pytest.mark.parametrize("opener", ["tester", "device"])
@valid
@requirement("REHASH-8-03", case=1)
def test_peer_without_rehash(node: Node, host: Host, opener: str) -> None:
    """With a peer that neither sends nor answers Rehash options a connection carries data and closes."""
    session = node.connects_plainly() if opener == "tester" else host.reaches(node)
    for size in (1, 100, 1400):
        host.serves(session, bytes(size))
    host.serves(session, b"last words")
    if opener == "device":
        host.agent.call("close", connection=session.connection)
        host.hangs_up(session)
    else:
        session.peer.finish()
        host.closes(session)


@valid
@requirement("REHASH-8-03", case=2)
@waits(0.3)
def test_peer_without_rehash_and_losses(node: Node, host: Host) -> None:
    """Data for a peer without Rehash that is lost is sent again."""
    session = node.connects_plainly()
    data = bytes(range(256)) * 8
    session.peer.send(data[:1024])
    host.has_gone_on()
    session.peer.drop_unread()
    session.peer.send(data[1024:])
    host.delivers_again(session, data)


def both_move(node: Node, host: Host, session: Session) -> tuple[Move, Order]:
    """The tester and the device move at once: their orders pass each other to addresses that nobody has any more."""
    node.moves()
    move = host.moves()
    host.application_sends(session, b"both have moved")
    return move, node.orders(session)


@exclusive
@inopportune
@requirement("REHASH-4-01", case=1)
def test_both_ends_move_at_once(node: Node, host: Host, case: Case) -> None:
    """Reported: what becomes of a connection whose two ends move at the same time."""
    session = host.offers(node)
    move, order = both_move(node, host, session)
    case.values["answer to the tester's REHASH-ADDR"] = host.answers(order)
    repeats = [one for one in host.segments(session.peer, move.mark) if one.order]
    case.values["REHASH-ADDR to where the tester was"] = str(len(repeats))
    case.values["socket of the application afterwards"] = str(host.socket(session).get("state", "gone"))


@exclusive
@inopportune
@requirement("REHASH-4-02", case=1)
@waits(3)
def test_connection_lost_by_two_moves_is_closed(node: Node, host: Host, case: Case) -> None:
    """A connection that nobody can find any more is closed in the end, and another one goes on."""
    if not case.setup.profile.ixit.rehash.max_retries:
        raise NotApplicable(f"{case.setup.profile.path}: ixit.rehash.max_retries is 0: no maximum")
    lost, other = host.offers(node), host.offers(node)
    move, _ = both_move(node, host, lost)
    host.order_of(move, lost.peer)
    asked_ns = host.application_sends(other, b"I have moved")
    node.takes_over(other, move)
    host.delivers(other, b"I have moved", asked_ns)
    host.application_sees_an_error(lost, host.patience_s)
    host.serves(other)
