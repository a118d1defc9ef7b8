# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2, REHASH-ADDR exchange: the host that moves. The device moves, so every case has one of its own."""

import pytest

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import require
from conformance.rehash.tester.flight import INITIAL_WINDOW, first_flight, opens_the_window
from conformance.rehash.tester.host import Move, Node, Session
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.interruptions import NotApplicable

pytestmark = exclusive

ROUNDS = 3
MORE_THAN_THE_FIRST_FLIGHT = 24
"""Times 256 bytes: more than the initial window (RFC 5681) of four segments of 1460 bytes."""


@pytest.mark.parametrize("traffic", ["none", "data", "unacknowledged data"])
@valid
@requirement("REHASH-1-01", "REHASH-6.2-05", case=1)
def test_first_segment_from_the_new_address_carries_the_order(node: Node, host: Host, traffic: str) -> None:
    """The first segment of a connection from the new address carries REHASH-ADDR, whatever there is to send."""
    session = host.offers(node)
    if traffic == "unacknowledged data":
        host.application_sends(session, b"nobody has this yet")
    move = host.moves()
    if traffic == "data":
        host.application_sends(session, b"sent after the move")
    first = host.first_from(move, session.peer)
    require(first.order, "first segment from the new address", "REHASH-ADDR", first, first)


@valid
@requirement("REHASH-6.2-01", case=1)
def test_every_connection_is_announced(node: Node, host: Host) -> None:
    """A host that moves sends REHASH-ADDR on every connection with a completed exchange, of different peers too."""
    sessions = [host.offers(node), host.offers(node)]
    node.moves()
    sessions.append(host.offers(node))
    move = host.moves()
    for session in sessions:
        host.application_sends(session, b"I have moved")
    for session in sessions:
        host.announces(move, session.peer)


@valid
@requirement("REHASH-6.2-01", case=2)
def test_connection_that_the_device_opened_is_announced(node: Node, host: Host) -> None:
    """A host that moves sends REHASH-ADDR on a connection that it has opened itself."""
    session = host.connects(node)
    move = host.moves()
    host.application_sends(session, b"I have moved")
    host.announces(move, session.peer)


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("nonce", marks=requirement("REHASH-6.2-02", "REHASH-7-08")),
        pytest.param("old", marks=requirement("REHASH-6.2-03")),
        pytest.param("new", marks=requirement("REHASH-6.2-04")),
    ],
)
@valid
@requirement(case=1)
def test_field_of_the_order(node: Node, host: Host, field: str) -> None:
    """REHASH-ADDR carries the nonce that the tester told, the address before the move and the one after it."""
    sessions = [host.offers(node), host.offers(node)]
    move = host.moves()
    for session in sessions:
        host.application_sends(session, b"I have moved")
        segment, order = host.order_of(move, session.peer)
        expected = {"nonce": session.peer.nonce, "old": move.old, "new": segment.source}[field]
        seen = getattr(order, field)
        require(seen == expected, f"{field} of REHASH-ADDR", expected, seen, segment)


def all_carry_the_order(host: Host, session: Session, move: Move, case: Case) -> None:
    """From the first REHASH-ADDR on every segment carries it while nobody answers."""
    first, _ = host.order_of(move, session.peer)
    case.watch(1.0)
    for segment in host.segments(session.peer, case.trace.mark_at(first.frame), move.new):
        if "R" not in segment.flags:
            require(segment.order, "segment before REHASH-INIT", "REHASH-ADDR", segment, segment)


@valid
@requirement("REHASH-6.2-06", case=1)
def test_every_segment_carries_the_order_until_init_comes(node: Node, host: Host, case: Case) -> None:
    """Until REHASH-INIT arrives every segment carries REHASH-ADDR, the ones sent again included."""
    session = host.offers(node)
    move = host.moves()
    host.application_sends(session, b"one")
    host.application_sends(session, b"two")
    all_carry_the_order(host, session, move, case)


@valid
@requirement("REHASH-6.2-06", case=2)
def test_segments_with_sack_carry_the_order(node: Node, host: Host, case: Case) -> None:
    """Until REHASH-INIT arrives segments carry REHASH-ADDR also when timestamps and SACK blocks are due."""
    session = host.offers(node, timestamps=True)
    node.digs_holes(session.peer)
    host.has_gone_on()
    move = host.moves()
    host.application_sends(session, b"one")
    all_carry_the_order(host, session, move, case)


@valid
@requirement("REHASH-6.2-07", case=1)
def test_no_segment_carries_the_order_after_init(node: Node, host: Host, case: Case) -> None:
    """After REHASH-INIT has arrived no segment carries REHASH-ADDR."""
    session = host.offers(node)
    move = host.moves()
    host.application_sends(session, b"I have moved")
    host.order_of(move, session.peer)
    node.takes_over(session, move)
    host.has_calmed_down()
    session.skips()
    mark = case.mark()
    for _ in range(ROUNDS):
        host.serves(session)
    for segment in host.segments(session.peer, mark):
        require(not segment.order, "segment after REHASH-INIT", "no REHASH-ADDR", segment, segment)


@pytest.mark.parametrize("data", [b"", b"I have moved"], ids=["idle", "data"])
@valid
@requirement("REHASH-6.2-08", case=1)
@waits(3)
def test_order_is_repeated_up_to_the_maximum(node: Node, host: Host, case: Case, data: bytes) -> None:
    """REHASH-ADDR that nobody answers is not sent more often than the maximum, and as often where nothing else is."""
    most = case.setup.profile.ixit.rehash.max_retries
    if not most:
        raise NotApplicable(f"{case.setup.profile.path}: ixit.rehash.max_retries is 0: no maximum")
    session = host.offers(node)
    move = host.moves()
    if data:
        host.application_sends(session, data)
    host.order_of(move, session.peer)
    host.waits_until_given_up(session)
    orders = [one for one in host.segments(session.peer, move.mark) if one.order]
    enough = len(orders) <= most if data else len(orders) == most
    require(enough, "number of REHASH-ADDRs", f"at most {most}" if data else most, len(orders), *orders)


