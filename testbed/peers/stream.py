# SPDX-License-Identifier: GPL-2.0-or-later
"""The stream of bytes that a device sends: right, in order, in time."""

from collections.abc import Callable

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive
from testbed.peers.segment import tcp_carrier
from testbed.peers.sequence import after
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame, Sent
from testbed.wire.clock import NANO, Deadline
from testbed.wire.headers import read_tcp

ECHO = "echo"
"""What the answers of the echo service are called where their times are kept."""

TIMESTAMPS_ROOM = 12
"""Bytes of a segment that the Timestamps option takes, padded."""

_SHOWN = 40
_LONGEST_TRANSFER_S = 120


def exchange(case: Case, peer: TcpPeer, data: bytes) -> None:
    """Send `data` to the echo service and get it back byte-exact; Broken if it does not come."""
    start = len(peer.stream)
    sent = send_stream(case, peer, data)
    last = expect_stream(case, peer, data, case.deadline(since_ns=sent.ns), start)
    if last:
        case.answered(ECHO, sent.ns, last.ns)


def send_stream(case: Case, peer: TcpPeer, data: bytes) -> Sent:
    """Send data in segments that the device takes, none of them past its window; the last of them.

    What comes meanwhile is acknowledged. A window that stays shut is overrun by one segment: what the device makes of
    that is then the finding.
    """
    largest = most_data(peer) - (TIMESTAMPS_ROOM if peer.timestamps else 0)
    at = 0
    while True:
        wanted = min(len(data) - at, largest)
        _await_room(case, peer, wanted)
        size = min(wanted, room(peer)) if room(peer) > 0 else wanted
        sent = peer.send(data[at : at + size])
        at += size
        if at == len(data):
            return sent


def room(peer: TcpPeer) -> int:
    """How many bytes more the device's window takes."""
    return after(peer.snd_una + peer.window, peer.snd_nxt)


def most_data(peer: TcpPeer) -> int:
    """The most data that a segment without options brings the device: what it takes, and the tester's interface too."""
    return min(peer.largest, peer.station.segment_room)


def fitting(peer: TcpPeer) -> int:
    """The most data that one segment can bring the device now: no larger than the path takes, nor than its window."""
    return max(1, min(most_data(peer), room(peer)))


def _await_room(case: Case, peer: TcpPeer, wanted: int) -> None:
    """A segment of `wanted` bytes fits the device's window, or nothing of what was sent is on its way any more."""

    def makes_room() -> Frame | None:
        frames, _ = _take(peer)
        return frames[-1] if frames and has_room() else None

    def has_room() -> bool:
        return room(peer) >= wanted or (peer.snd_una == peer.snd_nxt and room(peer) > 0)

    if not has_room():
        case.look(makes_room, case.deadline())


def expect_stream(case: Case, peer: TcpPeer, data: bytes, deadline: Deadline, start: int | None = None) -> Frame | None:
    """`data`, and nothing else, is in time what the device's stream brings from byte `start` on, or from now on.

    What comes is acknowledged at once, so that a device with a small congestion window can continue. Each part of it
    gives the next one the whole time again, from the tester's acknowledgement on: a transfer is judged by its progress,
    and waited for two minutes at the most (Inconclusive).
    The frame that completed it, None where all had been read before.
    """
    begin = len(peer.stream) if start is None else start
    seen: list[Frame] = []
    progress_ns = 0

    def arrived() -> bool:
        return len(peer.stream) >= begin + len(data) or peer.state == "RESET"

    def complete() -> Frame | None:
        nonlocal progress_ns
        frames, is_progress = _take(peer, arrived)
        seen.extend(frames)
        if is_progress:
            progress_ns = case.clock.now_ns()
        return seen[-1] if seen and arrived() else None

    if len(peer.stream) > begin:
        peer.acknowledge()
    before = len(peer.stream) >= begin + len(data)
    last = complete() if before else case.look(complete, deadline)
    end_ns = deadline.start_ns + _LONGEST_TRANSFER_S * NANO
    while not (last or before or arrived()) and progress_ns > deadline.start_ns:
        if progress_ns > end_ns:
            what = f"{len(peer.stream) - begin} of {len(data)} bytes came within {_LONGEST_TRANSFER_S} s"
            raise Inconclusive(f"the device drips data on the connection to {peer}: {what}", repeat=False)
        deadline = Deadline(progress_ns, deadline.within_s)
        last = case.look(complete, deadline)
    seen.extend(peer.read())
    came = bytes(peer.stream[begin:])
    if came != data or not (last or before):
        raise Broken(
            Finding(
                f"data on the connection to {peer}: expected {len(data)} bytes, got {_how(peer, data, came)}",
                f"{data[:_SHOWN]!r} ({len(data)} bytes) within {deadline.within_s:g} s",
                f"{came[:_SHOWN]!r} ({len(came)} bytes)" if came else "nothing",
                frames=[last] if last else seen[-1:],
            ),
            seen[-1] if peer.state == "RESET" and seen else deadline,
        )

    return last


def _take(peer: TcpPeer, until: Callable[[], bool] = lambda: False) -> tuple[list[Frame], bool]:
    """Read what has come (see `TcpPeer.read`), acknowledging each segment of data; the frames, and whether any was new.

    Data out of order and data that had come already are acknowledged too: it is by these duplicate ACKs that a device
    finds out about a loss (RFC 5681, 4.2; RFC 9293, 3.10.7.4).
    """
    taken = len(peer.stream)
    frames: list[Frame] = []
    while not (frames and until()) and (news := peer.read(until=lambda: True)):
        frames += news
        segment = peer.segment_in(news[0])
        if segment and segment.data and peer.state == "ESTABLISHED":
            peer.acknowledge()
    return frames, len(peer.stream) > taken and peer.state == "ESTABLISHED"


def _how(peer: TcpPeer, data: bytes, came: bytes) -> str:
    if peer.state == "RESET":
        return "a reset"
    if came == data:
        return "them too late"
    same = next((place for place, (one, other) in enumerate(zip(came, data, strict=False)) if one != other), None)
    if same is None:
        return f"{len(came)}"
    return f"{len(came)}, of which byte {same} is the first that differs"


def slowest_answer_ns(case: Case) -> int:
    """How long the tester took at the most to answer a segment of the device: that is what the device has measured."""
    waiting: dict[tuple[int, int], int] = {}
    slowest = 0
    for frame in case.trace.frames:
        ip = tcp_carrier(frame, case.sides[frame.interface].network)
        tcp = read_tcp(frame.data[ip.start : ip.end]) if ip else None
        if tcp is None:
            continue
        if frame.outgoing:
            slowest = max(slowest, frame.ns - waiting.pop((tcp.source_port, tcp.destination_port), frame.ns))
        else:
            waiting.setdefault((tcp.destination_port, tcp.source_port), frame.ns)
    return slowest
