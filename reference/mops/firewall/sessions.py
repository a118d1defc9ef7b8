# SPDX-License-Identifier: GPL-2.0-or-later
"""What a firewall lets through: what hosts inside have begun, its answers, and sessions that have moved.

Readings: in mid-stream nothing begins, from neither side. A SYN passes outwards always, inwards where the policy opens
its port, or where it crosses the SYN of the inside. After a success the session goes on at the migrated place with all
that is known of it, and the place that it left is closed. Of a session that began elsewhere a message names no port of
the server's: its first packet does, and until then any of that server's ports may be it.
"""

from collections.abc import Iterable, Iterator

from reference.middlebox.packet import TCP
from reference.mops.firewall.settings import FirewallSettings
from reference.mops.firewall.tracking import ACK, RST, SYN, Phase, Segment, Tracker
from reference.mops.firewall.ways import Endpoint, Way

ANY_PORT = 0


class Rule:
    """What is kept of one session; `tracker` is that of a connection, `moves` is how often it has moved.

    `unicast` is the own address of its anycast server, where that has told the node.
    """

    __slots__ = ("last", "moves", "tracker", "unicast", "way")

    def __init__(self, way: Way, tracker: Tracker | None, now: float, moves: int = 0) -> None:
        self.way, self.tracker, self.last, self.moves = way, tracker, now, moves
        self.unicast: int | None = None

    @property
    def phase(self) -> Phase:
        """How far it is."""
        return self.tracker.phase if self.tracker else Phase.OPEN


