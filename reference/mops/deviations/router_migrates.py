# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT router in what becomes of Migrates on their way out."""

from collections.abc import Sequence
from dataclasses import replace

from reference.middlebox.messages import Messages
from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.nat.translation import Translation
from reference.middlebox.packet import BoxNetwork, Packet
from reference.middlebox.side import Side
from reference.mops.acknowledgements import NatAcknowledgement
from reference.mops.message import MIGRATE_ATOMIC, MIGRATE_TYPE, Migrate, message_type
from reference.mops.nat.announcements import Announcements
from reference.mops.nat.router import NatRouter
from reference.system.alterations import deviation

OWN_MAPPING = "Each inside tuple of a Migrate has a mapping of its own."
MIGRATED = "The Migrated fields are those of the mappings."
PREVIOUS = "Previous fields pass untouched."
IDENTIFIER = "Sequence number or Unique ID pass untouched."
OTHERS = "Type, Version, Code, Protocol and Count are the request's."
MALFORMED = "A malformed Migrate leaves nothing outside."
LEAK = "The inside address never leaves in a Migrate."


@deviation("router-one-mapping-a-migrate", "B", OWN_MAPPING, "all entries of a Migrate share the first one's mapping")
class _OneMapping(NatRouter):
    def mappings_for(self, translation: Translation, migrate: Migrate, host: int) -> list[Mapping] | None:
        found = super().mappings_for(translation, migrate, host)
        return found and found[:1] * len(found)


@deviation("router-hundred-mappings-a-migrate", "B", OWN_MAPPING, "after a hundred entries the last one is repeated")
class _HundredMappings(NatRouter):
    def mappings_for(self, translation: Translation, migrate: Migrate, host: int) -> list[Mapping] | None:
        found = super().mappings_for(translation, migrate, host)
        return found and found[:100] + [found[99]] * (len(found) - 100) if found and len(found) > 100 else found


class _Changed(NatRouter):
    """A Migrate that goes out with something changed."""

    def changed(self, network: BoxNetwork, before: Migrate, outward: Migrate) -> Migrate:
        return outward

    def translated(self, network: BoxNetwork, migrate: Migrate, mappings: Sequence[Mapping]) -> Migrate:
        return self.changed(network, migrate, super().translated(network, migrate, mappings))


@deviation("router-mappings-in-another-order", "B", MIGRATED, "the migrated ports are in reverse order")
class _AnotherOrder(_Changed):
    def changed(self, network: BoxNetwork, before: Migrate, outward: Migrate) -> Migrate:
        ports = [entry.migrated_port for entry in outward.entries][::-1]
        pairs = zip(outward.entries, ports, strict=True)
        return replace(outward, entries=tuple(entry._replace(migrated_port=port) for entry, port in pairs))


@deviation("router-migrates-from-a-second-address", "B", "It comes from the migrated address.", "it does not")
class _SecondAddress(NatRouter):
    def rewrite(self, packet: Packet, message: Migrate) -> None:
        packet.change_source(packet.source ^ 2)
        super().rewrite(packet, message)


