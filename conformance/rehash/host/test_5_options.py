# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 5, Communication model: the option on segments of every kind, beside other options, and its room."""

import pytest
from scapy.packet import Packet

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import preamble, require
from conformance.rehash.tester.host import Node
from conformance.rehash.tester.peer import MSS, NO_OPERATION, TIMESTAMPS, RehashPeer
from layers.tcp_options import HEADER, ROOM
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import Broken
from testbed.interruptions import Inconclusive
from testbed.peers.segment import Segment

IP_HEADER = 20
LARGEST = MSS + IP_HEADER + HEADER
LONG_S = 4.0


@pytest.mark.parametrize("carrier", ["SYN", "SYN-ACK", "acknowledgement", "data"])
@valid
@requirement("REHASH-5-01", case=1)
def test_init_is_understood_on(node: Node, host: Host, carrier: str) -> None:
    """REHASH-INIT on a SYN, a SYN-ACK, an acknowledgement and data makes the connection movable."""
    if carrier == "SYN-ACK":
        session = host.connects(node)
    elif carrier == "SYN":
        session = node.half_opens()
        session.peer.acknowledge()
    else:
        session = node.connects_plainly()
        data = b"with init" if carrier == "data" else b""
        sent = node.sends(session.peer, "PA" if data else "A", data, [session.peer.init()])
        if data:
            host.delivers(session, data, sent.sent.ns)
    host.learns_nonce(session)
    node.moves()
    host.has_moved(session, node.orders(session))


@pytest.mark.parametrize("data", [b"", b"with the order"], ids=["acknowledgement", "data"])
@valid
@requirement("REHASH-5-01", case=2)
def test_order_is_understood_on(node: Node, host: Host, data: bytes) -> None:
    """REHASH-ADDR on an acknowledgement and on data moves the connection."""
    session = node.connects()
    node.moves()
    host.has_moved(session, node.orders(session, data))


def arranged(peer: RehashPeer, order: Packet, arrangement: str) -> list[Packet | bytes]:
    """The order among other options."""
    stamps = peer.stamps()
    edges = [(peer.rcv_nxt - distance) % (1 << 32) for distance in (20, 10)]
    sack = b"\x01\x01\x05\x0a" + b"".join(edge.to_bytes(4, "big") for edge in edges)
    return {
        "behind timestamps": [NO_OPERATION * 2, stamps, order],
        "before timestamps": [order, NO_OPERATION * 2, stamps],
        "between no-operations": [NO_OPERATION, order, NO_OPERATION, NO_OPERATION * 2, stamps],
        "behind timestamps and SACK": [NO_OPERATION * 2, stamps, sack, order],
        "before the end of the list": [stamps, order, b"\0\0"],
    }[arrangement]


ARRANGEMENTS = pytest.mark.parametrize(
    "arrangement",
    [
        "behind timestamps",
        "before timestamps",
        "between no-operations",
        "behind timestamps and SACK",
        "before the end of the list",
    ],
)


@ARRANGEMENTS
@valid
@requirement("REHASH-5-02", case=1)
def test_order_among_other_options(node: Node, host: Host, arrangement: str) -> None:
    """REHASH-ADDR moves the connection wherever it stands among other options."""
    session = node.connects(timestamps=True)
    node.uses(session)
    node.moves()
    end = node.end(session)
    options = arranged(end, end.order(session.peer.station.address), arrangement)
    host.has_moved(session, node.sends(end, "PA", b"among others", options))


@valid
@requirement("REHASH-5-02", case=2)
def test_timestamps_beside_the_order_keep_their_meaning(node: Node, host: Host) -> None:
    """The timestamp of the segment with REHASH-ADDR is echoed."""
    session = node.connects(timestamps=True)
    node.uses(session)
    node.moves()
    order = node.orders(session, b"what time is it")
    stamp = order.end.clock
    segment = host.waits_for(order.end, order.mark, lambda one: one.tcp.ack == order.end.snd_nxt)
    if segment is None:
        raise Inconclusive("preamble: the data with REHASH-ADDR was not acknowledged", repeat=False)
    echoes = [int.from_bytes(one.raw[6:10], "big") for one in segment.options if one.kind == TIMESTAMPS]
    require(echoes == [stamp], "echoed timestamps", [stamp], echoes, segment)


def has_room(segment: Segment, islands: set[tuple[int, int]]) -> None:
    """The options are whole and not more than the header has room for, and SACK blocks are those of what was sent."""
    faults = [one.fault for one in segment.options if one.fault]
    require(not faults, "options of a segment with Rehash", "well-formed", faults, segment)
    require(len(segment.area) <= ROOM, "bytes of options", f"at most {ROOM}", len(segment.area), segment)
    require(set(segment.sack) <= islands, "SACK blocks", f"some of {sorted(islands)}", segment.sack, segment)


@inopportune
@requirement("REHASH-5-03", case=1)
def test_room_for_the_option_beside_sack(node: Node, host: Host) -> None:
    """REHASH-INIT in answer is on a whole option list of at most 40 bytes while timestamps and SACK are due."""
    session = node.connects(timestamps=True)
    node.uses(session)
    islands = node.digs_holes(session.peer)
    host.has_gone_on()
    node.moves()
    order = node.orders(session)
    islands |= node.digs_holes(order.end)
    host.acknowledged(order)
    host.has_calmed_down()
    for segment in host.segments(order.end, order.mark):
        has_room(segment, islands)


