# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of what joins two connections: their streams, their closes, and what is kept."""

import errno
import socket
from typing import Any

from reference.msocks.loop import EventLoop
from reference.msocks.proxy import Proxy, ProxyParts
from reference.msocks.relay import Relay
from reference.msocks.settings import ProxySettings
from reference.msocks.stream import Stream
from reference.system.alterations import deviation

_MANY = 150_000
_RECVERR = 11


class _Thinned(Stream):
    """Leaves out one byte, far on in the stream."""

    def append(self, data: bytes) -> None:
        if self.end < _MANY <= self.end + len(data):
            data = data[:-1]
        super().append(data)


@deviation("msocks-byte-lost-outward", "4", "No byte is lost.", "one is, 150,000 bytes on, on the way out")
class ByteLostOutward(Relay):
    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.to_outside = _Thinned()


@deviation("msocks-byte-lost-inward", "4", "No byte is lost.", "one is, 150,000 bytes on, on the way in")
class ByteLostInward(Relay):
    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.to_mobile = _Thinned()


@deviation("msocks-half-close-is-a-close", "4", "After a FIN the other direction goes on.", "the node's FIN ends both")
class HalfCloseIsAClose(Relay):
    def finish_outside(self) -> None:
        super().finish_outside()
        self.loop.after(0, self.end_if_not_over)

    def end_if_not_over(self) -> None:
        if not self.over:
            self.end()


@deviation(
    "msocks-close-of-the-correspondent-ends-all",
    "4",
    "After a FIN the other direction goes on.",
    "the correspondent's FIN ends both",
)
class CloseOfTheCorrespondentEndsAll(Relay):
    def finish_mobile(self) -> None:
        super().finish_mobile()
        self.loop.after(0, self.end_if_not_over)

    def end_if_not_over(self) -> None:
        if not self.over:
            self.end()


@deviation("msocks-fin-not-passed-outward", "4", "A FIN comes to the other end.", "the node's does not")
class FinNotPassedOutward(Relay):
    def finish_outside(self) -> None:
        self.outside_shut = True


@deviation(
    "msocks-one-direction-at-a-time",
    "4",
    "The directions do not wait for each other.",
    "a side is not read from while what goes there waits",
)
class OneDirectionAtATime(Relay):
    def has_room(self, stream: Stream) -> bool:
        other = self.to_outside if stream is self.to_mobile else self.to_mobile
        return super().has_room(stream) and other.unsent < 1


@deviation(
    "msocks-outward-first",
    "4",
    "The directions do not wait for each other.",
    "the correspondent is not read from while the node's data waits",
)
class OutwardFirst(Relay):
    def has_room(self, stream: Stream) -> bool:
        return super().has_room(stream) and not (stream is self.to_mobile and self.to_outside.unsent)


@deviation("msocks-buffer-without-end", "4", "What is kept is bounded.", "all that comes is kept")
class BufferWithoutEnd(Relay):
    def has_room(self, stream: Stream) -> bool:
        return True


@deviation("msocks-buffer-inward-without-end", "4", "What is kept is bounded.", "all that comes for the node is kept")
class BufferInwardWithoutEnd(Relay):
    def has_room(self, stream: Stream) -> bool:
        return stream is self.to_mobile or super().has_room(stream)


@deviation(
    "msocks-reset-of-the-correspondent-untold",
    "4",
    "The correspondent's reset ends the node's connection.",
    "it does not",
)
class ResetOfTheCorrespondentUntold(Relay):
    def outside_lost(self) -> None:
        self.outside.leave()
        self.relays.ended(self)


@deviation(
    "msocks-own-inside-address",
    "4",
    "The correspondent sees the proxy's outside address.",
    "it sees that of the inside",
)
class OwnInsideAddress(Proxy):
    def __init__(self, parts: ProxyParts, settings: ProxySettings, loop: EventLoop, inside: str, outside: str) -> None:
        super().__init__(parts, settings, loop, inside, outside)
        self.outward = parts.outward(loop, inside)


@deviation("msocks-soft-errors-are-hard", "4", "A soft ICMP error ends no session.", "one about the correspondent does")
class SoftErrorsAreHard(Relay):
    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.outside.socket.setsockopt(socket.IPPROTO_IP, _RECVERR, 1)

    def _outside_ready(self, events: int) -> None:
        if self.outside.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.outside_lost()
        else:
            super()._outside_ready(events)


@deviation(
    "msocks-reset-is-no-end", "4", "Where a reset is the end it ends the correspondent's connection.", "it does not"
)
class ResetIsNoEnd(Relay):
    def lost(self, error: OSError) -> None:
        assert self.mobile is not None
        self.mobile.close()
        self.mobile = None


@deviation(
    "msocks-soft-errors-end-the-session",
    "4",
    "A soft ICMP error about a lost mobile side ends no session.",
    "the correspondent's connection is ended",
)
class SoftErrorsEndTheSession(Relay):
    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        mobile.setsockopt(socket.IPPROTO_IP, _RECVERR, 1)
        super().attach(mobile, received, behind)

    def lost(self, error: OSError) -> None:
        super().lost(error)
        if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EOPNOTSUPP) and not self.over:
            self.abort()
