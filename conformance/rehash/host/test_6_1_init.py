# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.1, REHASH-INIT exchange: who starts it, how it is answered, when it ends."""

import pytest

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import require
from conformance.rehash.tester.host import Node
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case

MUTE_ROUNDS = 8


@valid
@requirement("REHASH-6.1-01", case=1)
def test_host_that_connects_sends_init(node: Node, host: Host) -> None:
    """A host that opens a connection sends REHASH-INIT on the SYN, or later where it says so."""
    session = node.accepts(host.opens(node))
    host.serves(session)
    host.has_calmed_down()
    segments = host.segments(session.peer)
    require(any(one.init for one in segments), "REHASH-INIT on a connection it opens", "some", "none", *segments)


@valid
@requirement("REHASH-6.1-02", case=1)
def test_init_is_on_the_syn(node: Node, host: Host) -> None:
    """A host that opens a connection sends REHASH-INIT on the SYN."""
    syn = host.opens(node).syn
    require(syn.init, "REHASH-INIT on the SYN", "one", "none", syn)


@valid
@requirement("REHASH-6.1-03", case=1)
def test_syn_with_init_is_answered(node: Node, host: Host) -> None:
    """A SYN with REHASH-INIT is answered with REHASH-INIT on the SYN-ACK or a later segment."""
    session = node.half_opens()
    session.peer.acknowledge()
    host.serves(session)
    host.has_calmed_down()
    segments = host.segments(session.peer)
    require(any(one.init for one in segments), "REHASH-INIT in answer to a SYN", "some", "none", *segments)


@valid
@requirement("REHASH-6.1-04", case=1)
def test_syn_is_answered_on_the_syn_ack(node: Node, host: Host) -> None:
    """A SYN with REHASH-INIT is answered with REHASH-INIT on the SYN-ACK itself."""
    session = node.half_opens()
    syn_ack = host.segments(session.peer)[0]
    require(syn_ack.init, "REHASH-INIT on the SYN-ACK", "one", "none", syn_ack)


@pytest.mark.parametrize("data", [b"", b"with init"], ids=["acknowledgement", "data"])
@valid
@requirement("REHASH-6.1-05", case=1)
def test_init_on_an_established_connection_is_answered(node: Node, host: Host, data: bytes) -> None:
    """REHASH-INIT received on an established connection is answered with REHASH-INIT."""
    session = node.connects_plainly()
    node.uses(session)
    order = node.sends(session.peer, "PA" if data else "A", data, [session.peer.init()])
    host.acknowledges(order)


@valid
@requirement("REHASH-6.1-05", case=2)
def test_late_init_makes_the_connection_movable(node: Node, host: Host) -> None:
    """A connection whose init exchange took place after establishment can be rehashed."""
    session = node.connects_plainly()
    node.uses(session)
    node.wants_init(session.peer)
    node.moves()
    host.has_moved(session, node.orders(session))


@pytest.mark.parametrize("opener", ["tester", "device"])
@valid
@requirement("REHASH-6.1-06", case=1)
def test_init_from_either_side_is_answered(node: Node, host: Host, opener: str) -> None:
    """REHASH-INIT, after the handshake, of the peer that connected or was connected to completes the exchange."""
    session = node.connects_plainly() if opener == "tester" else host.accepted_plainly(node)
    node.sends(session.peer, "A", options=[session.peer.init()])
    host.learns_nonce(session)
    node.moves()
    host.has_moved(session, node.orders(session))


@valid
@requirement("REHASH-6.1-07", case=1)
def test_inits_that_cross(node: Node, host: Host) -> None:
    """REHASH-INIT of the tester that does not answer the device's, but crosses it, completes the exchange."""
    session = node.accepts(host.opens(node))
    data = b"crossing"
    node.sends(session.peer, "PA", data, [session.peer.init()])
    host.application_reads(session, data)
    host.learns_nonce(session)
    node.moves()
    host.has_moved(session, node.orders(session))


@valid
@requirement("REHASH-6.1-08", case=1)
def test_connection_without_init_is_ordinary(node: Node, host: Host) -> None:
    """A connection on which the peer sends no REHASH-INIT carries data and closes like any other."""
    session = node.connects_plainly()
    host.serves(session, bytes(range(256)) * 5)
    host.serves(session)
    session.peer.finish()
    host.closes(session)


