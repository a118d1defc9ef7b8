# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of a firewall: what it lets out, how it drops, when it opens and closes."""

from reference.middlebox.messages import Trouble
from reference.middlebox.packet import Packet
from reference.middlebox.side import Side
from reference.mops.firewall.acknowledgements import Acknowledgements
from reference.mops.firewall.firewall import Firewall
from reference.mops.firewall.moves import Carried, Moves
from reference.mops.firewall.sessions import Rule, Sessions
from reference.mops.firewall.settings import COMMAND
from reference.mops.firewall.tracking import ACK, RST, SYN, Direction, Phase, Segment, Tracker
from reference.mops.firewall.ways import Way
from reference.system.alterations import variant

_SLOWLY_S = 0.03


@variant(
    "firewall-opens-on-command",
    "6",
    "To the letter the command itself makes the rule.",
    "a Migrate opens its tuples when it passes, and the success closes what was left",
)
class _OpensOnCommand(Moves):
    def __init__(self, sessions: Sessions, opens_on: str) -> None:
        super().__init__(sessions, COMMAND)


@variant(
    "firewall-picks-up-outwards",
    "6",
    "What the inside sends is not judged: Linux picks connections up in mid-stream, too (nf_conntrack_tcp_loose).",
    "a segment in mid-stream from the inside begins a session",
)
class _PicksUpOutwards(Sessions):
    def begin(self, way: Way, segment: Segment | None, now: float, *, is_inward: bool) -> Rule | None:
        if segment is not None and not is_inward and segment.flags & (SYN | ACK | RST) == ACK:
            return self.add(Rule(way, self.tracker.in_the_middle(segment.sequence, is_inside=True), now))
        return super().begin(way, segment, now, is_inward=is_inward)


@variant(
    "firewall-follows-no-data",
    "6",
    "A firewall need not follow sequence numbers: the ends ignore what is outside their windows.",
    "of data any number passes, and a reset or a FIN counts where it is the very next",
)
class _FollowsNoData(Tracker):
    def is_in_window(self, segment: Segment, sender: Direction, receiver: Direction) -> bool:
        return not segment.flags & RST or segment.sequence == sender.end

    def acknowledges(self, segment: Segment, receiver: Direction) -> bool:
        return True

    def takes(self, segment: Segment, *, is_inward: bool) -> bool:
        sender = self.outside if is_inward else self.inside
        is_next = not sender.is_known or segment.sequence == sender.end
        if segment.flags & SYN or is_next:
            return super().takes(segment, is_inward=is_inward)
        return not segment.flags & RST or not is_inward


@variant(
    "firewall-tells-the-sender",
    "6",
    "Whether a sender is told that its packet was dropped is free.",
    "what is dropped is answered with an error: prohibited",
)
class _TellsTheSender(Firewall):
    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        passes = super().passes(side, packet, out)
        if not passes:
            self.tell(side, packet, Trouble.POLICY)
        return passes


@variant(
    "firewall-malformed-passes-outwards",
    "6",
    "Malformed messages may pass, as long as they open nothing.",
    "malformed Migrates and replies from the inside are forwarded, and nothing is made of them",
)
class _MalformedPassesOutwards(Firewall):
    def passes_mops(self, packet: Packet, *, is_inward: bool) -> bool:
        return super().passes_mops(packet, is_inward=is_inward) or not is_inward


@variant(
    "firewall-trailing-bytes-taken",
    "6",
    "A message whose Count and length disagree may be taken as far as Count goes.",
    "bytes that follow the last entry are passed over",
)
class _TrailingBytesTaken(Moves):
    def is_whole(self, carried: Carried) -> bool:
        longer = len(carried.message.entries) >= (carried.message.count or 0)
        return longer or super().is_whole(carried)


@variant(
    "firewall-drops-fragments",
    "6",
    "Fragments may be dropped (RFC 1858).",
    "no fragment passes",
)
class _DropsFragments(Firewall):
    def _reassembled(self, side: Side, fragment: Packet) -> Packet | None:
        return None


@variant(
    "firewall-messages-go-slowly",
    "6",
    "Messages may take the slow path, and come out after segments that came in later.",
    "messages of MOPS come out 30 ms later",
)
class _MessagesGoSlowly(Firewall):
    def forward(self, side: Side, packet: Packet, out: Side) -> None:
        if packet.protocol != packet.network.icmp_protocol:
            super().forward(side, packet, out)
            return
        kept = bytearray(packet.buffer[: packet.end])
        place = packet.at, packet.start, packet.end
        later = Packet(packet.network, kept, place, packet.protocol, packet.hops, (packet.source, packet.destination))
        self.after(_SLOWLY_S, lambda: Firewall.forward(self, side, later, out))


@variant(
    "firewall-reset-closes-at-once",
    "6",
    "How long a session is kept that has ended is free.",
    "a reset that fits ends a session at once",
)
class _ResetClosesAtOnce(Sessions):
    def takes(self, session: Rule, segment: Segment | None, *, is_inward: bool) -> bool:
        takes = super().takes(session, segment, is_inward=is_inward)
        if takes and segment is not None and segment.flags & RST and session.phase is Phase.ENDED:
            self.drop(session)
        return takes


@variant(
    "firewall-any-level-comes-in",
    "6",
    "Whether a level comes in of which no lower one has is free.",
    "NAT acknowledgements of level 2 and above come in to whoever has a session",
)
class _AnyLevel(Acknowledgements):
    def is_led_to(self, network: str, node: int, protocol: int, end: tuple[int, int]) -> bool:
        return any(way.inside[0] == node for way in self.sessions.ways())


@variant(
    "firewall-takes-two-hops",
    "6",
    "How many hops a device counts for is not MOPS's matter.",
    "the hop limit of what passes is two less",
)
class _TakesTwoHops(Firewall):
    def emit(self, out: Side, packet: Packet) -> None:
        if packet.hops > 1:
            packet.network.take_a_hop(packet)
        super().emit(out, packet)


@variant(
    "firewall-is-a-bridge",
    "6",
    "Whether a firewall routes or bridges is free.",
    "it has no addresses, passes ARP, and takes no hop",
)
class _IsABridge(Firewall):
    is_bridge = True
