# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a firewall in which answers it believes, and when."""

from collections.abc import Sequence
from dataclasses import replace

from reference.mops.firewall import moves
from reference.mops.firewall.moves import Carried, Moves, Pending
from reference.mops.firewall.sessions import Sessions
from reference.mops.firewall.settings import COMMAND
from reference.mops.message import FAILED, MIGRATE_ATOMIC, SUCCESS, Entry
from reference.system.alterations import deviation

REFUSED = "A Migrate that was refused opens nothing."
ELSE = "A success that is not about the Migrate opens nothing."
REPEATS = "Every repeat of a Migrate and every reply to it passes."


@deviation("firewall-command-opens", "6", REFUSED, "a Migrate opens its tuples before anybody has answered")
class _CommandOpens(Moves):
    def __init__(self, sessions: Sessions, opens_on: str) -> None:
        super().__init__(sessions, COMMAND)


@deviation("firewall-failed-opens", "6", REFUSED, "any answer opens what was asked for")
class _FailedOpens(Moves):
    def agreed(self, asked: Carried, answer: Carried) -> Sequence[Entry]:
        return asked.entries


@deviation("firewall-failed-datagrams-open", "6", REFUSED, "any answer opens what was asked for UDP flows")
class _FailedDatagramsOpen(Moves):
    def agreed(self, asked: Carried, answer: Carried) -> Sequence[Entry]:
        return super().agreed(asked, answer) if asked.message.protocol == 6 else asked.entries


@deviation("firewall-failed-atomic-opens", "6", REFUSED, "what a failed atomic Migrate does not list is opened")
class _FailedAtomicOpens(Moves):
    def agreed(self, asked: Carried, answer: Carried) -> Sequence[Entry]:
        return [one for one in asked.entries if answer.message.code == SUCCESS or one not in answer.entries]


@deviation("firewall-second-refusal-opens", "6", REFUSED, "the second refusal of a Migrate opens what it asked for")
class _SecondRefusalOpens(Moves):
    refusals = 0

    def agreed(self, asked: Carried, answer: Carried) -> Sequence[Entry]:
        self.refusals += answer.message.code == FAILED
        again = [one for one in self.refused if one == asked.entries]
        self.refused.append(asked.entries)
        return asked.entries if again else super().agreed(asked, answer)

    def __init__(self, sessions: Sessions, opens_on: str) -> None:
        super().__init__(sessions, opens_on)
        self.refused: list[tuple[Entry, ...]] = []


@deviation(
    "firewall-refused-unseen-opens", "6", REFUSED, "a Migrate of a session that it has never seen opens when it passes"
)
class _RefusedUnseenOpens(Moves):
    def command(self, carried: Carried, now: float) -> bool:
        passes = super().command(carried, now)
        if passes and not carried.is_inward:
            unseen = [entry for entry in carried.entries if not self.known(carried, entry, now)]
            self.open(carried, [one for one in unseen if not self.is_barrier(one)], now)
        return passes

    @staticmethod
    def is_barrier(entry: Entry) -> bool:
        return False


@deviation(
    "firewall-listed-entries-open",
    "6",
    "Entries that the failed reply lists stay closed.",
    "a failed reply to a best-effort Migrate opens all entries if it does not list all",
)
class _ListedEntriesOpen(Moves):
    def agreed(self, asked: Carried, answer: Carried) -> Sequence[Entry]:
        agreed = super().agreed(asked, answer)
        return asked.entries if agreed and asked.message.code != MIGRATE_ATOMIC else agreed


@deviation(
    "firewall-unlisted-entries-stay-closed",
    "6",
    "Entries that the failed reply does not list pass.",
    "a failed reply opens nothing",
)
class _UnlistedStayClosed(Moves):
    def agreed(self, asked: Carried, answer: Carried) -> Sequence[Entry]:
        return super().agreed(asked, answer) if answer.message.code == SUCCESS else ()


@deviation(
    "firewall-refusal-ends-the-session",
    "6",
    "After a refused Migrate the session passes at its old tuple.",
    "a refusal ends the session that it is about",
)
class _RefusalEnds(Moves):
    def answer(self, carried: Carried, now: float) -> bool:
        asked = self.find(carried, now)
        passes = super().answer(carried, now)
        if asked is not None and carried.message.code == FAILED:
            for entry in carried.entries:
                for session in self.known(asked.carried, entry, now):
                    self.sessions.drop(session)
        return passes


@deviation(
    "firewall-unasked-success-opens",
    "6",
    "A success that no Migrate has asked for opens nothing.",
    "any success opens what it names",
)
class _UnaskedOpens(Moves):
    def answer(self, carried: Carried, now: float) -> bool:
        if super().answer(carried, now):
            return True
        if carried.message.code == SUCCESS:
            node, server = carried.destination, carried.source
            asked = replace(carried, source=node, destination=server, is_inward=not carried.is_inward)
            self.open(asked, carried.entries, now)
        return False


@deviation("firewall-any-host-answers", "6", "A success of another host opens nothing.", "any host may answer")
class _AnyHostAnswers(Moves):
    def key(self, carried: Carried, node: int, server: int) -> tuple[object, ...]:
        return super().key(carried, node, 0)


class _TakesTheAnswers(Moves):
    """Opens what the success names, where that is close to what was asked for."""

    def agreed(self, asked: Carried, answer: Carried) -> Sequence[Entry]:
        return answer.entries if answer.message.code == SUCCESS else super().agreed(asked, answer)


