# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams of several connections at once, as ends have them that read and write at the same time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive
from testbed.peers.sequence import after
from testbed.peers.stream import TIMESTAMPS_ROOM, most_data, room
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame
from testbed.wire.clock import NANO, Deadline

_LONGEST_S = 60
AGAIN_S = 0.4
"""How long nothing has come when what is not acknowledged is sent again."""

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

    def send_again(self) -> None:
        """Send the first segment again that is not acknowledged, as TCP does when nothing comes."""
        left = after(self.sender.snd_nxt, self.sender.snd_una)
        if 0 < left <= self.sent:
            at = self.sent - left
            self.sender.send_out_of_window(self.data[at : at + min(left, most_data(self.sender))], -left)

    def push(self) -> None:
        """Send as much more of it as the device's window takes."""
        largest = most_data(self.sender) - (TIMESTAMPS_ROOM if self.sender.timestamps else 0)
        while self.sent < len(self.data) and (size := min(len(self.data) - self.sent, largest, room(self.sender))) > 0:
            self.sender.send(self.data[self.sent : self.sent + size])
            self.sent += size


def carry(case: Case, *flows: Flow) -> None:
    """All of the data comes, each flow's byte for byte, judged by its progress: Broken where none comes in time."""
    peers = list({id(one): one for flow in flows for one in (flow.sender, flow.receiver)}.values())
    _carry(case, flows, lambda: [frame for peer in peers if (frame := take(peer))])


class Echo:
    """A correspondent that sends back what comes, and takes no more while so many bytes have not gone out again."""

    def __init__(self, peer: TcpPeer, limit: int) -> None:
        self.peer, self._limit = peer, limit
        self._returned = self._begin = len(peer.stream)
        self._frames: list[Frame] = []

    def has(self, count: int) -> bool:
        """Whether so many bytes have come."""
        self._frames += self.peer.read()
        return len(self.peer.stream) - self._begin >= count

    def work(self) -> Frame | None:
        """Take what has come, send back what the device takes, and say how much more is taken."""
        frames = [*self._frames, *self.peer.read()]
        self._frames.clear()
        while (left := self.peer.stream[self._returned :]) and (size := min(most_data(self.peer), room(self.peer))) > 0:
            self.peer.send(bytes(left[:size]), window=self._window())
            self._returned += min(size, len(left))
        if frames:
            self.peer.acknowledge(window=self._window())
        return frames[-1] if frames else None

    def send_again(self) -> None:
        """Send the first segment again that is not acknowledged."""
        left = after(self.peer.snd_nxt, self.peer.snd_una)
        if 0 < left <= self._returned:
            at = self._returned - left
            self.peer.send_out_of_window(bytes(self.peer.stream[at : at + min(left, most_data(self.peer))]), -left)
            self.peer.acknowledge(window=self._window())

    def _window(self) -> int:
        return max(0, self._limit - (len(self.peer.stream) - self._returned))


def carry_through(case: Case, flow: Flow, echo: Echo, enough: int) -> None:
    """What a flow sends comes back from an echo, byte for byte, judged by its progress, until it is enough.

    The echo is a slow host: it works when its client cannot send any more, so that the device always has data for it.
    """

    def is_stuck() -> bool:
        end = flow.sender
        is_taken = end.snd_una == end.snd_nxt or echo.has(flow.sent)  # a device that splices acknowledges nothing
        return flow.sent == len(flow.data) or (is_taken and room(end) < most_data(end))

    def work() -> list[Frame]:
        frames = [frame for frame in (take(flow.receiver), echo.work() if is_stuck() else None) if frame]
        if len(flow.came) >= enough:
            flow.data = flow.data[: flow.sent]
        return frames

    _carry(case, [flow], work, echo)


def _carry(case: Case, flows: Sequence[Flow], work: Callable[[], list[Frame]], *echoes: Echo) -> None:
    """Let the ends work until all of the flows has come, or nothing comes any more; what was lost is sent again."""
    within_s = case.setup.profile.ixit.tcp_within_s

    def taken() -> int:
        return sum(len(flow.receiver.stream) for flow in flows)

    def is_over() -> bool:
        return all(flow.is_over for flow in flows)

    def look() -> Frame | None:
        before, frames = taken(), work()
        for flow in flows:
            flow.push()
        return max(frames, key=lambda frame: frame.ns) if frames and (taken() > before or is_over()) else None

    for flow in flows:
        flow.push()
    begun_ns = progress_ns = case.clock.now_ns()
    while not is_over():
        limit = Deadline(progress_ns, within_s)
        again = Deadline(case.clock.now_ns(), min(AGAIN_S, max(0.0, (limit.end_ns - case.clock.now_ns()) / NANO)))
        before = taken()
        if case.look(look, again) or taken() > before:  # what comes later than `again` is progress too
            progress_ns = case.clock.now_ns()
            if progress_ns > begun_ns + _LONGEST_S * NANO:
                raise Inconclusive(f"the device drips data: not all has come after {_LONGEST_S} s")
        elif case.clock.now_ns() >= limit.end_ns and not is_over():
            _judge(flows, limit)
        else:
            for flow in flows:
                flow.send_again()
            for echo in echoes:
                echo.send_again()
    _judge(flows, case.deadline())


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
