# SPDX-License-Identifier: GPL-2.0-or-later
"""The crafted TCP peer against a real kernel's TCP."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP

from layers.tcp_options import HEADER, RawOption, TimestampOption, walk_options
from testbed.case.case import Case
from testbed.interruptions import Inconclusive
from testbed.peers.connection import await_state, connect, new_peer
from testbed.peers.options import Options
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE, after
from testbed.peers.stream import exchange, expect_stream
from testbed.peers.tcp import TIMESTAMPS, TcpPeer
from testbed.wire.capture import Mark, Sent
from tests.testbed.lab import Lab

CLOSED_PORT = 9
OPTION = 253
ANOTHER_ADDRESS = "198.18.0.99"


@dataclass
class Counter:
    """An option that numbers what is sent, and remembers what has come."""

    number: int = 0
    flags: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)

    def on_send(self, peer: TcpPeer, flags: str) -> Options:
        self.number += 1
        self.flags = [*self.flags, flags]
        return [bytes([OPTION, 4]) + self.number.to_bytes(2, "big")]

    def on_receive(self, peer: TcpPeer, segment: Segment) -> None:
        self.received = [*self.received, segment.flags]


def connected(case: Case, **choices: Any) -> TcpPeer:
    """A connection of a new station."""
    return connect(case, new_peer(case, case.station(), **choices))


def answers(case: Case, peer: TcpPeer, since: Mark) -> list[TCP]:
    """What the kernel sends to the peer since a mark, in 50 ms."""
    case.watch(0.05)
    return [segment.tcp for frame in case.trace.received(since) if (segment := peer.segment_in(frame))]


def answers_to(case: Case, peer: TcpPeer, sent: Sent) -> list[TCP]:
    """The same since a segment was sent."""
    return answers(case, peer, case.trace.mark_at(sent.frame))


def options_of(peer: TcpPeer, sent: Sent) -> list[RawOption]:
    """The options of a segment that the tester sent, as they stand on the wire."""
    segment = peer.station.network.payload(sent.data)
    return list(walk_options(segment[HEADER : (segment[12] >> 4) * 4]))


def emit(lab: Lab, case: Case, peer: TcpPeer, source: str, data: bytes, further: int = 0) -> None:
    """Have the device send data of a connection from this address, the next one or so many bytes `further` on."""
    sequence = (peer.rcv_nxt + further) % SEQUENCE_SPACE
    tcp = TCP(sport=peer.remote_port, dport=peer.port, seq=sequence, ack=peer.snd_nxt, flags="PA")
    packet = IP(src=source, dst=peer.station.address) / tcp / data
    frame = case.network.frame(case.dut_mac, case.interface.mac, packet)
    lab.tells("emit", frames=[frame.hex()])


def test_handshake_data_both_ways_and_close(lab: Lab, case: Case) -> None:
    peer = connected(case)
    assert (peer.state, peer.window > 0) == ("ESTABLISHED", True)
    exchange(case, peer, b"hello")
    exchange(case, peer, bytes(range(256)) * 5)
    assert bytes(peer.stream) == b"hello" + bytes(range(256)) * 5
    assert peer.snd_una == peer.snd_nxt
    fin = peer.finish()
    assert await_state(case, peer, case.deadline(1, fin.ns), lambda: peer.state == "CLOSE-WAIT")
    assert answers_to(case, peer, peer.acknowledge()) == []


def test_reset_ends_the_connection(lab: Lab, case: Case) -> None:
    peer = connected(case)
    peer.reset()
    sent = peer.transmit(peer.segment("PA", b"are you there"))
    assert [str(tcp.flags) for tcp in answers_to(case, peer, sent)] == ["R"]


def test_refused_connection_is_preamble_trouble(lab: Lab, case: Case) -> None:
    with pytest.raises(Inconclusive, match="RESET"):
        connected(case, remote_port=CLOSED_PORT)


def test_initial_sequence_number_before_the_wrap(lab: Lab, case: Case) -> None:
    peer = connected(case, initial_sequence=SEQUENCE_SPACE - 3)
    exchange(case, peer, b"across the wrap")
    assert peer.snd_nxt == len(b"across the wrap") - 2


def test_segment_size_is_the_one_that_the_peer_announces(lab: Lab, case: Case) -> None:
    peer = connected(case, mss=600)
    sent = peer.send(bytes(1000))
    assert await_state(case, peer, case.deadline(), lambda: len(peer.stream) == 1000)
    sizes = [len(tcp.payload) for tcp in answers_to(case, peer, sent)]
    assert max(sizes) == 600


@pytest.mark.parametrize(
    ("changes", "answered"),
    [
        ({"chksum": 0x1234}, False),
        ({"dataofs": 3}, False),
        ({"dataofs": 15}, False),
        ({"seq": 5}, True),
        ({"flags": "PAU", "urgptr": 3}, True),
        ({"reserved": 7}, True),
        ({"flags": ""}, False),
        ({"options": [bytes([OPTION, 6]) + b"roam"]}, True),
        ({"options": [bytes([OPTION, 40]) + b"long"]}, True),
    ],
    ids=["chksum", "dataofs 3", "dataofs 15", "seq", "urgent", "reserved", "flags", "option", "overlong option"],
)
def test_any_field_of_a_segment_can_be_wrong(lab: Lab, case: Case, changes: dict[str, Any], answered: bool) -> None:
    fields = dict(changes)
    peer = connected(case)
    sent = peer.transmit(peer.segment(fields.pop("flags", "PA"), b"data", **fields))
    assert bool(answers_to(case, peer, sent)) == answered


def test_a_packet_cut_at_any_byte_can_be_sent(lab: Lab, case: Case) -> None:
    peer = connected(case)
    whole = bytes(peer.segment("PA", b"data"))
    start = case.mark()
    for length in range(len(whole)):
        case.station().send(6, whole[:length])
        peer.station.send(6, whole[:length])
    assert answers(case, peer, start) == []
    exchange(case, peer, b"unharmed")


def test_unacknowledged_data_comes_again_and_is_read_once(lab: Lab, case: Case) -> None:
    peer = connected(case)
    start = case.mark()
    peer.send(b"once")
    assert len(answers(case, peer, start)) > 1
    peer.drop_unread()
    assert await_state(case, peer, case.deadline(2), lambda: bool(peer.stream))
    assert bytes(peer.stream) == b"once"
    case.watch(0.5)
    peer.read()
    assert bytes(peer.stream) == b"once"
    notes = {frame.note for frame in case.trace.frames}
    assert {"treated as lost", "retransmission"} <= notes
    peer.acknowledge()


def test_data_is_dropped_until_the_peer_continues_somewhere(lab: Lab, case: Case) -> None:
    peer = connected(case)
    peer.drop_incoming()
    start = case.mark()
    peer.send(b"dropped")
    assert answers(case, peer, start)
    assert peer.read() == []
    peer.rebind(peer.station, peer.port)
    assert await_state(case, peer, case.deadline(2), lambda: bytes(peer.stream) == b"dropped")


def test_retransmission_fills_the_gap_that_lost_data_left(lab: Lab, case: Case) -> None:
    peer = connected(case)
    peer.send_lost(b"lost")
    peer.send_out_of_window(b"next", 0)
    case.watch(0.05)
    peer.read()
    assert peer.stream == b""
    peer.retransmit(b"lost")
    assert await_state(case, peer, case.deadline(), lambda: bytes(peer.stream) == b"lostnext")


def test_data_that_came_early_is_acknowledged_as_duplicate_and_kept(lab: Lab, case: Case) -> None:
    """The first of four segments comes last: each of the others gives a duplicate ACK, and none has to come again."""
    peer = connected(case)
    begun, expected = case.mark(), peer.rcv_nxt
    for place in (1, 2, 3, 2, 0):
        emit(lab, case, peer, case.network.dut, bytes([place]) * 10, 10 * place)
    whole = b"".join(bytes([place]) * 10 for place in range(4))
    expect_stream(case, peer, whole, case.deadline())
    case.watch(0.05)
    frames, _ = case.trace.since(begun)
    early = next(place for place, frame in enumerate(frames) if frame.note == "out of order")
    numbers = [TCP(case.network.payload(frame.data)).ack for frame in frames[early:] if frame.outgoing]
    assert numbers == [expected] * 4 + [(expected + len(whole)) % SEQUENCE_SPACE]


def test_timestamps_are_sent_and_echoed(lab: Lab, case: Case) -> None:
    peer = connected(case, timestamps=True)
    first = peer.echo
    assert first > 0
    sent = peer.send(b"what time is it")
    (stamps,) = (option for option in options_of(peer, sent) if option.kind == TIMESTAMPS)
    assert stamps.raw[2:] == peer.clock.to_bytes(4, "big") + first.to_bytes(4, "big")
    case.watch(0.05)
    segments = [segment for frame in peer.read() if (segment := Segment.read(frame, case.network))]
    echoes = [int.from_bytes(option.raw[6:], "big") for one in segments if (option := one.option(TIMESTAMPS))]
    assert len(echoes) == len(segments) > 0
    assert set(echoes) == {peer.clock}
    assert peer.echo >= first


def test_timestamps_that_are_given_stand_alone(lab: Lab, case: Case) -> None:
    peer = new_peer(case, case.station(), timestamps=True)
    sent = peer.start_with([b"\x02\x04\x05\xb4", TimestampOption(tsval=7, tsecr=0)])
    assert [(option.kind, option.raw[2:6]) for option in options_of(peer, sent)[:2]] == [
        (2, b"\x05\xb4"),
        (TIMESTAMPS, b"\x00\x00\x00\x07"),
    ]
    assert sum(option.kind == TIMESTAMPS for option in options_of(peer, sent)) == 1
    assert await_state(case, peer, case.deadline(), lambda: peer.state == "ESTABLISHED")
    peer.reset()


def test_data_out_of_order_is_acknowledged_selectively(lab: Lab, case: Case) -> None:
    peer = connected(case, timestamps=True)
    before = peer.snd_nxt
    sent = peer.send_out_of_window(b"later", 100)
    case.watch(0.05)
    blocks = [segment.sack for frame in peer.read() if (segment := Segment.read(frame, case.network))]
    left = (before + 100) % SEQUENCE_SPACE
    assert blocks == [[(left, (left + 5) % SEQUENCE_SPACE)]], sent
    assert peer.snd_nxt == before


def test_options_of_protocols_stand_on_every_segment_and_see_every_answer(lab: Lab, case: Case) -> None:
    counter = Counter()
    peer = connected(case, options=[counter])
    assert (counter.flags, counter.received) == (["S", "A"], ["SA"])
    sent = peer.send(b"data", options=[b"\x01"])
    assert [option.raw for option in options_of(peer, sent)[:2]] == [b"\x01", bytes([OPTION, 4, 0, 3])]
    assert await_state(case, peer, case.deadline(), lambda: bytes(peer.stream) == b"data")
    assert counter.received[1:] in (["A", "PA"], ["PA"])


def test_the_same_connection_at_another_address_is_a_copy(lab: Lab, case: Case) -> None:
    counter = Counter()
    peer = connected(case, options=[counter])
    exchange(case, peer, b"here")
    numbers = peer.snd_nxt, peer.rcv_nxt
    end = peer.at(case.station(), 4711)
    assert (end.snd_nxt, end.rcv_nxt, end.port, bytes(end.stream)) == (*numbers, 4711, b"here")
    seen = counter.number
    sent = end.send(b"there")
    assert [str(tcp.flags) for tcp in answers_to(case, end, sent)] == ["R"]
    end.read()
    assert (end.state, peer.state) == ("RESET", "ESTABLISHED")
    assert (peer.snd_nxt, peer.rcv_nxt) == numbers
    assert counter.number == seen
    assert isinstance(copied := end.options[0], Counter)
    assert (copied.number, copied.received[-1]) == (seen + 1, "R")
    end.stream += b"!"
    exchange(case, peer, b"still here")


def test_segments_from_another_address_are_of_the_connection_when_it_is_followed(lab: Lab, case: Case) -> None:
    peer = connected(case, checks_source=True)
    mark = case.mark()
    emit(lab, case, peer, ANOTHER_ADDRESS, b"moved")
    case.watch(0.05)
    assert peer.read() == []
    peer.follow_remote(ANOTHER_ADDRESS, mark)
    peer.read()
    assert (peer.remote, bytes(peer.stream)) == (ANOTHER_ADDRESS, b"moved")


def test_any_source_will_do_unless_it_is_checked(lab: Lab, case: Case) -> None:
    peer = connected(case)
    emit(lab, case, peer, ANOTHER_ADDRESS, b"moved")
    case.watch(0.05)
    peer.read()
    assert bytes(peer.stream) == b"moved"


@pytest.mark.parametrize(("left", "right", "distance"), [(5, 3, 2), (3, 5, -2), (1, SEQUENCE_SPACE - 1, 2), (7, 7, 0)])
def test_distance_of_sequence_numbers(left: int, right: int, distance: int) -> None:
    assert after(left, right) == distance
