# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams of several connections at once, as ends have them that read and write at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive
from testbed.peers.stream import TIMESTAMPS_ROOM, most_data, room
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame
from testbed.wire.clock import NANO, Deadline

_LONGEST_S = 60
_SHOWN = 40
_ALIVE = ("ESTABLISHED", "CLOSE-WAIT")


def take(peer: TcpPeer) -> Frame | None:
    """Read all that has come, and acknowledge it where it brought anything; the last frame."""
    before = peer.rcv_nxt
    frames = peer.read()
    if peer.state in _ALIVE and (peer.rcv_nxt != before or any(_has_data(peer, frame) for frame in frames)):
        peer.acknowledge()
    return frames[-1] if frames else None


def _has_data(peer: TcpPeer, frame: Frame) -> bool:
    segment = peer.segment_in(frame)
    return bool(segment and segment.data)


@dataclass
class Flow:
    """Data from one end to another: `data` is what the receiver's stream has to bring from byte `start` on."""

    sender: TcpPeer
    receiver: TcpPeer
    data: bytes
    start: int = 0
    sent: int = field(default=0, init=False)

    @classmethod
    def of(cls, sender: TcpPeer, receiver: TcpPeer, data: bytes) -> "Flow":
        """Data that follows what has come."""
        return cls(sender, receiver, data, len(receiver.stream))

    @property
    def came(self) -> bytes:
        """What has come of it."""
        return bytes(self.receiver.stream[self.start :])

    @property
    def is_over(self) -> bool:
        """Whether nothing more of it can change the verdict."""
        return len(self.receiver.stream) - self.start >= len(self.data) or self.receiver.state == "RESET"

    def push(self) -> None:
        """Send as much more of it as the device's window takes."""
        largest = most_data(self.sender) - (TIMESTAMPS_ROOM if self.sender.timestamps else 0)
        while self.sent < len(self.data) and (size := min(len(self.data) - self.sent, largest, room(self.sender))) > 0:
            self.sender.send(self.data[self.sent : self.sent + size])
            self.sent += size


def carry(case: Case, *flows: Flow) -> None:
    """All of the data comes, each flow's byte for byte, judged by its progress: Broken where none comes in time."""
    progress = _Progress(case, flows)
    for flow in flows:
        flow.push()
    end_ns = case.clock.now_ns() + _LONGEST_S * NANO
    while not progress.is_over():
        deadline = Deadline(progress.ns, case.setup.profile.ixit.tcp_within_s)
        if case.clock.now_ns() > end_ns:
            raise Inconclusive(f"the device drips data: {progress.missing()} bytes are left after {_LONGEST_S} s")
        if case.look(progress.look, deadline) is None:
            _judge(flows, deadline)
    _judge(flows, case.deadline())


class _Progress:
    """What has come of flows, and when the last of it did."""

    def __init__(self, case: Case, flows: Sequence[Flow]) -> None:
        self._case, self._flows = case, flows
        self._peers = list({id(one): one for flow in flows for one in (flow.sender, flow.receiver)}.values())
        self.ns = case.clock.now_ns()

    def is_over(self) -> bool:
        return all(flow.is_over for flow in self._flows)

    def missing(self) -> int:
        return sum(max(0, len(flow.data) - len(flow.came)) for flow in self._flows)

    def look(self) -> Frame | None:
        """The frame by which data has come; whatever has room is sent."""
        before = sum(len(flow.receiver.stream) for flow in self._flows)
        frames = [frame for peer in self._peers if (frame := take(peer))]
        for flow in self._flows:
            flow.push()
        if not frames or (sum(len(flow.receiver.stream) for flow in self._flows) == before and not self.is_over()):
            return None
        self.ns = self._case.clock.now_ns()
        return max(frames, key=lambda frame: frame.ns)


class Echo:
    """A correspondent that sends back what comes, and takes no more while so many bytes have not gone out again."""

    def __init__(self, peer: TcpPeer, limit: int) -> None:
        self.peer, self._limit = peer, limit
        self._returned = len(peer.stream)
        self._told = limit

    def work(self) -> Frame | None:
        """Take what has come, send back what the device takes, and say how much more is taken."""
        before = self.peer.rcv_nxt
        frames = self.peer.read()
        while (left := self.peer.stream[self._returned :]) and (size := min(most_data(self.peer), room(self.peer))) > 0:
            self.peer.send(bytes(left[:size]), window=self._window())
            self._returned += min(size, len(left))
            self._told = self._window()
        if self.peer.rcv_nxt != before or self._window() != self._told:
            self.peer.acknowledge(window=self._window())
            self._told = self._window()
        return frames[-1] if frames else None

    def _window(self) -> int:
        return max(0, self._limit - (len(self.peer.stream) - self._returned))


def carry_through(case: Case, flow: Flow, echo: Echo, enough: int) -> None:
    """What a flow sends comes back from an echo, byte for byte, judged by its progress, until it is enough.

    The echo is a slow host: it works when its client cannot send any more, so that the device always has data for it.
    """
    flow.push()
    ns, end_ns = case.clock.now_ns(), case.clock.now_ns() + _LONGEST_S * NANO
    last: list[Frame] = []

    def is_stuck() -> bool:
        end = flow.sender
        return flow.sent == len(flow.data) or (end.snd_una == end.snd_nxt and room(end) < most_data(end))

    def look() -> Frame | None:
        before = len(flow.receiver.stream)
        frames = [frame for frame in (take(flow.receiver), echo.work() if is_stuck() else None) if frame]
        if len(flow.came) >= enough:
            flow.data = flow.data[: flow.sent]
        flow.push()
        last.extend(frames)
        return last[-1] if len(flow.receiver.stream) > before or flow.is_over else None

    while not flow.is_over:
        deadline = Deadline(ns, case.setup.profile.ixit.tcp_within_s)
        if case.clock.now_ns() > end_ns:
            raise Inconclusive("the device drips data")
        if case.look(look, deadline) is None:
            _judge([flow], deadline)
        ns = case.clock.now_ns()
    _judge([flow], case.deadline())


def _judge(flows: Sequence[Flow], deadline: Deadline) -> None:
    for flow in flows:
        require_stream(flow.receiver, flow.came, flow.data, deadline)


def require_stream(peer: TcpPeer, came: bytes, data: bytes, deadline: Deadline) -> None:
    """Broken where what has come is not the data."""
    if came == data:
        return
    same = next((place for place, (one, other) in enumerate(zip(came, data, strict=False)) if one != other), None)
    how = "a reset" if peer.state == "RESET" else f"{len(came)}"
    if same is not None:
        how += f", of which byte {same} is the first that differs"
    at = same or 0
    raise Broken(
        Finding(
            f"data to {peer}: expected {len(data)} bytes, got {how}",
            f"{data[at : at + _SHOWN]!r} from byte {at} on ({len(data)} bytes)",
            f"{came[at : at + _SHOWN]!r} from byte {at} on ({len(came)} bytes)" if came else "nothing",
        ),
        deadline,
    )
