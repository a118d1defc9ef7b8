# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2, REHASH-ADDR exchange: the host that is told that its peer has moved."""

import pytest

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import preamble, require
from conformance.rehash.tester.flight import INITIAL_WINDOW, first_flight, opens_the_window
from conformance.rehash.tester.host import Node
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.peers.tcp import SEQUENCE_SPACE
from testbed.wire.clock import NANO

LONGEST_TIMER_S = 0.5
"""Data that is not acknowledged is sent again before this, or before twice the time it has waited already."""

FAR = 1 << 30
"""Far out of every window."""

CARRIERS = pytest.mark.parametrize("data", [b"", b"sent with the order"], ids=["acknowledgement", "data"])


@CARRIERS
@valid
@requirement("REHASH-6.2-16", case=1)
def test_connection_goes_on_at_the_new_address(node: Node, host: Host, data: bytes) -> None:
    """After REHASH-ADDR with the right Old address and nonce the connection carries data at the New address."""
    session = node.connects()
    node.uses(session)
    node.moves()
    host.goes_on(session, node.orders(session, data))


@valid
@requirement("REHASH-6.2-16", case=2)
def test_nothing_is_sent_to_the_old_address(node: Node, host: Host, case: Case) -> None:
    """After the rehash no segment of the connection is sent to the old address."""
    session = node.connects()
    node.rehashes(session)
    mark = case.mark()
    session.peer.send(b"echo this at the new address")
    host.sends_nothing_to(session.left[0], mark, even_resets=True)


@valid
@requirement("REHASH-6.2-16", case=3)
def test_unacknowledged_data_is_sent_again_to_the_new_address(node: Node, host: Host) -> None:
    """Data that the device sent to the old address, lost there, arrives at the new one."""
    session = node.connects()
    data = bytes(range(256)) * 4
    session.peer.drop_incoming()
    session.peer.send(data)
    host.has_gone_on()
    node.rehashes(session)
    host.delivers_again(session, data)


@valid
@requirement("REHASH-6.2-17", case=1)
def test_payload_of_the_order_is_processed(node: Node, host: Host) -> None:
    """The data of the segment that carried REHASH-ADDR is taken, and not asked for again."""
    session = node.connects()
    node.moves()
    order = node.orders(session, b"sent with the order")
    session.follows(order)
    with host.serving_orders():
        host.delivers(session, order.data, order.sent.ns)


@valid
@requirement("REHASH-6.2-17", case=2)
def test_acknowledgement_of_the_order_is_processed(node: Node, host: Host, case: Case) -> None:
    """Data that the segment with REHASH-ADDR acknowledges is not sent again."""
    session = node.connects()
    sent = session.peer.send(b"echo this")
    host.has_calmed_down()
    node.moves()
    order = node.orders(session)
    host.acknowledged(order)
    host.has_gone_on()
    mark = case.mark()
    node.waits(max(LONGEST_TIMER_S, 2 * (case.clock.now_ns() - sent.ns) / NANO))
    again = [one for one in host.segments(order.end, mark) if one.data]
    require(not again, "data sent again", "none", f"{len(again)} segments", *again)


@CARRIERS
@valid
@requirement("REHASH-6.2-18", case=1)
def test_order_is_acknowledged_with_init(node: Node, host: Host, data: bytes) -> None:
    """A REHASH-ADDR that was served is answered with REHASH-INIT."""
    session = node.connects()
    node.moves()
    order = node.orders(session, data)
    with preamble("the order was not served"):
        host.goes_on(session, order)
    host.acknowledges(order)


@pytest.mark.parametrize("field", ["nonce", "old", "new"])
@valid
@requirement("REHASH-6.2-19", case=1)
def test_acknowledging_init_is_an_ordinary_one(node: Node, host: Host, field: str) -> None:
    """The acknowledging REHASH-INIT carries the device's unchanged nonce, Old 0 and its own address as New."""
    session = node.connects()
    node.moves()
    segment = host.acknowledged(node.orders(session))
    expected = {"nonce": session.peer.device_nonce, "old": "0.0.0.0", "new": host.address}[field]
    seen = getattr(segment.init, field)
    require(seen == expected, f"{field} of the acknowledging REHASH-INIT", expected, seen, segment)


@CARRIERS
@inopportune
@requirement("REHASH-6.2-24", case=1)
def test_segments_from_the_old_address_are_not_taken(node: Node, host: Host, data: bytes) -> None:
    """After the rehash a segment from the old address does not reach the connection, which goes on."""
    session = node.connects()
    node.uses(session)
    node.rehashes(session)
    left = session.left[0]
    stray = node.sends(left, "PA", data or b"from the old address")
    host.sends_nothing_to(left, stray.mark)
    host.serves(session, b"these bytes have the same numbers")


@valid
@requirement("REHASH-6.2-25", case=1)
def test_repeated_order_is_harmless(node: Node, host: Host) -> None:
    """REHASH-ADDR that is repeated with its data is answered again; the data is taken once."""
    session = node.connects()
    node.moves()
    data = b"once only"
    order = node.orders(session, data)
    host.acknowledged(order)
    session.follows(order)
    with preamble():
        host.delivers(session, data, order.sent.ns)
    peer = session.peer
    option = peer.order(session.left[0].station.address)
    again = node.sends(peer.at(peer.station), "PA", data, [option], seq=(peer.snd_nxt - len(data)) % SEQUENCE_SPACE)
    host.acknowledges(again)
    host.serves(session, b"the next bytes")


