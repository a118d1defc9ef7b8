# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection of a client to a correspondent, through any number of mobile sides.

What goes to the client is kept until its kernel has acknowledged it, and `replay_bytes` more, so that a RECONNECT can
have it again. What comes from the client is gone when the kernel of this side has it for the correspondent.
"""

import contextlib
import errno
import socket
from typing import TYPE_CHECKING, Protocol

from reference.msocks.loop import READ, WRITE, EventLoop, Timer, Watched
from reference.msocks.messages import Counters, End
from reference.msocks.settings import ProxySettings
from reference.msocks.stream import Stream
from reference.msocks.tcp import is_closed, prepared, shut, unacknowledged

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK, _LEAST = 1 << 18, 1 << 16
_SETTLE_S = 0.02


class Relays(Protocol):
    """Who is told that a relay is over."""

    def ended(self, relay: "Relay") -> None: ...


class Relay:
    """One connection, joined of two."""

    role = "proxy"

    def __init__(
        self,
        relays: Relays,
        settings: ProxySettings,
        loop: EventLoop,
        outside: socket.socket,
        identifier: End,
        user: bytes,
    ) -> None:
        self.relays, self.settings, self.loop = relays, settings, loop
        self.identifier, self.user = identifier, user
        self.to_mobile, self.to_outside = Stream(), Stream()
        self.mobile: Watched | None = None
        self.mobile_finished = self.outside_finished = False  # a FIN has come from there
        self.mobile_shut = self.outside_shut = False  # one has gone there
        self.holding: Timer | None = None
        self.settling: Timer | None = None
        self.over = False
        self._sent_here = 0  # to this mobile side
        self._attached_at = 0  # the position where this mobile side began
        self.outside = Watched(loop, prepared(outside), self._outside_ready, READ)

    # What a RECONNECT meets --------------------------------------------------------------------------------------

    def counters(self) -> Counters:
        """Bytes received from the node and sent to it, the most ever, both since the connection began."""
        return Counters(self.to_outside.end, self.to_mobile.highest)

    def belongs_to(self, user: bytes) -> bool:
        """Whether a user may have this connection."""
        return user == self.user

    def is_possible(self, node: Counters) -> bool:
        """Whether a node can have received and sent so much: what it lacks is here, and it lacks nothing of its own."""
        received, sent = self.counters()
        return node.received <= sent and node.sent >= received and not (self.mobile_finished and node.sent > received)

    def can_replay(self, node: Counters) -> bool:
        """Whether all that the node lacks is still kept."""
        return node.received >= self.to_mobile.start

    def drain(self) -> None:
        """Take what the kernel has already acknowledged to the node on the old mobile side; notice that all is over."""
        while self.mobile is not None and not self.mobile_finished and self._take_from_mobile():
            pass
        self._end_when_settled()

    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        """Go on over another mobile side: what the node has not received is sent, from there on."""
        self.displace()
        if self.holding is not None:
            self.holding.cancel()
            self.holding = None
        self.mobile_shut, self._sent_here = False, 0
        self.to_mobile.rewind(received)
        self._attached_at = received
        self.mobile = Watched(self.loop, prepared(mobile, keepalive=True), self._mobile_ready, READ)
        if behind and not self.mobile_finished:
            self.to_outside.append(behind)
            self.flush_to_outside()
        self.flush_to_mobile()

    def displace(self) -> None:
        """The old mobile side is cut off: nothing more is taken from it or sent to it."""
        if self.mobile is not None:
            self.mobile.abort()
            self.mobile = None

    # The mobile side ---------------------------------------------------------------------------------------------

    def lost(self, error: OSError) -> None:
        """The mobile side is gone; the correspondent is not told for a while."""
        assert self.mobile is not None
        self.rescue(self.mobile.socket)
        self.mobile.close()
        self.mobile = None
        if error.errno in (errno.ECONNRESET, errno.EPIPE) and self.settings.rst_means == "abort":
            self.abort()
            return
        self.holding = self.loop.after(self.hold_s(), self.hold_ended)
        self.flush_to_outside()

    def rescue(self, mobile: socket.socket) -> None:
        """Take what the kernel had acknowledged to the node before its side was lost."""
        with contextlib.suppress(OSError):
            while not self.mobile_finished and (data := mobile.recv(_CHUNK)):
                self.to_outside.append(data)

    def hold_s(self) -> float:
        """Seconds that a loss may last."""
        return self.settings.hold_s

    def hold_ended(self) -> None:
        """No RECONNECT has come."""
        if self.mobile_finished and self.outside_shut:
            self.end()
        else:
            self.abort()

    def _mobile_ready(self, events: int) -> None:
        if events & ~WRITE and self.mobile is not None:
            self._take_from_mobile()
        if events & WRITE and self.mobile is not None:
            self.flush_to_mobile()

    def _take_from_mobile(self) -> bool:
        """Take what has come from the node; False when there was nothing."""
        assert self.mobile is not None
        try:
            data = self.mobile.socket.recv(self._piece(self.to_outside))
        except BlockingIOError:
            return False
        except OSError as error:
            self.lost(error)
            return False
        if self.mobile_finished:
            self._want_mobile()
            return bool(data)
        if data:
            self.to_outside.append(data)
        else:
            self.mobile_finished = True
        self.flush_to_outside()
        return True

    def flush_to_mobile(self) -> None:
        """Send what the mobile side takes."""
        if self.mobile is None:
            return
        stream, held = self.to_mobile, self.mobile.socket
        try:
            while stream.unsent:
                count = held.send(stream.piece())
                stream.sent(count)
                self._sent_here += count
        except BlockingIOError:
            pass
        except OSError as error:
            self.lost(error)
            return
        self._forget()
        if self.outside_finished and not stream.unsent and not self.mobile_shut:
            self.finish_mobile()
        self._want_mobile()
        self._want_outside()

    def finish_mobile(self) -> None:
        """The correspondent has sent all: the mobile side gets a FIN, and can still send."""
        assert self.mobile is not None
        self.mobile_shut = True
        shut(self.mobile.socket)
        self._settle()

    def _forget(self) -> None:
        """What the node has acknowledged, and what lies further back than may be asked for again, is not kept."""
        stream, keep = self.to_mobile, self.settings.replay_bytes
        if stream.position - stream.start < keep + _LEAST or self.mobile is None:
            return
        held = self.mobile.socket
        waiting = unacknowledged(held)
        if not is_closed(held):
            stream.forget(self._attached_at + self._sent_here - waiting - keep)

    def _want_mobile(self) -> None:
        if self.mobile is None:
            return
        if self.mobile_finished and self.mobile_shut:
            self.mobile.leave()
            return
        reads = not self.mobile_finished and self.has_room(self.to_outside)
        self.mobile.want(READ * reads | WRITE * bool(self.to_mobile.unsent))

    # The correspondent -------------------------------------------------------------------------------------------

    def has_room(self, stream: Stream) -> bool:
        """Whether more is taken while so much waits to be sent."""
        return stream.unsent < self.settings.buffer_bytes

    def _piece(self, stream: Stream) -> int:
        """How much is taken at once."""
        return max(_LEAST, min(_CHUNK, self.settings.buffer_bytes - stream.unsent))

    def _outside_ready(self, events: int) -> None:
        if events & ~WRITE and not self.over:
            self._take_from_outside()
        if events & WRITE and not self.over:
            self.flush_to_outside()

    def _take_from_outside(self) -> None:
        if self.outside_finished:
            return
        try:
            data = self.outside.socket.recv(self._piece(self.to_mobile))
        except BlockingIOError:
            return
        except OSError:
            self.outside_lost()
            return
        if data:
            self.to_mobile.append(data)
        else:
            self.outside_finished = True
        if self.mobile is None:
            self._want_outside()
        else:
            self.flush_to_mobile()

    def outside_lost(self) -> None:
        """The correspondent has reset the connection or cannot be reached any more."""
        self.abort()

    def flush_to_outside(self) -> None:
        """Send what the correspondent takes."""
        stream = self.to_outside
        try:
            while stream.unsent:
                stream.sent(self.outside.socket.send(stream.piece()))
        except BlockingIOError:
            pass
        except OSError:
            self.outside_lost()
            return
        stream.forget(stream.position)
        if self.mobile_finished and not stream.unsent and not self.outside_shut:
            self.finish_outside()
        self._want_outside()
        self._want_mobile()

    def finish_outside(self) -> None:
        """The node has sent all: the correspondent gets a FIN, and can still send."""
        self.outside_shut = True
        shut(self.outside.socket)
        self._settle()

    def _want_outside(self) -> None:
        if self.outside_finished and self.outside_shut:
            self.outside.leave()
            return
        reads = not self.outside_finished and self.has_room(self.to_mobile)
        self.outside.want(READ * reads | WRITE * bool(self.to_outside.unsent))

    # The end -----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """After a FIN each way the connection is over as soon as the node has acknowledged the last byte."""
        if not (self.mobile_shut and self.outside_shut):
            return
        if self.settling is None:
            self.settling = self.loop.after(_SETTLE_S, self._settled)

    def _settled(self) -> None:
        self.settling = None
        if not self._end_when_settled():
            self._settle()

    def _end_when_settled(self) -> bool:
        """Whether there is nothing to wait for; where the node has acknowledged the last byte all is over."""
        if self.over or self.mobile is None or not (self.mobile_shut and self.outside_shut):
            return True
        held = self.mobile.socket
        if error := held.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.lost(OSError(error, ""))
        elif is_closed(held):
            self.end()
        else:
            return False
        return True

    def end(self) -> None:
        """Both have sent all and got all."""
        self._over(Watched.close)

    def abort(self) -> None:
        """Both sides are reset."""
        self._over(Watched.abort)

    def _over(self, leave: "Callable[[Watched], None]") -> None:
        self.over = True
        for timer in (self.holding, self.settling):
            if timer is not None:
                timer.cancel()
        leave(self.outside)
        if self.mobile is not None:
            leave(self.mobile)
            self.mobile = None
        self.relays.ended(self)
