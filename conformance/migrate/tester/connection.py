# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection of the tester that can migrate, and Migrate SYNs of the tester's."""

from dataclasses import dataclass, field
from typing import Any

from conformance.migrate.segment import MigrateSegment
from layers.migrate import NO_KEY, REQNO_SPACE, request, token
from testbed.case.case import Case
from testbed.device.application import Connecting, Socket
from testbed.peers.stream import expect_stream
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.clock import Deadline


@dataclass
class Identity:
    """What Token and Request are made of: the initial numbers of SYN and SYN-ACK, and the key. `reqno` is the last."""

    ni: int
    na: int
    key: bytes = NO_KEY
    reqno: int | None = None

    @property
    def token(self) -> bytes:
        """The connection's Token."""
        return token(self.ni, self.na, self.key)

    def request(self, sequence: int, number: int) -> bytes:
        """The Request of a Migrate SYN with this sequence number; `number` is the byte of Preload and ReqNo."""
        return request(self.ni, self.na, self.key, sequence, number)

    def next_reqno(self) -> int:
        """The ReqNo of the next migration."""
        return 1 if self.reqno is None else (self.reqno + 1) % REQNO_SPACE


@dataclass(frozen=True)
class Crafted:
    """A segment as it can be sent again: the fields of its header, its options and data."""

    header: dict[str, Any]
    area: bytes
    data: bytes


@dataclass(frozen=True)
class SentMigrate:
    """A Migrate SYN, or a segment that pretends to be one. `end` is where it came from."""

    end: TcpPeer
    sent: Sent
    mark: Mark
    crafted: Crafted

    @property
    def sequence(self) -> int:
        """Its sequence number."""
        return int(self.crafted.header["seq"])

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
    """A connection. `local` is the tester's end where it is now, `previous` those before, oldest first.

    `identity` is None where it cannot migrate. `application` is the socket at the device, where the upper tester knows
    it, `taken` how many bytes of the device's stream the case has looked at.
    """

    local: TcpPeer
    identity: Identity | None = None
    previous: list[TcpPeer] = field(default_factory=list)
    application: Socket | None = None
    taken: int = 0

    @property
    def socket(self) -> Socket:
        """The application's socket."""
        assert self.application, "the upper tester does not know the device's socket of this connection"
        return self.application

    @property
    def known(self) -> Identity:
        """What Token and Request are made of."""
        assert self.identity, "this connection cannot migrate"
        return self.identity

    def expect(self, case: Case, data: bytes, deadline: Deadline) -> None:
        """`data`, and nothing else, is what the device's stream brings next, in time; Broken otherwise."""
        expect_stream(case, self.local, data, deadline, self.taken)
        self.taken = len(self.local.stream)

    def skip(self) -> None:
        """Take in what has come so far without looking at it."""
        self.local.read()
        self.taken = len(self.local.stream)

    def rebind(self, end: TcpPeer) -> None:
        """Continue at another end."""
        self.previous.append(self.local)
        self.local = end


@dataclass(frozen=True)
class Opening:
    """A connection that the device is opening: its first SYN, and the tester's end, which has not answered yet."""

    connecting: Connecting
    syn: MigrateSegment
    local: TcpPeer
