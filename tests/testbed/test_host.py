# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams, silence and connections of a device with a real kernel's TCP."""

from typing import Any

import pytest

from testbed.case.case import Case
from testbed.case.verdict import Broken
from testbed.peers.connection import connect, new_peer
from testbed.peers.host import Host
from testbed.peers.segment import Segment
from testbed.peers.stream import exchange, expect_stream
from testbed.peers.tcp import TcpPeer
from testbed.wire.clock import Deadline
from tests.testbed.lab import Lab

CLOSED_PORT = 9


@pytest.fixture
def dut(case: Case) -> Host:
    """The puppet as an ordinary host."""
    return Host(case)


def connected(case: Case, **choices: Any) -> TcpPeer:
    """A connection of a new station."""
    return connect(case, new_peer(case, case.station(), **choices))


def test_echo_that_does_not_come_is_broken_with_the_time_it_had(lab: Lab, case: Case) -> None:
    peer = connected(case)
    peer.send_lost(b"a hole")
    with pytest.raises(Broken, match="expected 14 bytes, got 0") as caught:
        exchange(case, peer, b"after the hole")
    assert caught.value.deadline
    assert caught.value.deadline.budget_ns == 500_000_000
    assert caught.value.finding.seen == "nothing"


def test_stream_with_a_wrong_byte_is_broken(lab: Lab, case: Case) -> None:
    peer = connected(case)
    sent = peer.send(b"right")
    with pytest.raises(Broken, match="expected 5 bytes, got 5, of which byte 3 is the first that differs") as caught:
        expect_stream(case, peer, b"rigth", case.deadline(since_ns=sent.ns))
    assert caught.value.finding.frames


def test_stream_that_is_too_long_is_broken(lab: Lab, case: Case) -> None:
    peer = connected(case)
    sent = peer.send(b"more")
    with pytest.raises(Broken, match="expected 3 bytes, got 4"):
        expect_stream(case, peer, b"mor", case.deadline(since_ns=sent.ns))


def test_what_came_in_time_stays_in_time_when_it_is_read_late(lab: Lab, case: Case) -> None:
    """The device has sent it again after the deadline, and the tester reads both at once."""
    peer = connected(case)
    sent = peer.send(b"in time")
    case.watch(0.6)
    again = [frame for frame in case.trace.received() if frame.ns > sent.ns + 150_000_000]
    assert again, "nothing was acknowledged: the kernel sends it again after 0.2 s"
    expect_stream(case, peer, b"in time", Deadline(sent.ns, 0.15))


def test_connection_of_an_earlier_attempt_is_reset(lab: Lab, case: Case) -> None:
    """A tuple that a scenario fixes is free again, though the device has not heard of the end."""
    first = connected(case)
    second = connect(case, new_peer(case, first.station, first.port))
    exchange(case, second, b"another connection")


def test_stream_that_comes_too_late_is_broken(lab: Lab, case: Case) -> None:
    peer = connected(case)
    sent = peer.send(b"late")
    case.watch(0.05)
    with pytest.raises(Broken, match="expected 4 bytes, got them too late") as caught:
        expect_stream(case, peer, b"late", Deadline(sent.ns, 0))
    assert caught.value.deadline == Deadline(sent.ns, 0)


def test_stream_that_a_reset_ends_is_broken_at_once(lab: Lab, case: Case) -> None:
    peer = connected(case)
    peer.transmit(peer.segment("RA"))
    sent = peer.send(b"anybody?")
    with pytest.raises(Broken, match="expected 8 bytes, got a reset") as caught:
        expect_stream(case, peer, b"anybody?", Deadline(sent.ns, 60))
    assert caught.value.deadline is None
    assert case.clock.now_ns() < sent.ns + 5_000_000_000


def test_stream_that_has_been_read_is_not_waited_for(lab: Lab, case: Case) -> None:
    peer = connected(case)
    exchange(case, peer, b"here")
    begun = case.clock.now_ns()
    expect_stream(case, peer, b"here", Deadline(begun, 60), start=0)
    assert case.clock.now_ns() < begun + 5_000_000_000


