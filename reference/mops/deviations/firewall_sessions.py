# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a firewall in what belongs to a session, and how long it lasts."""

from reference.middlebox.packet import TCP
from reference.mops.firewall.moves import Carried, Moves
from reference.mops.firewall.sessions import Rule, Sessions
from reference.mops.firewall.tracking import ACK, FIN, RST, SYN, Direction, Phase, Segment, Tracker
from reference.mops.firewall.ways import Endpoint, Way
from reference.system.alterations import deviation

CLOSED = "Nothing passes at the migrated tuple before a Migrate has passed."
ONLY = "Nothing passes but what the Migrate named."
FOLLOWED = "The migrated session is followed on."
LASTS = "A migrated session lasts as long as any open session."


class _LetsIn(Sessions):
    """Lets in more than belongs to its sessions."""

    def begin(self, way: Way, segment: Segment | None, now: float, *, is_inward: bool) -> Rule | None:
        session = super().begin(way, segment, now, is_inward=is_inward)
        if session is None and is_inward and self.lets_in(way, segment, now):
            tracker = self.tracker.in_the_middle(0, is_inside=True) if way.protocol == TCP else None
            session = self.add(Rule(way, tracker, now))
        return session

    def lets_in(self, way: Way, segment: Segment | None, now: float) -> bool:
        """Whether a packet from the outside begins a session here."""
        return False


@deviation("firewall-mid-stream-let-in", "6", CLOSED, "a segment in mid-stream begins a session, from the outside too")
class _MidStreamLetIn(_LetsIn):
    def lets_in(self, way: Way, segment: Segment | None, now: float) -> bool:
        return segment is not None and segment.flags & (SYN | ACK | RST) == ACK


@deviation("firewall-hosts-known-by-address", "6", CLOSED, "hosts that have a session may send each other anything")
class _KnownByAddress(_LetsIn):
    def lets_in(self, way: Way, segment: Segment | None, now: float) -> bool:
        inner, outer = way.inside[0], way.outside[0]
        return any(one.inside[0] == inner and one.outside[0] == outer for one in self.by_way)


@deviation("firewall-any-peer-after-a-move", "6", ONLY, "after a move any host outside may send to the inside end")
class _AnyPeer(_LetsIn):
    def lets_in(self, way: Way, segment: Segment | None, now: float) -> bool:
        return any(one.way.inside == way.inside and one.moves for one in self.by_way.values())


@deviation("firewall-any-port-after-a-move", "6", ONLY, "after a move any ports of the two hosts pass")
class _AnyPort(_LetsIn):
    def lets_in(self, way: Way, segment: Segment | None, now: float) -> bool:
        ends = way.inside[0], way.outside[0]
        known = (one for one in self.by_way.values() if (one.way.inside[0], one.way.outside[0]) == ends)
        return any(one.moves and one.way.inside[1] != way.inside[1] for one in known)


@deviation("firewall-any-datagram-after-a-move", "6", ONLY, "after a move of a flow any port of its host passes")
class _AnyDatagram(_LetsIn):
    def lets_in(self, way: Way, segment: Segment | None, now: float) -> bool:
        known = (one for one in self.by_way.values() if one.way.inside[0] == way.inside[0])
        return segment is None and any(one.moves and one.tracker is None for one in known)


@deviation(
    "firewall-syn-at-the-migrated-tuple",
    "6",
    "No SYN from the outside passes at the migrated tuple.",
    "a SYN passes at the tuple of a session that has moved",
)
class _SynPasses(Sessions):
    def takes(self, session: Rule, segment: Segment | None, *, is_inward: bool) -> bool:
        if segment is not None and segment.flags & SYN and session.moves and is_inward:
            return True
        return super().takes(session, segment, is_inward=is_inward)


@deviation(
    "firewall-full-table-passes-all",
    "6",
    "When its table is full nothing passes that would not have passed before.",
    "when its table is full everything passes",
)
class _FullPassesAll(Sessions):
    def admits(self, way: Way, segment: Segment | None, now: float, *, is_inward: bool) -> bool:
        is_full = len(self) >= self.settings.largest_table
        return super().admits(way, segment, now, is_inward=is_inward) or is_full


@deviation(
    "firewall-oldest-session-gives-way",
    "6",
    "Sessions that it knows pass after a flood.",
    "when its table is full the session goes that is there for longest",
)
class _OldestGivesWay(Sessions):
    def add(self, session: Rule) -> Rule | None:
        if len(self) >= self.settings.largest_table and session.way not in self.by_way:
            self.drop(next(iter(self.by_way.values())))
        return super().add(session)


class _TimedOtherwise(Sessions):
    """Sessions that have moved have another timer."""

    def lifetime(self, session: Rule) -> float:
        return self.after_a_move(session) if session.moves else super().lifetime(session)

    def after_a_move(self, session: Rule) -> float:
        """How long a session lasts that has moved."""
        return super().lifetime(session)


@deviation("firewall-migrated-lasts-half", "6", LASTS, "a session that has moved lasts half as long as another one")
class _LastsHalf(_TimedOtherwise):
    def after_a_move(self, session: Rule) -> float:
        return super().after_a_move(session) / 2


