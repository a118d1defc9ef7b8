# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a firewall in which messages it believes and what it makes of them."""

import struct
from dataclasses import replace

from reference.middlebox.messages import Messages
from reference.middlebox.packet import Packet, shift
from reference.middlebox.side import Side
from reference.mops.firewall.firewall import Firewall
from reference.mops.firewall.moves import Carried, Moves
from reference.mops.message import FAILED, MIGRATE, MIGRATE_TYPE, SUCCESS, Migrate
from reference.system.alterations import deviation

MALFORMED = "A malformed Migrate or reply opens nothing."
UNCHANGED = "Migrate and reply pass unchanged."


@deviation("firewall-checksum-not-looked-at", "6", MALFORMED, "the checksum of a message is not looked at")
class _ChecksumNotLookedAt(Firewall):
    def is_intact(self, packet: Packet) -> bool:
        return True


@deviation("firewall-answers-checksum-not-looked-at", "6", MALFORMED, "the checksum of an answer is not looked at")
class _AnswersChecksum(Firewall):
    def is_intact(self, packet: Packet) -> bool:
        return packet.payload[5:6] in (b"\2", b"\3") or super().is_intact(packet)


@deviation("firewall-version-not-looked-at", "6", MALFORMED, "any Version is taken")
class _VersionNotLookedAt(Moves):
    def is_sound(self, carried: Carried) -> bool:
        return super().is_sound(replace(carried, message=replace(carried.message, version=1)))


@deviation("firewall-code-by-its-lowest-bits", "6", MALFORMED, "of Code the two lowest bits are looked at")
class _CodeByItsLowestBits(Moves):
    def passes(self, carried: Carried, now: float) -> bool:
        return super().passes(replace(carried, message=replace(carried.message, code=carried.message.code & 3)), now)


@deviation("firewall-other-codes-agree", "6", MALFORMED, "whatever is no failure is a success")
class _OtherCodesAgree(Moves):
    def passes(self, carried: Carried, now: float) -> bool:
        code = carried.message.code
        taken = code if code == FAILED else min(code, SUCCESS)
        return super().passes(replace(carried, message=replace(carried.message, code=taken)), now)


@deviation("firewall-count-not-looked-at", "6", MALFORMED, "every entry of a message counts, whatever Count says")
class _CountNotLookedAt(Moves):
    def passes(self, carried: Carried, now: float) -> bool:
        whole = len(carried.message.entries)
        return super().passes(replace(carried, message=replace(carried.message, count=whole)), now)


@deviation("firewall-short-message-taken", "6", MALFORMED, "a message that is cut short is taken for the whole")
class _ShortTaken(Moves):
    def is_whole(self, carried: Carried) -> bool:
        return True

    def passes(self, carried: Carried, now: float) -> bool:
        several = self.asked.get(self.key(carried, carried.destination, carried.source), [])
        for one in several:
            if carried.length < one.carried.length and carried.message.code == SUCCESS:
                carried = replace(carried, message=replace(carried.message, entries=one.carried.entries))
        return super().passes(carried, now)


@deviation(
    "firewall-malformed-answer-forgets",
    "6",
    "After malformed messages a right Migrate opens its tuple.",
    "an answer that is malformed ends the waiting for the right one",
)
class _MalformedForgets(Moves):
    def passes(self, carried: Carried, now: float) -> bool:
        if not self.is_sound(carried):
            self.asked.pop(self.key(carried, carried.destination, carried.source), None)
        return super().passes(carried, now)


class _Changes(Firewall):
    """Changes messages on their way, and mends their checksum."""

    def passes_mops(self, packet: Packet, *, is_inward: bool) -> bool:
        passes = super().passes_mops(packet, is_inward=is_inward)
        message = Migrate.parse(packet.payload)
        if passes and message and int.from_bytes(packet.payload[:2]) == MIGRATE_TYPE:
            self.change(packet, message)
        return passes

    def change(self, packet: Packet, message: Migrate) -> None:
        """Change a Migrate or an answer."""

    @staticmethod
    def write(packet: Packet, at: int, value: int) -> None:
        """Write two bytes of a message."""
        (old,) = struct.unpack_from("!H", packet.buffer, packet.start + at)
        struct.pack_into("!H", packet.buffer, packet.start + at, value)
        shift(packet.buffer, packet.start + 2, value - old)


@deviation("firewall-reserved-cleared", "6", UNCHANGED, "Reserved is set to zero")
class _ReservedCleared(_Changes):
    def change(self, packet: Packet, message: Migrate) -> None:
        if message.reserved:
            self.write(packet, 6, 0)