@valid
@requirement("REHASH-6.2-25", case=2)
def test_order_goes_on_until_init_is_heard(node: Node, host: Host) -> None:
    """REHASH-ADDR on every segment, because REHASH-INIT was lost, leaves the stream as it is."""
    session = node.connects()
    old = session.peer.station.address
    orders = node.rehashes(session)
    for number in range(4):
        data = bytes([number]) * 100
        order = node.sends(session.peer, "PA", data, [session.peer.order(old)])
        host.delivers(session, data, order.sent.ns)
    host.serves(session)
    assert orders


@invalid
@requirement("REHASH-6.2-26", case=1)
def test_new_address_is_not_the_source(node: Node, host: Host, case: Case) -> None:
    """Reported: where a connection is moved by an order whose New address is not the packet's source."""
    session = node.connects()
    third = case.station()
    node.moves()
    order = node.orders(session, new=third.address)
    case.values["answer at the source"] = host.answers(order)
    at_new = [one for one in host.segments(session.peer.at(third), order.mark) if one.init]
    case.values["REHASH-INIT at the New address"] = str(bool(at_new))
    case.values["connection still at the old address"] = str(host.is_served(session))


@pytest.mark.parametrize("what", ["sequence number", "acknowledgement"])
@inopportune
@requirement("REHASH-6.2-27", case=1)
def test_order_on_a_segment_that_is_not_acceptable(node: Node, host: Host, case: Case, what: str) -> None:
    """REHASH-ADDR on a segment out of window: REHASH-INIT comes exactly where the connection was moved."""
    session = node.connects()
    node.uses(session)
    node.moves()
    end = node.end(session)
    seq = end.snd_nxt if what == "acknowledgement" else (end.snd_nxt + FAR) % SEQUENCE_SPACE
    ack = end.rcv_nxt if what == "sequence number" else (end.rcv_nxt + FAR) % SEQUENCE_SPACE
    order = node.sends(end, "A", options=[end.order(session.peer.station.address)], seq=seq, ack=ack)
    host.has_calmed_down()
    told = any(one.init for one in host.segments(end, order.mark))
    case.values["moved by it"] = str(told)
    if told:
        session.follows(order)
    host.serves(session)


@valid
@requirement("REHASH-6.2-28", case=1)
def test_order_on_a_fin(node: Node, host: Host) -> None:
    """REHASH-ADDR on a FIN moves the connection and closes that direction."""
    session = node.connects()
    node.uses(session)
    node.moves()
    order = node.orders(session, flags="FA")
    session.follows(order)
    with host.serving_orders():
        host.closes(session)


@invalid
@requirement("REHASH-6.2-28", case=2)
def test_order_on_a_reset(node: Node, host: Host) -> None:
    """REHASH-ADDR on a reset moves nothing, and the connection goes on."""
    session = node.connects()
    node.uses(session)
    node.moves()
    host.has_not_moved(session, node.orders(session, flags="RA"))


@valid
@requirement("REHASH-6.2-29", case=1)
def test_order_moves_its_own_connection_only(node: Node, host: Host) -> None:
    """Of two connections of one peer, REHASH-ADDR moves its own; the other stays until it has an order of its own."""
    moved, other = node.connects(), node.connects()
    node.uses(moved, other)
    node.rehashes(moved)
    host.serves(other, b"still at the old address")
    host.has_moved(other, node.orders(other))
    host.serves(moved)


@pytest.mark.parametrize("first", ["device", "tester"])
@exclusive
@valid
@requirement("REHASH-6.2-30", case=1)
def test_moves_of_both_sides_in_turn(node: Node, host: Host, first: str) -> None:
    """A connection that was moved by one side is moved by the other afterwards."""
    session = host.offers(node)
    for side in (first, "device" if first == "tester" else "tester"):
        if side == "tester":
            node.moves()
            host.has_moved(session, node.orders(session))
        else:
            move = host.moves()
            asked_ns = host.application_sends(session, b"I have moved")
            node.takes_over(session, move)
            host.delivers(session, b"I have moved", asked_ns)
            host.serves(session)


@inopportune
@requirement("REHASH-6.2-31", case=1)
def test_newcomer_at_the_old_tuple(node: Node, host: Host) -> None:
    """Somebody else at the old address and port opens a connection to the same service; both go on."""
    session = node.connects()
    node.uses(session)
    node.rehashes(session)
    moved_to, node.station = node.station, node.home
    newcomer = host.welcomes(node, port=session.peer.port)
    host.serves(session, b"the one that moved")
    host.serves(newcomer, b"the one that came")
    node.station = moved_to
    host.serves(session, b"and again")


@inopportune
@requirement("REHASH-6.2-32", case=1)
def test_order_to_a_tuple_in_use(node: Node, host: Host) -> None:
    """REHASH-ADDR to an address and port at which another connection is moves nothing, and both go on."""
    session = node.connects()
    node.moves()
    other = node.connects(port=session.peer.port)
    node.uses(session, other)
    node.orders(session)
    host.has_calmed_down()
    other.peer.read()
    host.serves(session, b"at the first address")
    host.serves(other, b"at the second address")


@valid
@requirement("REHASH-6.2-33", case=1)
def test_slow_start_after_the_peer_has_moved(node: Node, host: Host, case: Case) -> None:
    """The first flight of the host that was told of the move is at most the initial window."""
    session = host.offers(node)
    opens_the_window(case, host, session)
    node.rehashes(session)
    flight = first_flight(case, host, session)
    require(flight <= INITIAL_WINDOW, "bytes of the first flight", f"at most {INITIAL_WINDOW}", flight)