@deviation("firewall-migrated-ports-of-the-answer", "6", ELSE, "a success may name other migrated ports")
class _MigratedPortsOfTheAnswer(_TakesTheAnswers):
    def answers(self, asked: Carried, answer: Carried) -> bool:
        mine, its = ([(one.previous_port, one.identifier) for one in both.entries] for both in (asked, answer))
        return mine == its if answer.message.code == SUCCESS else super().answers(asked, answer)


@deviation("firewall-identifiers-not-compared", "6", ELSE, "a success may have other identifiers")
class _IdentifiersNotCompared(Moves):
    def answers(self, asked: Carried, answer: Carried) -> bool:
        mine, its = ([(one.previous_port, one.migrated_port) for one in both.entries] for both in (asked, answer))
        return mine == its if answer.message.code == SUCCESS else super().answers(asked, answer)


@deviation("firewall-previous-ports-not-compared", "6", ELSE, "a success may have other previous ports")
class _PreviousPortsNotCompared(Moves):
    def answers(self, asked: Carried, answer: Carried) -> bool:
        mine, its = ([(one.migrated_port, one.identifier) for one in both.entries] for both in (asked, answer))
        return mine == its if answer.message.code == SUCCESS else super().answers(asked, answer)


@deviation("firewall-further-entries-of-the-answer", "6", ELSE, "a success may name entries beside those asked for")
class _FurtherEntries(_TakesTheAnswers):
    def answers(self, asked: Carried, answer: Carried) -> bool:
        return set(asked.entries) <= set(answer.entries) or super().answers(asked, answer)


class _WithoutField(Moves):
    """Leaves one field of the message out of the comparison."""

    place = 0

    def key(self, carried: Carried, node: int, server: int) -> tuple[object, ...]:
        whole = super().key(carried, node, server)
        return *whole[: self.place], *whole[self.place + 1 :]


@deviation("firewall-protocol-not-compared", "6", ELSE, "a success may have another Protocol")
class _ProtocolNotCompared(_WithoutField):
    place = 3


@deviation("firewall-previous-address-not-compared", "6", ELSE, "a success may have another previous address")
class _PreviousNotCompared(_WithoutField):
    place = 4


@deviation("firewall-migrated-address-not-compared", "6", ELSE, "a success may have another migrated address")
class _MigratedNotCompared(_WithoutField):
    place = 5


@deviation(
    "firewall-either-side-answers",
    "6",
    "A success from the node's side opens nothing.",
    "an answer is believed whichever side it comes from",
)
class _EitherSideAnswers(Moves):
    def find(self, answer: Carried, now: float) -> Pending | None:
        return super().find(answer, now) or super().find(replace(answer, is_inward=not answer.is_inward), now)


@deviation(
    "firewall-forged-answer-spends",
    "6",
    "After the success the tuple passes, whatever else was answered.",
    "an answer with other entries than those asked for ends the waiting for the right one",
)
class _ForgedAnswerSpends(Moves):
    def answer(self, carried: Carried, now: float) -> bool:
        passes = super().answer(carried, now)
        if not passes:
            self.asked.pop(self.key(carried, carried.destination, carried.source), None)
        return passes


@deviation(
    "firewall-recorded-success-opens",
    "6",
    "The success of an earlier move opens nothing.",
    "a success opens as often as it comes",
)
class _RecordedOpens(Moves):
    def is_done(self, answer: Carried) -> bool:
        return False


@deviation(
    "firewall-equal-migrate-opens-once",
    "6",
    "The same move again opens again.",
    "a Migrate that is equal to one that was answered passes, and opens nothing more",
)
class _EqualOpensOnce(Moves):
    def note(self, carried: Carried, now: float) -> None:
        known = self.asked.get(self.key(carried, carried.source, carried.destination), ())
        was_open = any(one.is_open and one.carried.entries == carried.entries for one in known)
        super().note(carried, now)
        for one in self.asked[self.key(carried, carried.source, carried.destination)]:
            one.is_open = one.is_open or (was_open and one.carried.entries == carried.entries)


@deviation("firewall-repeats-dropped", "6", REPEATS, "a Migrate that is waiting for its answer does not pass again")
class _RepeatsDropped(Moves):
    def command(self, carried: Carried, now: float) -> bool:
        known = self.asked.get(self.key(carried, carried.source, carried.destination), ())
        waits = any(not one.is_open and one.carried.entries == carried.entries for one in known)
        return not waits and super().command(carried, now)


@deviation("firewall-second-reply-dropped", "6", REPEATS, "one answer to a Migrate passes")
class _SecondReplyDropped(Moves):
    def answer(self, carried: Carried, now: float) -> bool:
        asked = self.find(carried, now)
        return (asked is None or not asked.is_open) and super().answer(carried, now)


@deviation("firewall-reply-within-four-seconds", "6", REPEATS, "an answer that comes after four seconds does not pass")
class _WithinFourSeconds(Moves):
    def is_fresh(self, asked: Pending, now: float) -> bool:
        return now - asked.last < min(4.0, moves.ANSWERED_WITHIN_S)


@deviation(
    "firewall-repeat-after-success-dropped",
    "6",
    REPEATS,
    "a Migrate from the outside of a session that has moved already is not let in",
)
class _RepeatAfterSuccessDropped(Moves):
    def is_let_in(self, carried: Carried, now: float) -> bool:
        return any(self.known(carried, entry, now) for entry in carried.entries)
