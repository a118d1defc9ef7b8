# SPDX-License-Identifier: GPL-2.0-or-later
"""The Migrates that a firewall has let through, and what their answers open (section 6).

Readings: a Migrate opens what the server's success names, and what a failed reply to a best-effort one does not name;
with `opens_on` "command" the Migrate itself opens, and the success closes what was left. The answer comes from the
address that was asked, within ten seconds of the last repeat; every answer passes, and the first one opens. A repeat
is a new command: the node may have come back in between. From the outside a Migrate is let in if it names a session
with that server. A Migrate whose Migrated Source is not its packet's source opens nothing. A session with an anycast
server whose acknowledgement has passed goes on at either of that server's addresses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reference.mops.firewall.sessions import Rule, Sessions
from reference.mops.firewall.settings import COMMAND
from reference.mops.firewall.ways import Way
from reference.mops.message import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS, VERSION, Entry, Migrate, length_for

ANSWERED_WITHIN_S = 10.0
MOST = 4096


@dataclass(frozen=True)
class Carried:
    """A Migrate on its way: the packet's addresses, those of the message as they are on this network, its length."""

    network: str
    source: int
    destination: int
    previous: int
    migrated: int
    message: Migrate
    length: int
    is_inward: bool

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries that count."""
        return self.message.entries[: self.message.count]


@dataclass
class Pending:
    """A Migrate that has passed: when it passed last, and whether what it asked for has been opened."""

    carried: Carried
    last: float
    is_open: bool = False


class Moves:
    """What was asked, by what an answer to it has to say."""

    role = "firewall"

    def __init__(self, sessions: Sessions, opens_on: str) -> None:
        self.sessions, self.opens_on = sessions, opens_on
        self.asked: dict[tuple[object, ...], list[Pending]] = {}

    # Messages ----------------------------------------------------------------------------------------------------

    def passes(self, carried: Carried, now: float) -> bool:
        """Whether a Migrate, or the answer to one, passes; what follows from it is done."""
        if not self.is_sound(carried):
            return False
        if carried.message.code in (MIGRATE, MIGRATE_ATOMIC):
            return self.command(carried, now)
        return carried.message.code in (SUCCESS, FAILED) and self.answer(carried, now)

    def is_sound(self, carried: Carried) -> bool:
        """Whether Version, Count and length are right."""
        message = carried.message
        return message.version == VERSION and self.is_whole(carried) and bool(message.count)

    def is_whole(self, carried: Carried) -> bool:
        """Whether there are as many entries as Count says, and nothing else."""
        return carried.length == length_for(carried.message.count or 0)

    def command(self, carried: Carried, now: float) -> bool:
        """A Migrate passes, where it may."""
        if carried.is_inward and not self.is_let_in(carried, now):
            return False
        if self.is_own(carried):
            self.note(carried, now)
            if self.opens_on == COMMAND:
                self.offer(carried, now)
        return True

    def is_let_in(self, carried: Carried, now: float) -> bool:
        """Whether a Migrate from the outside names a session that there is, or that has moved already, or repeats."""
        if any(self.known(carried, entry, now) or self.is_there(carried, entry, now) for entry in carried.entries):
            return True
        several = self.asked.get(self.key(carried, carried.source, carried.destination), ())
        return any(one.carried.entries == carried.entries and self.is_fresh(one, now) for one in several)

    def is_own(self, carried: Carried) -> bool:
        """Whether a node asks for itself."""
        return carried.migrated == carried.source

    def answer(self, carried: Carried, now: float) -> bool:
        """An answer passes where it was asked for, and opens what it agrees to."""
        asked = self.find(carried, now)
        if asked is None:
            return False
        if not asked.is_open:
            self.open(asked.carried, self.agreed(asked.carried, carried), now)
        asked.is_open = self.is_done(carried)
        return True

    def is_done(self, answer: Carried) -> bool:
        """Whether an answer is the last that may open something, until the node asks again."""
        return True

    def agreed(self, asked: Carried, answer: Carried) -> Sequence[Entry]:
        """The entries that the server has migrated."""
        if answer.message.code == SUCCESS:
            return asked.entries
        if asked.message.code == MIGRATE_ATOMIC:
            return ()
        return [entry for entry in asked.entries if entry not in answer.entries]

    # What was asked ----------------------------------------------------------------------------------------------

    def note(self, carried: Carried, now: float) -> None:
        """Keep what was asked, or that it was asked again."""
        key = self.key(carried, carried.source, carried.destination)
        known = self.asked.pop(key, [])
        while len(self.asked) >= MOST:
            del self.asked[next(iter(self.asked))]
        others = [one for one in known if one.carried.entries != carried.entries and self.is_fresh(one, now)]
        self.asked[key] = [*others[-MOST:], Pending(carried, now)]

    def find(self, answer: Carried, now: float) -> Pending | None:
        """What an answer answers."""
        for asked in self.asked.get(self.key(answer, answer.destination, answer.source), ()):
            is_other_way = asked.carried.is_inward is not answer.is_inward
            if is_other_way and self.is_fresh(asked, now) and self.answers(asked.carried, answer):
                return asked
        return None

    def is_fresh(self, asked: Pending, now: float) -> bool:
        """Whether there may be an answer still."""
        return now - asked.last < ANSWERED_WITHIN_S

    def key(self, carried: Carried, node: int, server: int) -> tuple[object, ...]:
        """What request and answer have in common."""
        return carried.network, node, server, carried.message.protocol, carried.previous, carried.migrated

    def answers(self, asked: Carried, answer: Carried) -> bool:
        """Whether the entries are those that were asked for; a failure may name any of them, in order."""
        if answer.message.code == SUCCESS:
            return answer.entries == asked.entries
        remaining = iter(asked.entries)
        return all(entry in remaining for entry in answer.entries)

    def expects(self, network: str, protocol: int, node: tuple[int, int], now: float) -> bool:
        """Whether a node inside has asked to be there, and may be answered still."""
        return any(
            asked.carried.network == network
            and not asked.carried.is_inward
            and asked.carried.message.protocol == protocol
            and asked.carried.migrated == node[0]
            and self.is_fresh(asked, now)
            and any(entry.migrated_port == node[1] for entry in asked.carried.entries)
            for several in self.asked.values()
            for asked in several
        )

    def expire(self, now: float) -> None:
        """Forget what is not answered any more."""
        for key, several in list(self.asked.items()):
            self.asked[key] = [one for one in several if self.is_fresh(one, now)]
            if not self.asked[key]:
                del self.asked[key]

    # What is opened ----------------------------------------------------------------------------------------------

    def open(self, asked: Carried, entries: Sequence[Entry], now: float) -> None:
        """Open the migrated places of these entries."""
        moving = [(entry, self.known(asked, entry, now)) for entry in entries]
        for entry, sessions in moving:
            self.open_entry(asked, entry, sessions, now)

    def open_entry(self, asked: Carried, entry: Entry, sessions: Sequence[Rule], now: float) -> None:
        """Open the migrated place of one entry, of which these sessions are known."""
        node = asked.migrated, entry.migrated_port
        for session in sessions:
            self.sessions.move(session, node, now, is_inside=not asked.is_inward)
            if session.unicast == asked.destination:
                self.open_unicast(session, asked.destination, now)
        if not sessions and not asked.is_inward and not self.is_there(asked, entry, now):
            way = Way(asked.network, asked.message.protocol, node, (asked.destination, 0))
            self.sessions.expect(way, entry.identifier, now)

    def open_unicast(self, session: Rule, address: int, now: float) -> None:
        """Open the own address of a session's anycast server: where the session goes on is the hosts' affair."""
        way = session.way._replace(outside=(address, session.way.outside[1]))
        if self.sessions.find(way, now) is None:
            self.sessions.add(Rule(way, session.tracker, now, session.moves))

    def offer(self, asked: Carried, now: float) -> None:
        """Open the migrated places before anybody has answered: a session passes at both places until then."""
        for entry in asked.entries:
            node = asked.migrated, entry.migrated_port
            for rule in self.known(asked, entry, now):
                way = rule.way.with_end(node, is_inside=not asked.is_inward)
                self.sessions.add(Rule(way, rule.tracker, now, rule.moves + 1))
            if not asked.is_inward and not self.is_there(asked, entry, now):
                way = Way(asked.network, asked.message.protocol, node, (asked.destination, 0))
                self.sessions.expect(way, entry.identifier, now)

    def is_there(self, asked: Carried, entry: Entry, now: float) -> bool:
        """Whether a session is where an entry leads already: the node has not heard that it has moved."""
        node = asked.migrated, entry.migrated_port
        ends = asked.network, asked.message.protocol, node, asked.destination
        return bool(self.sessions.of_node(*ends, now, is_inside=not asked.is_inward))

    def known(self, asked: Carried, entry: Entry, now: float) -> list[Rule]:
        """The sessions that an entry is about."""
        node = asked.previous, entry.previous_port
        ends = asked.network, asked.message.protocol, node, asked.destination
        return self.sessions.of_node(*ends, now, is_inside=not asked.is_inward)

    def all(self) -> Iterator[Pending]:
        """Everything that was asked."""
        for several in self.asked.values():
            yield from several