@exclusive
@inopportune
@requirement("REHASH-5-03", case=2)
def test_room_for_the_order_beside_sack(node: Node, host: Host) -> None:
    """REHASH-ADDR is on a whole option list of at most 40 bytes while timestamps and SACK are due."""
    session = host.offers(node, timestamps=True)
    islands = node.digs_holes(session.peer)
    host.has_gone_on()
    move = host.moves()
    asked_ns = host.application_sends(session, b"I have moved")
    host.order_of(move, session.peer)
    host.waits_for(session.peer, move.mark, lambda one: one.data, asked_ns)
    for segment in host.segments(session.peer, move.mark):
        has_room(segment, islands)


@valid
@requirement("REHASH-5-04", case=1)
def test_init_takes_no_sequence_space(node: Node, host: Host) -> None:
    """Segments with REHASH-INIT have the numbers that they would have without it."""
    session = node.half_opens()
    peer = session.peer
    syn_ack = host.segments(peer)[0]
    require(syn_ack.tcp.ack == peer.snd_nxt, "acknowledgement of the SYN", peer.snd_nxt, syn_ack.tcp.ack, syn_ack)
    peer.acknowledge()
    host.has_calmed_down()
    segment = host.acknowledged(node.sends(peer, "A", options=[peer.init()]))
    seen = segment.tcp.seq, segment.tcp.ack
    require(seen == (peer.rcv_nxt, peer.snd_nxt), "numbers", (peer.rcv_nxt, peer.snd_nxt), seen, segment)


@exclusive
@valid
@requirement("REHASH-5-04", case=2)
def test_order_takes_no_sequence_space(node: Node, host: Host) -> None:
    """Segments with REHASH-ADDR have the numbers that they would have without it."""
    session = host.offers(node)
    peer = session.peer
    move = host.moves()
    segment = host.waits_for(peer, move.mark, lambda one: one.order)
    if segment is None:
        host.application_sends(session, b"I have moved")
        segment, _ = host.order_of(move, peer)
    seen = segment.tcp.seq, segment.tcp.ack
    require(seen == (peer.rcv_nxt, peer.snd_nxt), "numbers", (peer.rcv_nxt, peer.snd_nxt), seen, segment)


@valid
@requirement("REHASH-5-04", case=3)
def test_large_segments_with_init_fit_the_path(node: Node, host: Host) -> None:
    """Data with REHASH-INIT is not in packets larger than the path allows."""
    session = node.connects()
    old = session.peer.station.address
    node.rehashes(session)
    end = session.peer
    first, *_ = [node.sends(end, "PA", bytes(1400), [end.order(old)]) for _ in range(5)]
    with preamble():
        host.delivers(session, bytes(7000), first.sent.ns)
    for segment in host.segments(end, first.mark):
        require(segment.ip.len <= LARGEST, "length of a packet", f"at most {LARGEST}", segment.ip.len, segment)


@exclusive
@valid
@requirement("REHASH-5-04", case=4)
def test_large_segments_with_the_order_fit_the_path(node: Node, host: Host) -> None:
    """Data with REHASH-ADDR is not in packets larger than the path allows."""
    session = host.offers(node)
    move = host.moves()
    host.application_sends(session, bytes(3000))
    host.order_of(move, session.peer)
    host.has_calmed_down()
    for segment in host.segments(session.peer, move.mark):
        require(segment.ip.len <= LARGEST, "length of a packet", f"at most {LARGEST}", segment.ip.len, segment)


@exclusive
@valid
@requirement("REHASH-5-05", case=1)
def test_idle_connection_is_announced_in_a_duplicate_ack(node: Node, host: Host) -> None:
    """A host that moves and has nothing to send puts REHASH-ADDR on a duplicate ACK."""
    session = host.offers(node)
    peer = session.peer
    move = host.moves()
    try:
        segment, _ = host.announces(move, peer)
    except Broken:
        host.application_sends(session, b"with data it is announced")
        host.order_of(move, peer)
        raise
    seen = segment.flags, segment.tcp.ack, len(segment.data)
    expected = "A", peer.snd_nxt, 0
    require(seen == expected, "flags, acknowledgement and length", expected, seen, segment)


@valid
@requirement("REHASH-5-05", case=2)
def test_idle_connection_answers_in_a_duplicate_ack(node: Node, host: Host) -> None:
    """A host that has nothing to send puts the REHASH-INIT it owes on a duplicate ACK."""
    session = host.offers(node)
    node.moves()
    order = node.orders(session)
    try:
        segment = host.acknowledges(order)
    except Broken:
        node.rehashes(node.connects(), data=b"with data it is answered")
        raise
    seen = segment.flags, segment.tcp.ack, len(segment.data)
    expected = "A", order.end.snd_nxt, 0
    require(seen == expected, "flags, acknowledgement and length", expected, seen, segment)


@exclusive
@valid
@requirement("REHASH-5-06", case=1)
@waits(0.2)
def test_retransmitted_data_carries_the_order_again(node: Node, host: Host) -> None:
    """Data that carried REHASH-ADDR and is not acknowledged carries it again."""
    session = host.offers(node)
    move = host.moves()
    asked_ns = host.application_sends(session, b"with the order")
    segment = host.data_with_order(move, session, asked_ns)
    again = host.sees_again(session.peer, segment, LONG_S)
    require(again.order == segment.order, "REHASH-ADDR on the retransmission", segment.order, again.order, again)


@exclusive
@valid
@requirement("REHASH-5-07", case=1)
def test_time_to_the_duplicate_ack(node: Node, host: Host, case: Case) -> None:
    """Measured: time from the move to the duplicate ACK of an idle connection."""
    session = host.offers(node)
    move = host.moves()
    segment, _ = host.order_of(move, session.peer)
    case.values["move to duplicate ACK"] = f"{(segment.frame.ns - move.ns) / 1000:.0f} us"