def test_stream_is_acknowledged_while_it_comes(lab: Lab, case: Case) -> None:
    """More than a congestion window: the kernel continues only when the first segments are acknowledged."""
    peer = connected(case, mss=100)
    for part in (data := [bytes([number]) * 1400 for number in range(4)]):
        peer.send(part)
    expect_stream(case, peer, b"".join(data), case.deadline(2))
    assert peer.snd_una == peer.snd_nxt


def test_silence_is_proved_by_an_answer_to_somebody_else(lab: Lab, case: Case, dut: Host) -> None:
    peer = connected(case)
    mark = case.mark()
    dut.expect_silence(peer, mark, resets=False)
    assert any(Segment.read(frame, case.network) for frame in case.trace.received(mark))


def test_segment_breaks_the_silence(lab: Lab, case: Case, dut: Host) -> None:
    peer = connected(case)
    mark = case.mark()
    peer.send(b"say something")
    with pytest.raises(Broken, match=f"segment received at {peer}") as caught:
        dut.expect_silence(peer, mark)
    assert caught.value.finding.frames[0].note == "must not be sent"
    assert caught.value.deadline is None


def test_reset_is_silence_unless_it_is_not(lab: Lab, case: Case, dut: Host) -> None:
    end = connected(case).at(case.station())
    mark = case.mark()
    end.send(b"no connection here")
    dut.expect_silence(end, mark)
    with pytest.raises(Broken, match="segment received"):
        dut.expect_silence(end, mark, resets=False)


def test_segments_are_those_of_the_end_since_the_mark(lab: Lab, case: Case, dut: Host) -> None:
    peer, other = connected(case), connected(case)
    mark = case.mark()
    exchange(case, other, b"other")
    exchange(case, peer, b"data")
    assert [one.data for one in dut.segments(peer, mark) if one.data] == [b"data"]
    assert dut.segments(peer, mark, source="198.18.0.99") == []
    assert len(dut.segments(peer)) > len(dut.segments(peer, mark)) == len(dut.segments(peer, mark, dut.address))


def test_a_segment_is_awaited_until_the_deadline(lab: Lab, case: Case, dut: Host) -> None:
    peer = connected(case)
    mark = case.mark()
    assert dut.await_segment(peer, mark, lambda one: one.data, case.deadline(0.05)) is None
    peer.send(b"data")
    segment = dut.await_segment(peer, mark, lambda one: one.data)
    assert segment
    assert (segment.data, segment.source) == (b"data", dut.address)


def test_the_device_closes_after_a_fin(lab: Lab, case: Case, dut: Host) -> None:
    peer = connected(case)
    dut.closes(peer, peer.finish().ns)
    assert peer.state == "CLOSE-WAIT"


def test_a_fin_that_the_device_cannot_take_closes_nothing(lab: Lab, case: Case, dut: Host) -> None:
    peer = connected(case)
    peer.send_lost(b"a hole")
    fin = peer.finish()
    with pytest.raises(Broken, match="not closed") as caught:
        dut.closes(peer, fin.ns)
    assert caught.value.deadline == Deadline(fin.ns, 0.5)
    assert caught.value.finding.seen == "ESTABLISHED"


def test_a_new_connection_is_accepted_and_carries_data(lab: Lab, case: Case, dut: Host) -> None:
    peer = new_peer(case, case.station())
    dut.accepts_new_connection(peer)
    assert (peer.state, bytes(peer.stream)) == ("ESTABLISHED", b"still there")


def test_a_new_connection_that_is_refused_is_broken(lab: Lab, case: Case, dut: Host) -> None:
    peer = new_peer(case, case.station(), remote_port=CLOSED_PORT)
    with pytest.raises(Broken, match=f"new connection from {peer}"):
        dut.accepts_new_connection(peer)


def test_every_barrier_is_a_new_neighbour_of_the_device(lab: Lab, case: Case, dut: Host) -> None:
    for _ in range(2):
        dut.barrier()
    segments = [segment for frame in case.trace.received() if (segment := Segment.read(frame, case.network))]
    assert len({segment.destination for segment in segments if segment.flags == "SA"}) == 2