@deviation("router-migrates-to-the-first-server", "B", "It goes to its destination.", "a host's go to its first server")
class _FirstServer(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        first = self.__dict__.setdefault("_server", {}).setdefault(packet.source, packet.destination)
        packet.change_destination(first)
        return super().migrate_passes(packet, migrate)


@deviation("router-previous-address-translated", "B", PREVIOUS, "one that is on the inside becomes the outside one")
class _PreviousTranslated(_Changed):
    def changed(self, network: BoxNetwork, before: Migrate, outward: Migrate) -> Migrate:
        inside = network.from_ipff(before.previous)
        mappings = self.translations[network].mappings
        known = [one.inside[0] for one in mappings._by_inside.values()]
        return replace(outward, previous=outward.migrated) if inside in known else outward


@deviation("router-previous-port-signed", "B", PREVIOUS, "a Previous Source Port above 32767 becomes that")
class _PreviousSigned(_Changed):
    def changed(self, network: BoxNetwork, before: Migrate, outward: Migrate) -> Migrate:
        entries = [one._replace(previous_port=min(one.previous_port, 0x7FFF)) for one in outward.entries]
        return replace(outward, entries=tuple(entries))


@deviation("router-identifier-signed", "B", IDENTIFIER, "what is above 2^31 - 1 becomes that")
class _Signed(_Changed):
    def changed(self, network: BoxNetwork, before: Migrate, outward: Migrate) -> Migrate:
        entries = [entry._replace(identifier=min(entry.identifier, 0x7FFFFFFF)) for entry in outward.entries]
        return replace(outward, entries=tuple(entries))


@deviation("router-identifier-zero-filled", "B", IDENTIFIER, "0 becomes 1 in an atomic Migrate")
class _ZeroFilled(_Changed):
    def changed(self, network: BoxNetwork, before: Migrate, outward: Migrate) -> Migrate:
        if outward.code != MIGRATE_ATOMIC:
            return outward
        return replace(outward, entries=tuple(one._replace(identifier=one.identifier or 1) for one in outward.entries))


@deviation("router-atomic-no-more", "B", OTHERS, "an atomic Migrate goes out as an ordinary one")
class _AtomicNoMore(_Changed):
    def changed(self, network: BoxNetwork, before: Migrate, outward: Migrate) -> Migrate:
        return replace(outward, code=0)


@deviation("router-old-checksum", "B", "The checksum is right.", "of several entries it is left as it was")
class _OldChecksum(NatRouter):
    def fill(self, packet: Packet, message: bytes) -> None:
        before = packet.payload[2:4]
        super().fill(packet, message)
        if message[5] in (0, 1) and len(message) > 32 and message_type(message) == MIGRATE_TYPE:
            packet.buffer[packet.start + 2 : packet.start + 4] = before


@deviation("router-checksum-never-zero", "B", "A checksum of 0x0000 is right.", "0 is written as 1")
class _NeverZero(NatRouter):
    def fill(self, packet: Packet, message: bytes) -> None:
        super().fill(packet, message)
        at = packet.start + 2
        if bytes(packet.buffer[at : at + 2]) in (b"\0\0", b"\xff\xff"):
            packet.buffer[at : at + 2] = b"\0\1"


@deviation("router-migrate-checksum-unread", "B", MALFORMED, "a wrong checksum is replaced by a right one")
class _ChecksumUnread(NatRouter):
    def passes_message(self, side: Side, packet: Packet, out: Side, family: Messages) -> bool:
        message = packet.payload
        migrate = Migrate.parse(message) if message_type(message) == MIGRATE_TYPE else None
        if side is self.inside and migrate is not None and self.is_request(migrate, len(message)):
            return self.migrate_passes(packet, migrate)
        return super().passes_message(side, packet, out, family)


@deviation("router-migrate-version-unread", "B", MALFORMED, "Version is not looked at")
class _VersionUnread(NatRouter):
    def is_request(self, migrate: Migrate, length: int) -> bool:
        return super().is_request(replace(migrate, version=1), length)


@deviation("router-migrate-count-unread", "B", MALFORMED, "Count is not looked at")
class _CountUnread(NatRouter):
    def is_request(self, migrate: Migrate, length: int) -> bool:
        return super().is_request(replace(migrate, count=len(migrate.entries)), length)


@deviation("router-acknowledges-before-it-looks", "4.3", "A malformed Migrate draws none.", "it draws one")
class _BeforeItLooks(NatRouter):
    def is_request(self, migrate: Migrate, length: int) -> bool:
        if super().is_request(migrate, length):
            return True
        for network, translation in self.translations.items():
            host = network.from_ipff(migrate.migrated)
            if super().is_request(replace(migrate, version=1), length) and host is not None:
                self.announce(network, self.mappings_for(translation, migrate, host) or [])
                break
        return False


@deviation("router-repeat-mapped-anew", "B", "A repeat is given the same mappings.", "it is given new ones")
class _MappedAnew(NatRouter):
    def mappings_for(self, translation: Translation, migrate: Migrate, host: int) -> list[Mapping] | None:
        for entry in migrate.entries:
            mapping = translation.mappings.of_inside(migrate.protocol, (host, entry.migrated_port), self.now)
            if mapping is not None and not mapping.flows:
                translation.mappings.remove(mapping)
                nobody = translation.mapping_for(migrate.protocol, (0, mapping.outside[1]))
                if nobody is not None:
                    translation.mappings.hold(nobody, self.now + self.hold_s)
        return super().mappings_for(translation, migrate, host)


@deviation("router-two-repeats", "B", "Every repeat is sent on.", "the third repeat of a Migrate is dropped")
class _TwoRepeats(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        known = self.__dict__.setdefault("_known", {})
        known[migrate] = known.get(migrate, 0) + 1
        return known[migrate] <= 3 and super().migrate_passes(packet, migrate)


@deviation("router-repeat-after-a-reply-dropped", "B", "Every repeat is sent on.", "after a reply none is")
class _AfterAReply(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        requests = self.requests[packet.network]._by_key.values()
        found = [one for each in requests for one in each.values() if one.is_answered and one.inside == packet.source]
        asked = {(entry.previous_port, entry.identifier) for one in found for entry in one.entries}
        repeated = all((entry.previous_port, entry.identifier) in asked for entry in migrate.entries)
        return not repeated and super().migrate_passes(packet, migrate)


@deviation("router-atomic-migrates-pass-as-they-are", "6", LEAK, "atomic Migrates go out with the inside address")
class _AtomicAsTheyAre(_Changed):
    def changed(self, network: BoxNetwork, before: Migrate, outward: Migrate) -> Migrate:
        return replace(outward, migrated=before.migrated) if outward.code == MIGRATE_ATOMIC else outward


@deviation("router-unknown-codes-pass-as-they-are", "6", LEAK, "a message with an unknown Code goes out as it is")
class _UnknownCodes(NatRouter):
    def passes_message(self, side: Side, packet: Packet, out: Side, family: Messages) -> bool:
        if side is self.inside and message_type(packet.payload) == MIGRATE_TYPE and packet.payload[5] > 3:
            return True
        return super().passes_message(side, packet, out, family)


@deviation("router-replies-from-the-inside-pass", "6", LEAK, "a reply from the inside goes out as it is")
class _RepliesPass(NatRouter):
    def passes_message(self, side: Side, packet: Packet, out: Side, family: Messages) -> bool:
        if side is self.inside and message_type(packet.payload) == MIGRATE_TYPE and packet.payload[5] in (2, 3):
            return True
        return super().passes_message(side, packet, out, family)


@deviation("router-last-hop-sent-on", "B", "With a hop limit of 1 a Migrate is not sent on.", "it is sent on")
class _LastHop(NatRouter):
    def forward(self, side: Side, packet: Packet, out: Side) -> None:
        if side is self.inside and packet.hops == 1 and packet.protocol == packet.network.icmp_protocol:
            packet.hops = 2
        super().forward(side, packet, out)


@deviation("router-fragments-pass-as-they-are", "B", "A Migrate is translated whole or not at all.", "fragments pass")
class _FragmentsPass(NatRouter):
    def _reassembled(self, side: Side, fragment: Packet) -> Packet | None:
        if side is self.inside and fragment.protocol == fragment.network.icmp_protocol:
            fragment.change_source(self.outside.own[fragment.network])
            self.emit(self.outside, fragment)
            return None
        return super()._reassembled(side, fragment)


@deviation("router-own-tuple-as-previous-dropped", "B", "A node may move inside.", "its Migrate is dropped")
class _OwnPrevious(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        own = packet.network.to_ipff(self.outside.own[packet.network])
        return migrate.previous != own and super().migrate_passes(packet, migrate)


@deviation("router-migrates-datagrams-not", "B", "A Migrate of UDP flows passes.", "it is dropped")
class _DatagramsNot(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        return migrate.protocol == 6 and super().migrate_passes(packet, migrate)


@deviation("router-anybody-is-migrated", "B", "A Migrate for a third host opens nothing to it.", "it maps that host")
class _Anybody(NatRouter):
    def is_of_its_sender(self, packet: Packet, migrate: Migrate) -> bool:
        return True

    def mappings_for(self, translation: Translation, migrate: Migrate, host: int) -> list[Mapping] | None:
        named = translation.network.from_ipff(migrate.migrated)
        return super().mappings_for(translation, migrate, host if named is None else named)


@deviation("router-neighbours-alone", "B", "A Migrate passes two routers.", "one that has come far does not")
class _NeighboursAlone(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        return packet.hops >= 64 and super().migrate_passes(packet, migrate)


@deviation("router-acknowledges-migrates-by-halves", "B", "Acknowledgements name each mapping.", "a port is one off")
class _ByHalves(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        before, self.announcements = self.announcements, _OneOff(self.settings)
        try:
            return super().migrate_passes(packet, migrate)
        finally:
            self.announcements = before


class _OneOff(Announcements):
    def message(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> NatAcknowledgement:
        message = super().message(network, mappings)
        return replace(message, ports=tuple((one, other ^ 1) for one, other in message.ports))
