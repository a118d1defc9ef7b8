# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection of the tester with a Rehash host, and what the tester has sent on one."""

from dataclasses import dataclass, field

from conformance.rehash.segment import RehashSegment
from conformance.rehash.tester.state import RehashState, state_of
from testbed.case.case import Case
from testbed.device.application import Connecting, Socket
from testbed.interruptions import Inconclusive
from testbed.peers.connection import await_state, first_segment
from testbed.peers.segment import Segment
from testbed.peers.stream import expect_stream
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.clock import Deadline


@dataclass(frozen=True)
class SentSegment:
    """A segment of the tester. `end` is where it came from: where a REHASH-ADDR on it moves the connection to."""

    end: TcpPeer
    sent: Sent
    mark: Mark
    data: bytes = b""

    @property
    def frame(self) -> Frame:
        """The capture's entry."""
        return self.sent.frame

    @property
    def ns(self) -> int:
        """When it was sent."""
        return self.sent.ns


@dataclass
class Connection:
    """A connection. `local` is the tester's end where it is now, `previous` the ends it was at before, oldest first.

    `application` is the socket at the device, where the upper tester knows it, `taken` how many bytes of the device's
    stream the case has looked at.
    """

    local: TcpPeer
    previous: list[TcpPeer] = field(default_factory=list)
    application: Socket | None = None
    taken: int = 0

    @property
    def socket(self) -> Socket:
        """The application's socket."""
        assert self.application, "the upper tester does not know the device's socket of this connection"
        return self.application

    @property
    def address(self) -> str:
        """The tester's address."""
        return self.local.station.address

    @property
    def state(self) -> RehashState:
        """The Rehash state of the tester's end."""
        return state_of(self.local)

    def await_nonce(self, case: Case, since_ns: int) -> None:
        """The device has sent its nonce, or sends it in the time that it has for that, as preamble."""
        self.local.read()
        if self.state.device_nonce is None:
            await_state(case, self.local, init_deadline(case, since_ns), lambda: self.state.device_nonce is not None)
        self.device_nonce()

    def device_nonce(self) -> int:
        """The nonce that the device has sent, as preamble."""
        if self.state.device_nonce is None:
            raise Inconclusive("preamble: no REHASH-INIT received from the DUT", repeat=False)
        return self.state.device_nonce

    def expect(self, case: Case, data: bytes, deadline: Deadline) -> None:
        """`data`, and nothing else, is what the device's stream brings next, in time; Broken otherwise."""
        expect_stream(case, self.local, data, deadline, self.taken)
        self.taken = len(self.local.stream)

    def skip(self) -> None:
        """Take in what has come so far without looking at it."""
        self.local.read()
        self.taken = len(self.local.stream)

    def rebind(self, sent: SentSegment) -> None:
        """Continue at the end that a segment was sent from."""
        self.previous.append(self.local)
        self.local = sent.end


@dataclass(frozen=True)
class Opening:
    """A connection that the device is opening: its first SYN, and the tester's end, which has not answered yet."""

    connecting: Connecting
    syn: RehashSegment
    local: TcpPeer


def is_intact(segment: Segment) -> bool:
    """Whether the checksum of a segment is right, as far as can be told: what is not intact a receiver drops."""
    frame = segment.frame
    return not frame.judgeable_checksum or segment.network.tcp_checksum_ok(frame.data)


def init_deadline(case: Case, since_ns: int) -> Deadline:
    """Until when REHASH-INIT is there, with other traffic or on a segment of its own."""
    ixit = case.setup.profile.ixit
    return case.deadline(max(ixit.tcp_within_s, ixit.rehash.idle_ack_within_s), since_ns)


def find_init(case: Case, sent: SentSegment, since: Mark | None = None) -> RehashSegment | None:
    """The first REHASH-INIT since a segment was sent, or since a mark, to the end that it came from, if in time."""

    def wanted(segment: Segment) -> bool:
        return RehashSegment.of(segment).init is not None and sent.end.owns(segment.frame) and is_intact(segment)

    begin = sent.mark if since is None else since
    found = first_segment(case, wanted, init_deadline(case, sent.ns), begin, sent.end.station)
    return RehashSegment.of(found) if found else None
