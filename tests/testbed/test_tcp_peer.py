# SPDX-License-Identifier: GPL-2.0-or-later
"""The crafted TCP peer against a real kernel's TCP."""

import time
from typing import Any

import pytest
from scapy.layers.inet import TCP

from testbed.case.case import Case
from testbed.case.verdict import Broken
from testbed.interruptions import Inconclusive
from testbed.peers.connection import connect, exchange
from testbed.peers.tcp import SEQUENCE_SPACE, TcpPeer, after
from testbed.wire.clock import Deadline
from tests.testbed.lab import Lab

CLOSED_PORT = 9


def hears(case: Case, peer: TcpPeer, since: int) -> list[TCP]:
    """What the kernel says to the peer from this position of the trace on, in 50 ms."""
    case.look(lambda: None, Deadline(time.time_ns(), 0.05))
    return [tcp for frame in case.trace.frames[since:] if (tcp := peer.owns(frame)) is not None]


def test_handshake_data_both_ways_and_close(lab: Lab, case: Case) -> None:
    peer = connect(case, case.station())
    assert (peer.state, peer.window > 0) == ("ESTABLISHED", True)
    exchange(case, peer, b"hello")
    exchange(case, peer, bytes(range(256)) * 5)
    assert bytes(peer.stream) == b"hello" + bytes(range(256)) * 5
    assert peer.snd_una == peer.snd_nxt
    peer.finishes()
    case.look(
        lambda: (peer.reads() and peer.state == "CLOSE-WAIT" and case.trace.frames[-1]) or None,
        Deadline(time.time_ns(), 1),
    )
    assert peer.state == "CLOSE-WAIT"
    last = peer.acknowledges()
    assert hears(case, peer, case.trace.mark_at(last.frame)) == []


def test_reset_ends_the_connection(lab: Lab, case: Case) -> None:
    peer = connect(case, case.station())
    peer.resets()
    sent = peer.transmits(peer.segment("PA", b"are you there"))
    assert [str(tcp.flags) for tcp in hears(case, peer, case.trace.mark_at(sent.frame))] == ["R"]


def test_refused_connection_is_preamble_trouble(lab: Lab, case: Case) -> None:
    with pytest.raises(Inconclusive, match="RESET"):
        connect(case, case.station(), remote_port=CLOSED_PORT)


def test_initial_sequence_number_before_the_wrap(lab: Lab, case: Case) -> None:
    peer = connect(case, case.station(), initial_sequence=SEQUENCE_SPACE - 3)
    exchange(case, peer, b"across the wrap")
    assert peer.snd_nxt == len(b"across the wrap") - 2


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
        ({"options": [(253, b"roam")]}, True),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_any_field_of_a_segment_can_be_wrong(lab: Lab, case: Case, changes: dict[str, Any], answered: bool) -> None:
    fields = dict(changes)
    peer = connect(case, case.station())
    sent = peer.transmits(peer.segment(fields.pop("flags", "PA"), b"data", **fields))
    assert bool(hears(case, peer, case.trace.mark_at(sent.frame))) == answered


def test_a_packet_cut_at_any_byte_can_be_sent(lab: Lab, case: Case) -> None:
    peer = connect(case, case.station())
    whole = bytes(peer.segment("PA", b"data"))
    start = case.mark()
    for length in range(len(whole)):
        case.station().sends(6, whole[:length])
        peer.station.sends(6, whole[:length])
    assert hears(case, peer, start) == []
    exchange(case, peer, b"unharmed")


def test_unacknowledged_data_comes_again_and_is_read_once(lab: Lab, case: Case) -> None:
    peer = connect(case, case.station())
    sent = peer.sends(b"once")
    case.look(lambda: case.trace.frames[-1] if hears(case, peer, 0)[1:] else None, Deadline(sent.ns, 1))
    peer.ignores_all_so_far()
    asked = time.time_ns()
    assert case.look(lambda: next(iter(peer.reads()), None), Deadline(asked, 2))
    assert bytes(peer.stream) == b"once"
    case.look(lambda: None, Deadline(time.time_ns(), 0.5))
    peer.reads()
    assert bytes(peer.stream) == b"once"
    assert any(frame.note == "treated as lost" for frame in case.trace.frames)
    peer.acknowledges()


def test_echo_that_does_not_come_is_broken_with_the_time_it_had(lab: Lab, case: Case) -> None:
    peer = connect(case, case.station())
    peer.loses(b"a hole")
    with pytest.raises(Broken, match="does not carry data") as caught:
        exchange(case, peer, b"behind the hole")
    assert caught.value.budget_ns == 500_000_000
    assert caught.value.finding.seen == "0 bytes"


@pytest.mark.parametrize(("left", "right", "distance"), [(5, 3, 2), (3, 5, -2), (1, SEQUENCE_SPACE - 1, 2), (7, 7, 0)])
def test_distance_of_sequence_numbers(left: int, right: int, distance: int) -> None:
    assert after(left, right) == distance