@deviation("firewall-migrated-flow-lasts-half", "6", LASTS, "a UDP flow that has moved lasts half as long")
class _FlowLastsHalf(_TimedOtherwise):
    def after_a_move(self, session: Rule) -> float:
        return super().after_a_move(session) / (1 if session.tracker else 2)


@deviation(
    "firewall-migrated-lasts-for-ever",
    "6",
    "A migrated session is forgotten when the timer of open sessions is over.",
    "a session that has moved is not forgotten while it is open",
)
class _LastsForEver(_TimedOtherwise):
    def after_a_move(self, session: Rule) -> float:
        return 1e9 if session.phase is Phase.OPEN else super().after_a_move(session)


@deviation(
    "firewall-refused-prolongs",
    "6",
    "Refused messages do not make a session last longer.",
    "a Migrate that names a session begins its time anew",
)
class _RefusedProlongs(Moves):
    def command(self, carried: Carried, now: float) -> bool:
        for entry in carried.entries:
            for session in self.known(carried, entry, now):
                session.last = now
        return super().command(carried, now)


@deviation(
    "firewall-forged-answer-prolongs",
    "6",
    "Forged messages do not make a session last longer.",
    "an answer that nobody has asked for begins the time of the session anew that it names",
)
class _ForgedProlongs(Moves):
    def answer(self, carried: Carried, now: float) -> bool:
        for session in self.sessions.by_way.values():
            ends = [session.way.inside, session.way.outside]
            if any((carried.previous, entry.previous_port) in ends for entry in carried.entries):
                session.last = now
        return super().answer(carried, now)


@deviation(
    "firewall-end-not-noticed",
    "6",
    "When a migrated connection has ended nothing passes at its tuple.",
    "the end of a connection that has moved is not noticed",
)
class _EndNotNoticed(Sessions):
    def takes(self, session: Rule, segment: Segment | None, *, is_inward: bool) -> bool:
        takes = super().takes(session, segment, is_inward=is_inward)
        if session.moves and session.tracker:
            session.tracker.phase = Phase.OPEN
        return takes


@deviation(
    "firewall-finish-not-noticed",
    "6",
    "When a migrated connection has ended nothing passes at its tuple.",
    "both FINs leave a connection open, which a reset ends alone",
)
class _FinishNotNoticed(Tracker):
    def takes(self, segment: Segment, *, is_inward: bool) -> bool:
        takes = super().takes(segment, is_inward=is_inward)
        if self.phase is Phase.ENDED and not segment.flags & RST:
            self.phase = Phase.OPEN
        return takes


@deviation("firewall-any-reset-ends", "6", FOLLOWED, "a reset ends a connection, whatever its number")
class _AnyResetEnds(Sessions):
    def takes(self, session: Rule, segment: Segment | None, *, is_inward: bool) -> bool:
        takes = super().takes(session, segment, is_inward=is_inward)
        if segment is not None and segment.flags & RST and not takes:
            self.drop(session)
        return takes


@deviation("firewall-any-finish-ends", "6", FOLLOWED, "a FIN of a side whose number is wrong ends a connection")
class _AnyFinishEnds(Sessions):
    def takes(self, session: Rule, segment: Segment | None, *, is_inward: bool) -> bool:
        takes = super().takes(session, segment, is_inward=is_inward)
        if segment is not None and segment.flags & FIN and not takes:
            self.drop(session)
        return takes


@deviation("firewall-reset-at-the-old-tuple-ends", "6", FOLLOWED, "a reset at the tuple that was left ends the session")
class _ResetAtTheOldTuple(Sessions):
    def leave(self, session: Rule) -> None:
        self.left[session.way] = session
        super().leave(session)

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.left: dict[Way, Rule] = {}

    def admits(self, way: Way, segment: Segment | None, now: float, *, is_inward: bool) -> bool:
        admits = super().admits(way, segment, now, is_inward=is_inward)
        if not admits and segment is not None and segment.flags & RST and way in self.left:
            self.drop(self.left[way])
        return admits


@deviation("firewall-stray-data-moves-the-window", "6", FOLLOWED, "what comes next has to follow stray data")
class _StrayMovesTheWindow(Tracker):
    def fits(self, segment: Segment, sender: Direction, receiver: Direction) -> bool:
        fits = super().fits(segment, sender, receiver)
        if not fits and sender.is_known and not segment.flags & RST:
            sender.end, sender.edge = segment.end, segment.end
            receiver.window = 0
        return fits

    def is_in_window(self, segment: Segment, sender: Direction, receiver: Direction) -> bool:
        return super().is_in_window(segment, sender, receiver)


@deviation("firewall-window-lost-by-a-move", "6", FOLLOWED, "after a move the windows count as what was in use")
class _WindowLost(Sessions):
    def move(self, session: Rule, node: Endpoint, now: float, *, is_inside: bool) -> None:
        super().move(session, node, now, is_inside=is_inside)
        for one in (session.tracker.inside, session.tracker.outside) if session.tracker else ():
            one.edge = (one.end + 2000) % (1 << 32)