@valid
@requirement("REHASH-6.2-09", case=1)
@waits(3)
def test_connection_that_fails_to_rehash_is_closed(node: Node, host: Host, case: Case) -> None:
    """When REHASH-ADDR was repeated in vain up to the maximum, the application sees an error."""
    if not case.setup.profile.ixit.rehash.max_retries:
        raise NotApplicable(f"{case.setup.profile.path}: ixit.rehash.max_retries is 0: no maximum")
    session = host.offers(node)
    move = host.moves()
    host.application_sends(session, b"I have moved")
    host.order_of(move, session.peer)
    host.application_sees_an_error(session, host.patience_s)


@pytest.mark.parametrize("data", [b"", b"in flight"], ids=["acknowledgement", "data"])
@inopportune
@requirement("REHASH-6.2-10", case=1)
def test_segments_in_flight_are_dropped_in_silence(node: Node, host: Host, data: bytes) -> None:
    """A segment to the old address is met with silence while the rehash is going on."""
    session = host.offers(node)
    move = host.moves()
    host.application_sends(session, b"I have moved")
    host.order_of(move, session.peer)
    stray = node.sends(session.peer, "PA" if data else "A", data)
    host.has_calmed_down()
    for segment in host.segments(session.peer, stray.mark):
        silent = segment.source == move.new and "R" not in segment.flags
        require(silent, "answer to a segment in flight", "silence", segment, segment)
        require(not data or segment.tcp.ack != session.peer.snd_nxt, "data in flight", "dropped", "taken", segment)


@valid
@requirement("REHASH-6.2-11", case=1)
def test_stream_goes_on_byte_exact(node: Node, host: Host) -> None:
    """Both streams go on across moves of the device, what was lost in flight included."""
    session = host.offers(node)
    for part in range(2):
        lost, late = bytes(range(256)) * 4, f"sent to the old address {part}".encode()
        session.peer.drop_incoming()
        host.application_sends(session, lost)
        host.has_gone_on()
        move = host.moves()
        node.sends(session.peer.at(session.peer.station), "PA", late)
        host.order_of(move, session.peer)
        node.takes_over(session, move)
        host.delivers_again(session, lost)
        session.peer.send(late)
        host.application_reads(session, late)
        flights = bytes(range(256)) * MORE_THAN_THE_FIRST_FLIGHT
        host.delivers(session, flights, host.application_sends(session, flights))
        host.serves(session)


@valid
@requirement("REHASH-6.2-12", case=1)
def test_slow_start_after_a_move(node: Node, host: Host, case: Case) -> None:
    """After a successful rehash the first flight of the host that moved is at most the initial window."""
    session = host.offers(node)
    opens_the_window(case, host, session)
    move = host.moves()
    host.order_of(move, session.peer)
    node.takes_over(session, move)
    flight = first_flight(case, host, session)
    require(flight <= INITIAL_WINDOW, "bytes of the first flight", f"at most {INITIAL_WINDOW}", flight)


@pytest.mark.parametrize("where", ["a third address", "the first address"])
@valid
@requirement("REHASH-6.2-13", case=1)
def test_second_move_is_announced(node: Node, host: Host, where: str) -> None:
    """A second move, also back to the first address, is announced, Old being the address before it."""
    session = host.offers(node)
    first = host.moves()
    host.application_sends(session, b"once")
    host.order_of(first, session.peer)
    node.takes_over(session, first)
    host.has_calmed_down()
    session.skips()
    second = host.moves(to=first.old if where == "the first address" else "")
    host.application_sends(session, b"twice")
    segment, order = host.announces(second, session.peer)
    require(order.old == second.old, "Old", second.old, order.old, segment)


@inopportune
@requirement("REHASH-6.2-14", case=1)
def test_second_move_before_init(node: Node, host: Host) -> None:
    """A host that moves again before REHASH-INIT has come names an Old address that the peer can know."""
    session = host.offers(node)
    first = host.moves()
    asked_ns = host.application_sends(session, b"I have moved")
    host.order_of(first, session.peer)
    second = host.moves()
    segment, order = host.announces(second, session.peer)
    require(order.old in (first.old, first.new), "Old", f"{first.old} or {first.new}", order.old, segment)
    node.takes_over(session, second)
    host.delivers(session, b"I have moved", asked_ns)
    host.serves(session)


@valid
@requirement("REHASH-6.2-15", case=1)
def test_time_of_the_handover(node: Node, host: Host, case: Case) -> None:
    """Measured: from the move to REHASH-ADDR, and from REHASH-INIT to the first new data."""
    session = host.offers(node)
    move = host.moves()
    asked_ns = host.application_sends(session, b"I have moved")
    segment, _ = host.order_of(move, session.peer)
    node.takes_over(session, move)
    host.delivers(session, b"I have moved", asked_ns)
    case.values["move to REHASH-ADDR"] = f"{(segment.frame.ns - move.ns) / 1000:.0f} us"
    start_ns, mark = case.clock.now_ns(), case.mark()
    host.application_sends(session, b"new data")
    data = host.waits_for(session.peer, mark, lambda one: one.data)
    case.values["data to wire afterwards"] = f"{(data.frame.ns - start_ns) / 1000:.0f} us" if data else "none"