class Sessions:
    """All of them, by their ways. Those whose server's port is not known yet have `ANY_PORT` there."""

    role = "firewall"

    def __init__(self, settings: FirewallSettings, tracker: type[Tracker] = Tracker) -> None:
        self.settings, self.tracker = settings, tracker
        self.by_way: dict[Way, Rule] = {}
        self._by_end: dict[tuple[str, int, bool, Endpoint], dict[Way, Rule]] = {}

    def __len__(self) -> int:
        return len(self.by_way)

    # Packets -----------------------------------------------------------------------------------------------------

    def admits(self, way: Way, segment: Segment | None, now: float, *, is_inward: bool) -> bool:
        """Whether a packet passes; `segment` is that of a TCP packet."""
        session = self.find(way, now)
        if session is not None and self.is_anew(session, segment):
            self.drop(session)
            session = None
        if session is None:
            session = self.resume(way, segment, now) or self.begin(way, segment, now, is_inward=is_inward)
        if session is None:
            return False
        if not self.takes(session, segment, is_inward=is_inward):
            return self.passes_untaken(segment, is_inward=is_inward)
        session.last = self.refreshed(session, now, is_inward=is_inward)
        return True

    def takes(self, session: Rule, segment: Segment | None, *, is_inward: bool) -> bool:
        """Whether a packet belongs to its session."""
        if session.tracker is None or segment is None:
            return True
        if is_inward and segment.flags & SYN and not segment.flags & ACK and not self.may_call(session):
            return False
        return session.tracker.takes(segment, is_inward=is_inward)

    def may_call(self, session: Rule) -> bool:
        """Whether a SYN may come in at a session: it crosses that of the inside, or the policy lets it in."""
        return session.phase is Phase.OPENING or self.is_open_inward(session.way)

    def passes_untaken(self, segment: Segment | None, *, is_inward: bool) -> bool:
        """What does not fit passes outwards where it is the SYN of a host that has begun anew."""
        return not is_inward and segment is not None and segment.flags & (SYN | ACK | RST) == SYN

    def refreshed(self, session: Rule, now: float, *, is_inward: bool) -> float:
        """When the time of a session begins that a packet has passed of."""
        return now

    def is_anew(self, session: Rule, segment: Segment | None) -> bool:
        """Whether another connection begins where one has ended."""
        return session.phase is Phase.ENDED and segment is not None and segment.flags & (SYN | ACK) == SYN

    def begin(self, way: Way, segment: Segment | None, now: float, *, is_inward: bool) -> Rule | None:
        """The session that a packet begins, if it may."""
        if is_inward and not self.is_open_inward(way):
            return None
        if way.protocol == TCP and (segment is None or segment.flags & (SYN | ACK | RST) != SYN):
            return None
        tracker = self.tracker() if way.protocol == TCP else None
        return self.add(Rule(way, tracker, now))

    def is_open_inward(self, way: Way) -> bool:
        """Whether the policy lets in new sessions there."""
        return way.inside[1] in self.settings.inward_ports

    def resume(self, way: Way, segment: Segment | None, now: float) -> Rule | None:
        """The session that is expected here, whose server's port is known from now on."""
        expected = self.find(way._replace(outside=(way.outside[0], ANY_PORT)), now)
        if expected is None or (segment is not None and segment.flags & (SYN | RST)):
            return None
        self.drop(expected)
        expected.way = way
        return self.add(expected)

    # Moves -------------------------------------------------------------------------------------------------------

    def of_node(
        self, network: str, protocol: int, node: Endpoint, peer: int, now: float, *, is_inside: bool
    ) -> list[Rule]:
        """The sessions of a node's end with a peer, by the address that it was called by or its own."""
        found = [self.find(way, now) for way in list(self._by_end.get((network, protocol, is_inside, node), {}))]
        return [
            one for one in found if one is not None and peer in (one.way.end(is_inside=not is_inside)[0], one.unicast)
        ]

    def knows_end(self, network: str, protocol: int, inside: Endpoint, now: float) -> bool:
        """Whether there is a session of an inside end."""
        return any(self.find(way, now) for way in list(self._by_end.get((network, protocol, True, inside), {})))

    def move(self, session: Rule, node: Endpoint, now: float, *, is_inside: bool) -> None:
        """The node's end of a session is elsewhere from now on."""
        self.leave(session)
        session.way = session.way.with_end(node, is_inside=is_inside)
        session.last = now
        session.moves += 1
        self.add(session)

    def leave(self, session: Rule) -> None:
        """A session goes: the place that it had is closed."""
        self.drop(session)

    def expect(self, way: Way, number: int, now: float) -> None:
        """A node inside goes on here with a session that began elsewhere, at this sequence number."""
        tracker = self.tracker.in_the_middle(number, is_inside=True) if way.protocol == TCP else None
        self.add(Rule(way._replace(outside=(way.outside[0], ANY_PORT)), tracker, now, moves=1))

    # The table ---------------------------------------------------------------------------------------------------

    def find(self, way: Way, now: float) -> Rule | None:
        """The session of a way, unless its time is over."""
        session = self.by_way.get(way)
        if session is not None and now - session.last > self.lifetime(session):
            self.drop(session)
            return None
        return session

    def lifetime(self, session: Rule) -> float:
        """How long a session is kept that nothing passes of, in seconds."""
        if session.tracker is None:
            return self.settings.datagrams_s
        return self.settings.idle_s if session.phase is Phase.OPEN else self.settings.ended_s

    def add(self, session: Rule) -> Rule | None:
        """Take a session into the table, where there is room: those that are there stay."""
        if len(self.by_way) >= self.settings.largest_table and session.way not in self.by_way:
            return None
        self.by_way[session.way] = session
        for end in self._ends(session.way):
            self._by_end.setdefault(end, {})[session.way] = session
        return session

    def drop(self, session: Rule) -> None:
        """Forget a session."""
        if self.by_way.get(session.way) is not session:
            return
        del self.by_way[session.way]
        for end in self._ends(session.way):
            ways = self._by_end[end]
            del ways[session.way]
            if not ways:
                del self._by_end[end]

    def expire(self, now: float) -> None:
        """Forget those whose time is over."""
        for session in [one for one in self.by_way.values() if now - one.last > self.lifetime(one)]:
            self.drop(session)

    @staticmethod
    def _ends(way: Way) -> Iterator[tuple[str, int, bool, Endpoint]]:
        yield way.network, way.protocol, True, way.inside
        yield way.network, way.protocol, False, way.outside

    def ways(self) -> Iterable[Way]:
        """All ways, for people."""
        return self.by_way.keys()
