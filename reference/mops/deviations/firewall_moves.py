# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a firewall in what it opens for which Migrate."""

from collections.abc import Sequence

from reference.middlebox.packet import UDP
from reference.mops.firewall.moves import Carried, Moves
from reference.mops.firewall.sessions import Rule
from reference.mops.message import Entry
from reference.system.alterations import deviation

RULE = "After a Migrate and its success the migrated tuple passes."


@deviation("firewall-opens-nothing", "6", RULE, "no rule appears")
class _OpensNothing(Moves):
    def open(self, asked: Carried, entries: Sequence[Entry], now: float) -> None:
        pass


@deviation("firewall-opens-for-nodes-inside-alone", "6", RULE, "a Migrate from the outside opens nothing")
class _OpensForNodesInside(Moves):
    def open(self, asked: Carried, entries: Sequence[Entry], now: float) -> None:
        if not asked.is_inward:
            super().open(asked, entries, now)


@deviation("firewall-opens-for-nodes-outside-alone", "6", RULE, "a Migrate from the inside opens nothing")
class _OpensForNodesOutside(Moves):
    def open(self, asked: Carried, entries: Sequence[Entry], now: float) -> None:
        if asked.is_inward:
            super().open(asked, entries, now)


@deviation("firewall-opens-connections-alone", "6", RULE, "a Migrate of UDP flows opens nothing")
class _OpensConnectionsAlone(Moves):
    def open(self, asked: Carried, entries: Sequence[Entry], now: float) -> None:
        if asked.message.protocol != UDP:
            super().open(asked, entries, now)


@deviation(
    "firewall-opens-seen-sessions-alone",
    "6",
    "A session that was opened elsewhere passes after its success.",
    "a Migrate of a session that it has never seen opens nothing",
)
class _OpensSeenAlone(Moves):
    def open_entry(self, asked: Carried, entry: Entry, sessions: Sequence[Rule], now: float) -> None:
        if sessions:
            super().open_entry(asked, entry, sessions, now)


@deviation(
    "firewall-opens-one-unseen-session",
    "6",
    "A session that was opened elsewhere passes after its success.",
    "of several sessions that it has never seen a Migrate opens the first",
)
class _OpensOneUnseen(Moves):
    def open(self, asked: Carried, entries: Sequence[Entry], now: float) -> None:
        known = [bool(self.known(asked, entry, now)) for entry in entries]
        first_unknown = known.index(False) if False in known else -1
        kept = [one for place, one in enumerate(entries) if known[place] or place == first_unknown]
        super().open(asked, kept, now)


@deviation("firewall-opens-sixteen-entries", "6", "All entries of a Migrate pass.", "the first sixteen entries pass")
class _OpensSixteen(Moves):
    def open(self, asked: Carried, entries: Sequence[Entry], now: float) -> None:
        super().open(asked, entries[:16], now)


@deviation(
    "firewall-leaves-out-the-last", "6", "All entries of a Migrate pass.", "the last entry of several is left out"
)
class _LeavesOutTheLast(Moves):
    def open(self, asked: Carried, entries: Sequence[Entry], now: float) -> None:
        super().open(asked, entries[:-1] if len(entries) > 1 else entries, now)


@deviation(
    "firewall-moves-a-session-once",
    "6",
    "Further moves open like the first.",
    "a session that has moved does not move again",
)
class _MovesOnce(Moves):
    def open_entry(self, asked: Carried, entry: Entry, sessions: Sequence[Rule], now: float) -> None:
        fresh = [one for one in sessions if one.moves < 1]
        if fresh or not sessions:
            super().open_entry(asked, entry, fresh, now)


@deviation(
    "firewall-moves-a-session-twice",
    "6",
    "Further moves open like the first.",
    "a session that has moved twice does not move again",
)
class _MovesTwice(Moves):
    def open_entry(self, asked: Carried, entry: Entry, sessions: Sequence[Rule], now: float) -> None:
        fresh = [one for one in sessions if one.moves < 2]
        if fresh or not sessions:
            super().open_entry(asked, entry, fresh, now)


@deviation(
    "firewall-neighbour-opened",
    "6",
    "A Migrate for another host opens nothing.",
    "a host inside opens its neighbour's ports",
)
class _NeighbourOpened(Moves):
    def is_own(self, carried: Carried) -> bool:
        return True


@deviation(
    "firewall-unknown-migrate-let-in",
    "6",
    "A Migrate from the outside that names no known session is not let in.",
    "every Migrate from the outside is let in",
)
class _UnknownLetIn(Moves):
    def is_let_in(self, carried: Carried, now: float) -> bool:
        return True


@deviation(
    "firewall-server-not-compared",
    "6",
    "A Migrate from the outside that names no known session is not let in.",
    "a Migrate is let in to any server for a session that another one has",
)
class _ServerNotCompared(Moves):
    def is_let_in(self, carried: Carried, now: float) -> bool:
        ends = [(carried.previous, entry.previous_port) for entry in carried.entries]
        ways = list(self.sessions.ways())
        return super().is_let_in(carried, now) or any(way.outside in ends for way in ways)


@deviation(
    "firewall-one-unknown-entry-bars",
    "6",
    "A Migrate with a known and an unknown entry passes.",
    "a Migrate from the outside is let in if all its entries are known",
)
class _OneUnknownBars(Moves):
    def is_let_in(self, carried: Carried, now: float) -> bool:
        entries = carried.entries
        return all(self.known(carried, entry, now) or self.is_there(carried, entry, now) for entry in entries)


@deviation(
    "firewall-old-tuple-stays",
    "6",
    "After the success nothing passes at the old tuple.",
    "the session passes at both tuples",
)
class _OldTupleStays(Moves):
    def open_entry(self, asked: Carried, entry: Entry, sessions: Sequence[Rule], now: float) -> None:
        left = [(one.way, one.tracker) for one in sessions]
        super().open_entry(asked, entry, sessions, now)
        for way, tracker in left:
            if self.sessions.find(way, now) is None:
                self.sessions.add(Rule(way, tracker, now))


@deviation(
    "firewall-move-ends-the-others",
    "6",
    "Sessions that no Migrate names pass as before.",
    "a move ends the node's other sessions with its server",
)
class _MoveEndsTheOthers(Moves):
    def open(self, asked: Carried, entries: Sequence[Entry], now: float) -> None:
        super().open(asked, entries, now)
        node = 0 if asked.is_inward else 1
        for session in list(self.sessions.by_way.values()):
            ends = (session.way.outside, session.way.inside)
            if ends[node][0] == asked.previous and ends[1 - node][0] == asked.destination:
                self.sessions.drop(session)


@deviation(
    "firewall-move-takes-the-port-along",
    "6",
    "Sessions that no Migrate names pass as before.",
    "a move takes the sessions along that the same port has with other servers",
)
class _TakesThePortAlong(Moves):
    def open_entry(self, asked: Carried, entry: Entry, sessions: Sequence[Rule], now: float) -> None:
        super().open_entry(asked, entry, sessions, now)
        is_inside, previous = not asked.is_inward, (asked.previous, entry.previous_port)
        for session in list(self.sessions.by_way.values()):
            if session.way.end(is_inside=is_inside) == previous:
                self.sessions.move(session, (asked.migrated, entry.migrated_port), now, is_inside=is_inside)