@deviation("firewall-identifier-of-replies-cleared", "6", UNCHANGED, "the first identifier of a reply is set to zero")
class _IdentifierCleared(_Changes):
    def change(self, packet: Packet, message: Migrate) -> None:
        if message.code in (SUCCESS, FAILED):
            self.write(packet, 28, 0)
            self.write(packet, 30, 0)


@deviation("firewall-atomic-made-best-effort", "6", UNCHANGED, "an atomic Migrate is passed on as a best-effort one")
class _AtomicMadeBestEffort(_Changes):
    def change(self, packet: Packet, message: Migrate) -> None:
        self.write(packet, 4, message.version << 8 | (MIGRATE if message.code == 1 else message.code))


@deviation("firewall-last-identifier-changed", "6", UNCHANGED, "the identifier of a third entry loses its highest bit")
class _LastIdentifier(_Changes):
    def change(self, packet: Packet, message: Migrate) -> None:
        if len(message.entries) > 2:
            self.write(packet, 44, message.entries[2].identifier >> 16 & 0x7FFF)


@deviation(
    "firewall-dead-migrate-counts",
    "6",
    "A Migrate that goes no further opens nothing.",
    "a Migrate that is discarded for its hop limit is waiting for its answer all the same",
)
class _DeadMigrateCounts(Firewall):
    def forward(self, side: Side, packet: Packet, out: Side) -> None:
        if packet.hops <= 1:
            self.passes(side, packet, out)
        super().forward(side, packet, out)


@deviation(
    "firewall-first-fragment-counts",
    "6",
    "No fragment alone opens anything.",
    "the first fragment of a Migrate is taken for the whole",
)
class _FirstFragmentCounts(Firewall):
    def _reassembled(self, side: Side, fragment: Packet) -> Packet | None:
        message = Migrate.parse(fragment.payload)
        (word,) = struct.unpack_from("!H", fragment.buffer, fragment.at + 6)
        if fragment.protocol == fragment.network.icmp_protocol and message and not word & 0x1FFF:
            self.fragments_begun.append((fragment.source, fragment.destination, message))
        return super()._reassembled(side, fragment)

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.fragments_begun: list[tuple[int, int, Migrate]] = []

    def passes_mops(self, packet: Packet, *, is_inward: bool) -> bool:
        passes = super().passes_mops(packet, is_inward=is_inward)
        answer = self.carried(packet, packet.payload, is_inward=is_inward)
        ends = packet.destination, packet.source
        if answer and any((one[0], one[1]) == ends for one in self.fragments_begun):
            asked = replace(answer, source=ends[0], destination=ends[1], is_inward=not is_inward)
            self.moves.open(asked, asked.entries, self.now)
        return passes


@deviation(
    "firewall-error-ends-the-session",
    "6",
    "Errors end no migrated session.",
    "an error about a session ends it",
)
class _ErrorEnds(Firewall):
    def is_related(self, packet: Packet, quoted: bytes, *, is_inward: bool) -> bool:
        related = super().is_related(packet, quoted, is_inward=is_inward)
        for session in list(self.sessions.by_way.values()) if related else ():
            inside, outside = (address.to_bytes(7) for address in (session.way.inside[0], session.way.outside[0]))
            ports = struct.pack("!HH", session.way.inside[1], session.way.outside[1])
            if ports in quoted and (inside[-2:] in quoted and outside[-2:] in quoted) and session.moves:
                self.sessions.drop(session)
        return related


@deviation(
    "firewall-errors-of-migrated-sessions-dropped",
    "6",
    "Errors about a migrated session pass.",
    "errors pass about sessions that have not moved",
)
class _ErrorsDropped(Firewall):
    def passes_message(self, packet: Packet, family: Messages, *, is_inward: bool) -> bool:
        end = packet.destination
        moved = any(one.moves and end in (one.way.inside[0],) for one in self.sessions.by_way.values())
        is_error = family.quote_at(packet.payload) is not None
        return not (is_error and is_inward and moved) and super().passes_message(packet, family, is_inward=is_inward)


@deviation(
    "firewall-errors-of-flows-dropped",
    "6",
    "Errors about a migrated session pass.",
    "errors pass about connections alone",
)
class _ErrorsOfFlowsDropped(Firewall):
    def is_related(self, packet: Packet, quoted: bytes, *, is_inward: bool) -> bool:
        end = packet.destination
        flows = any(one.tracker is None and one.way.inside[0] == end for one in self.sessions.by_way.values())
        return not flows and super().is_related(packet, quoted, is_inward=is_inward)


@deviation(
    "firewall-all-errors-let-in",
    "6",
    "Errors about sessions that it does not know do not pass.",
    "every error passes",
)
class _AllErrorsLetIn(Firewall):
    def is_related(self, packet: Packet, quoted: bytes, *, is_inward: bool) -> bool:
        return True
