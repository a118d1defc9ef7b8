# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection whose two halves are joined segment by segment: acknowledgements are those of the ends.

Positions count the bytes of a direction from the first one, a FIN as one more. Each half has for each direction the
sequence number of position 0; a segment is passed on with its position's number in the other half. Segments of the
correspondent that the node has not acknowledged are kept for its next mobile side, within bounds: beyond them, and the
other way, the ends send again.
"""

import contextlib
import errno
import os
import socket
import time
from typing import TYPE_CHECKING

from reference.bump.segment import Segment
from reference.bump.tcp import ACK, FIN, RST, SYN
from reference.msocks.flow import PSH, Flow, distance
from reference.msocks.loop import EventLoop, Timer, Watched
from reference.msocks.messages import Counters, End
from reference.msocks.relay import Relay, Relays
from reference.msocks.settings import ProxySettings
from reference.msocks.tcp import unacknowledged

if TYPE_CHECKING:
    from reference.msocks.leg import Leg

_CHUNK = 65536
_QUIET_S, _JOIN_WITHIN_S = 0.002, 10.0
_AGAIN_S, _TIMES = 0.3, 20
_MOST_KEPT = 1 << 22
_TIME_WAIT_S = 2.0


class Splice(Relay):
    """One connection, its mobile half spliced, absent or about to be spliced."""

    def __init__(
        self,
        relays: Relays,
        settings: ProxySettings,
        loop: EventLoop,
        outside: socket.socket,
        identifier: End,
        user: bytes,
        legs: "tuple[Leg, Leg]",
    ) -> None:
        self.relays, self.settings, self.loop = relays, settings, loop
        self.identifier, self.user = identifier, user
        self.over = False
        self.holding: Timer | None = None
        self.inside_leg, self.outside_leg = legs
        self.outside = Watched(loop, outside, self._outside_ready)
        self.outside.leave()
        self.out: Flow | None = self.outside_leg.flow_of(outside)
        if self.out is not None:
            self.out.is_claimed = True
        self.mob: Flow | None = None
        self.is_joined = False  # the mobile half
        self.was_joined = False  # the outside half, once and for all
        self._mobile_socket: socket.socket | None = None
        self._early = b""  # data that the kernel has taken from the node
        self._early_finished = False
        self._resumes = Counters(0, 0)  # what both were told last
        self.node_acked = self.node_top = (
            0  # positions of the node's direction: acknowledged by the correspondent, seen
        )
        self.peer_acked = self.peer_top = 0  # of the correspondent's: acknowledged by the node, relayed
        self.node_fin: int | None = None
        self.peer_fin: int | None = None
        self.out_node = self.out_peer = self.mob_node = self.mob_peer = 0  # numbers of position 0
        self._window = 0  # the node's last, in bytes
        self._fin_again = 0
        self._kept: dict[int, Segment] = {}  # of the correspondent, by position
        self._kept_bytes = 0

    def _outside_ready(self, _: int) -> None:
        """The kernel's socket has nothing to say any more."""

    # What a RECONNECT meets --------------------------------------------------------------------------------------

    def counters(self) -> Counters:
        """Bytes that the correspondent has acknowledged, and bytes that were relayed to the node, the most ever."""
        received = self.node_acked if self.node_fin is None else min(self.node_acked, self.node_fin)
        sent = self.peer_top if self.peer_fin is None else min(self.peer_top, self.peer_fin)
        return Counters(received, sent)

    def is_possible(self, node: Counters) -> bool:
        received, sent = self.counters()
        is_finished = self.node_fin is not None and self.node_acked > self.node_fin
        return node.received <= sent and node.sent >= received and not (is_finished and node.sent > received)

    def can_replay(self, node: Counters) -> bool:
        """Nothing is kept: what the node has acknowledged the correspondent has forgotten."""
        acked = self.peer_acked if self.peer_fin is None else min(self.peer_acked, self.peer_fin)
        return node.received >= acked and (self.was_joined or node.received == 0)

    def drain(self) -> None:
        """Nothing is ever acknowledged here."""

    def attach(self, mobile: socket.socket, received: int, behind: bytes = b"") -> None:
        """Join the halves as soon as the kernel has no more to do for the mobile one."""
        self._resumes = Counters(self.counters().received, received)
        self.displace()
        if self.holding is not None:
            self.holding.cancel()
            self.holding = None
        mobile.setblocking(False)
        self._mobile_socket, self.mob = mobile, self.inside_leg.flow_of(mobile)
        self._early, self._early_finished = behind, False
        if self.mob is None or self.out is None or (self.was_joined and behind):
            self.lost(OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN)))
            return
        self.mob.holds = True
        self._join_when_quiet(self.mob, time.monotonic() + _JOIN_WITHIN_S)

    def displace(self) -> None:
        """The old mobile side is cut off, and told so."""
        if self.mob is not None and self.is_joined:
            self._reset_mobile()
        self._leave_mobile()

    # Joining -----------------------------------------------------------------------------------------------------

    def _join_when_quiet(self, mob: Flow, deadline: float) -> None:
        if self.over or self.mob is not mob:
            return
        try:
            is_quiet = self._is_quiet(mob)
        except OSError as error:
            self.lost(error)
            return
        if is_quiet:
            self._join(mob)
        elif time.monotonic() > deadline:
            self.lost(OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))
        else:
            self.loop.after(_QUIET_S, lambda: self._join_when_quiet(mob, deadline))

    def _is_quiet(self, mob: Flow) -> bool:
        """Whether no byte is under way in the kernel; what the node has sent ahead goes out before."""
        assert self._mobile_socket is not None
        self._take_early(self._mobile_socket)
        if self.was_joined:
            if self._early or self._early_finished:
                raise OSError(errno.EPROTO, "data ahead of the reply")
            return mob.is_quiet() and unacknowledged(self._mobile_socket) == 0
        assert self.out is not None
        held = self.outside.socket
        if held.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.outside_lost()
            return False
        with contextlib.suppress(BlockingIOError):
            while self._early:
                count = held.send(self._early)
                self.node_acked += count
                self._early = self._early[count:]
        if self._early_finished and not self._early and self.node_fin is None:
            self.node_fin = self.node_acked
            self.node_acked += 1
            held.shutdown(socket.SHUT_WR)
        is_empty = not self._early and unacknowledged(self._mobile_socket) == 0 and unacknowledged(held) == 0
        return is_empty and mob.is_quiet() and self.out.is_quiet()

    def _take_early(self, mobile: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while not self._early_finished:
                data = mobile.recv(_CHUNK)
                self._early += data
                self._early_finished = not data

    def _join(self, mob: Flow) -> None:
        """From here on the kernel has no part in it."""
        out = self.out
        assert out is not None
        is_again = self.was_joined
        if not self.was_joined:
            self.node_top = self.node_acked
            self.out_node = out.kernel_next - self.node_acked
            self.out_peer = out.kernel_ack
            self._resumes = Counters(self.node_acked, 0)
            out.splice, self.was_joined = self, True
        self.mob_node = mob.kernel_ack - self._resumes.received
        self.mob_peer = mob.kernel_next - self._resumes.sent
        self.is_joined, mob.splice = True, self
        if self._resumes.sent > self.peer_acked:
            self.acknowledged(self._resumes.sent)
            self._acknowledge()
        if is_again:
            self.send_again(mob)
        for flow in (out, mob):
            held, flow.held, flow.holds = flow.held, [], False
            for segment in held:
                if not self.over:
                    self.take(flow, segment)
        if not self.over and self.is_joined:
            self._fin_again = _TIMES
            self._finish_again(mob)

    def send_again(self, mob: Flow) -> None:
        """Send the node what is kept: it has come while no mobile side took it, or was lost with the last one."""
        assert self.out is not None
        for peer in sorted(self._kept):
            segment = self._kept[peer]
            self.peer_top = max(self.peer_top, peer + len(segment.data) + bool(segment.flags & FIN))
            window = segment.window << self.out.peer_shift
            self.pass_on(mob, self.mob_peer + peer, self.mob_node + self.node_acked, segment, window)

    def keep(self, peer: int, segment: Segment) -> None:
        """Keep a segment of the correspondent until the node has acknowledged it."""
        if (segment.data or segment.flags & FIN) and self._kept_bytes < _MOST_KEPT and peer >= self.peer_acked:
            self._kept_bytes += len(segment.data) - len(self._kept[peer].data if peer in self._kept else b"")
            self._kept[peer] = segment

    def acknowledged(self, peer: int) -> None:
        """The node has the correspondent's direction up to a position."""
        self.peer_acked = peer
        for position, segment in list(self._kept.items()):
            if position + len(segment.data) + bool(segment.flags & FIN) > peer:
                break
            del self._kept[position]
            self._kept_bytes -= len(segment.data)

    def _acknowledge(self) -> None:
        assert self.out is not None
        self.out.transmit(self.out_node + self.node_acked, self.out_peer + self.peer_acked, ACK, self._window or 0xFFFF)

    def _finish_again(self, mob: Flow) -> None:
        """Repeat a FIN that the node has acknowledged on another mobile side, until it does on this one."""
        fin = self.peer_fin
        if self.over or self.mob is not mob or not self._fin_again or fin is None or self.peer_acked <= fin:
            return
        self._fin_again -= 1
        mob.transmit(self.mob_peer + fin, self.mob_node + self.node_acked, FIN | ACK, 0xFFFF)
        self.loop.after(_AGAIN_S, lambda: self._finish_again(mob))

    # Segments ----------------------------------------------------------------------------------------------------

    def take(self, flow: Flow, segment: Segment) -> None:
        """A segment of either half has come over the wire; its checksum is right."""
        if flow is self.mob and self.is_joined:
            self.from_mobile(flow, segment)
        elif flow is self.out:
            self.from_outside(flow, segment)

    def from_mobile(self, mob: Flow, segment: Segment) -> None:
        assert self.out is not None
        node = self.node_acked + distance(segment.sequence, self.mob_node + self.node_acked & 0xFFFFFFFF)
        if segment.flags & RST:
            if node >= self.node_acked:
                self.lost(OSError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)))
            return
        if segment.flags & SYN or not segment.flags & ACK:
            return
        peer = self.peer_acked + distance(segment.acknowledgement, self.mob_peer + self.peer_acked & 0xFFFFFFFF)
        if peer > self.peer_top:
            return
        if self.peer_fin is not None and peer > self.peer_fin:
            self._fin_again = 0
        if peer > self.peer_acked:
            self.acknowledged(peer)
        self._window = segment.window << mob.peer_shift
        end = node + len(segment.data)
        if segment.flags & FIN:
            self.node_fin = end
        self.node_top = max(self.node_top, end + bool(segment.flags & FIN))
        self.pass_on(self.out, self.out_node + node, self.out_peer + peer, segment, self._window)
        self._end_when_finished()

    def from_outside(self, out: Flow, segment: Segment) -> None:
        peer = self.peer_acked + distance(segment.sequence, self.out_peer + self.peer_acked & 0xFFFFFFFF)
        if segment.flags & RST:
            if peer >= self.peer_acked:
                self.outside_lost()
            return
        if segment.flags & SYN or not segment.flags & ACK:
            return
        node = self.node_acked + distance(segment.acknowledgement, self.out_node + self.node_acked & 0xFFFFFFFF)
        if node > self.node_top:
            return
        self.node_acked = max(self.node_acked, node)
        self.keep(peer, segment)
        if segment.flags & FIN:
            self.peer_fin = peer + len(segment.data)
        if not self.is_joined or self.mob is None:
            self.while_absent(peer, segment)
            return
        end = peer + len(segment.data)
        self.peer_top = max(self.peer_top, end + bool(segment.flags & FIN))
        self.pass_on(self.mob, self.mob_peer + peer, self.mob_node + node, segment, segment.window << out.peer_shift)
        self._end_when_finished()

    def while_absent(self, peer: int, segment: Segment) -> None:
        """Nobody takes data; a keep-alive of the correspondent is answered."""
        if peer == self.peer_acked - 1 and len(segment.data) <= 1:
            self._acknowledge()

    def pass_on(self, to: Flow, sequence: int, acknowledgement: int, segment: Segment, window: int) -> None:
        """Send a segment in the numbers of the other half."""
        flags = segment.flags & (ACK | FIN | PSH)
        to.transmit(sequence, acknowledgement, flags, window, segment.data)

    # The end -----------------------------------------------------------------------------------------------------

    def lost(self, error: OSError) -> None:
        """The mobile side is gone; the correspondent is not told for a while."""
        if self.over:
            return
        self._leave_mobile()
        if error.errno == errno.ECONNRESET and self.settings.rst_means == "abort":
            self.abort()
        else:
            self.holding = self.loop.after(self.hold_s(), self.hold_ended)

    def hold_ended(self) -> None:
        self.abort()

    def _leave_mobile(self) -> None:
        if self.mob is not None and (self.is_joined or self.was_joined):
            self.inside_leg.mute(self.mob)
        if self._mobile_socket is not None:
            Watched(self.loop, self._mobile_socket, self._outside_ready).abort()
        self._mobile_socket, self.mob, self.is_joined = None, None, False

    def _reset_mobile(self) -> None:
        assert self.mob is not None
        self.mob.transmit(self.mob_peer + self.peer_top, self.mob_node + self.node_top, RST | ACK)

    def outside_lost(self) -> None:
        if self.mob is not None and self.is_joined:
            self._reset_mobile()
        self._over(0.0)

    def abort(self) -> None:
        if self.mob is not None and self.is_joined:
            self._reset_mobile()
        if self.out is not None and self.was_joined:
            self.out.transmit(self.out_node + self.node_acked, self.out_peer + self.peer_acked, RST | ACK)
        self._over(0.0)

    def _end_when_finished(self) -> None:
        """After a FIN each way, both acknowledged, the connection is over; repeats are still passed on for a while."""
        both = (self.node_fin, self.node_acked), (self.peer_fin, self.peer_acked)
        if not self.over and all(fin is not None and acked > fin for fin, acked in both):
            self._over(_TIME_WAIT_S)

    def _over(self, rest_s: float = 0.0) -> None:  # type: ignore[override]
        if self.over:
            return
        self.over = True
        if self.holding is not None:
            self.holding.cancel()
        self.relays.ended(self)
        if rest_s:
            self.loop.after(rest_s, self._let_go)
        else:
            self._let_go()

    def _let_go(self) -> None:
        """The kernel's sockets go; of what they say nothing reaches a wire."""
        if self.out is not None and self.was_joined:
            self.outside_leg.mute(self.out)
        self._leave_mobile()
        self.outside.abort()