@exclusive
@valid
@requirement("REHASH-6.1-09", case=1)
def test_connection_without_init_is_not_announced(node: Node, host: Host) -> None:
    """A host that moves sends no REHASH-ADDR on a connection on which the peer sent no REHASH-INIT."""
    plain, marked = host.offers(node, plainly=True), host.offers(node)
    move = host.moves()
    host.application_sends(plain, b"anybody there")
    host.application_sends(marked, b"I have moved")
    host.order_of(move, marked.peer)
    host.has_calmed_down()
    segments = host.segments(plain.peer, move.mark)
    require(not any(one.order for one in segments), "REHASH-ADDR without exchange", "none", "some", *segments)


@pytest.mark.parametrize("opener", ["tester", "device"])
@valid
@requirement("REHASH-6.1-10", case=1)
def test_reissue_to_a_mute_peer(node: Node, host: Host, case: Case, opener: str) -> None:
    """Reported: how often REHASH-INIT is sent to a peer that never sends one."""
    session = node.connects_plainly() if opener == "tester" else node.accepts(host.opens(node))
    rounds = case.setup.profile.ixit.rehash.init_reissues + MUTE_ROUNDS
    for _ in range(rounds):
        host.serves(session)
    segments = host.segments(session.peer)
    case.values["segments of the device"] = str(len(segments))
    case.values["with REHASH-INIT"] = str(sum(one.init is not None for one in segments))


@pytest.mark.parametrize("opener", ["tester", "device"])
@valid
@requirement("REHASH-6.1-11", case=1)
def test_reissue_stops(node: Node, host: Host, case: Case, opener: str) -> None:
    """REHASH-INIT is not sent for ever to a peer that never sends one."""
    session = node.connects_plainly() if opener == "tester" else node.accepts(host.opens(node))
    for _ in range(1 + case.setup.profile.ixit.rehash.init_reissues):
        host.serves(session)
    mark = case.mark()
    for _ in range(MUTE_ROUNDS):
        host.serves(session)
    host.has_calmed_down()
    sent = [one for one in host.segments(session.peer, mark) if one.init]
    require(not sent, "number of REHASH-INITs after so many exchanges", 0, len(sent), *sent)


@inopportune
@requirement("REHASH-6.1-12", case=1)
def test_repeated_init_changes_nothing(node: Node, host: Host) -> None:
    """REHASH-INIT that comes again with the same nonce leaves the connection as it is."""
    session = node.connects()
    for _ in range(3):
        node.sends(session.peer, "A", options=[session.peer.init()])
    host.has_calmed_down()
    host.serves(session)
    node.moves()
    host.has_moved(session, node.orders(session))


@inopportune
@requirement("REHASH-6.1-12", case=2)
def test_repeated_init_starts_no_endless_exchange(node: Node, host: Host) -> None:
    """REHASH-INIT that comes three times more is answered at most three times."""
    session = node.connects()
    node.uses(session)
    host.has_calmed_down()
    first = node.sends(session.peer, "A", options=[session.peer.init()])
    for _ in range(2):
        node.sends(session.peer, "A", options=[session.peer.init()])
    for _ in range(MUTE_ROUNDS):
        host.serves(session)
    host.has_calmed_down()
    sent = [one for one in host.segments(session.peer, first.mark) if one.init]
    require(len(sent) <= 3, "number of REHASH-INITs", "at most 3", len(sent), *sent)


@valid
@requirement("REHASH-6.1-12", case=3)
def test_answer_is_not_answered(node: Node, host: Host, case: Case) -> None:
    """After REHASH-INIT and its answer the device that began sends no further REHASH-INIT."""
    opening = host.opens(node)
    session = node.accepts(opening, opening.peer.init())
    allowed = 1 + case.setup.profile.ixit.rehash.init_reissues
    for _ in range(allowed + MUTE_ROUNDS):
        host.serves(session)
    host.has_calmed_down()
    last = host.segments(session.peer)[-allowed:]
    require(not any(one.init for one in last), "REHASH-INIT long after the exchange", "none", "some", *last)


@inopportune
@requirement("REHASH-6.1-13", case=1)
def test_half_open_connection_is_not_moved(node: Node, host: Host) -> None:
    """REHASH-ADDR for a connection whose handshake is not complete does not move it."""
    session = node.half_opens()
    host.nonce(session)
    node.moves()
    order = node.orders(session)
    host.sends_nothing_to(order.end, order.mark)
    session.peer.acknowledge()
    host.serves(session)
