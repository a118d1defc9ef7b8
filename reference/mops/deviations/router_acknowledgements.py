# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT router in what it acknowledges of its own mappings."""

from collections.abc import Sequence
from dataclasses import replace

from reference.middlebox.middlebox import Middlebox
from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.nat.translation import flags_of, is_call
from reference.middlebox.packet import TCP, BoxNetwork, Packet
from reference.middlebox.side import Side
from reference.mops.acknowledgements import NatAcknowledgement
from reference.mops.message import Migrate
from reference.mops.nat.announcements import Announcements
from reference.mops.nat.router import NatRouter
from reference.system.alterations import deviation

EVERY_SYN = "A SYN from the inside for which the router makes a mapping draws a NAT acknowledgement."
EVERY_MIGRATE = "A Migrate draws an acknowledgement of each of its mappings."
PUSH, LATE_S = 0x08, 0.15


@deviation("router-says-nothing-of-calls", "4.3", EVERY_SYN, "no SYN draws an acknowledgement")
class _SaysNothing(Announcements):
    def is_due(self, packet: Packet) -> bool:
        return False


@deviation("router-acknowledges-a-host-once", "4.3", EVERY_SYN, "only a host's first SYN draws an acknowledgement")
class _OncePerHost(Announcements):
    def is_due(self, packet: Packet) -> bool:
        known: set[tuple[int, ...]] = self.__dict__.setdefault("_known", set())
        is_new = (packet.destination,) not in known
        known.add((packet.destination,))
        return is_new and super().is_due(packet)


@deviation("router-plain-syns-alone", "4.3", EVERY_SYN, "a SYN with options that it does not know draws none")
class _PlainSyns(Announcements):
    def is_due(self, packet: Packet) -> bool:
        return b"\x4d\x04" not in self.options(packet) and super().is_due(packet)


@deviation("router-reused-mapping-unsaid", "4.3", "A SYN on a mapping that is there draws one.", "it draws none")
class _ReusedUnsaid(NatRouter):
    def call_passes(self, packet: Packet, mapping: Mapping) -> None:
        if len(list(mapping.remotes(self.now))) == 1:
            super().call_passes(packet, mapping)


@deviation("router-says-nothing-of-migrates", "4.3", EVERY_MIGRATE, "no Migrate draws any")
class _NothingOfMigrates(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        before, self.announcements = self.announcements, _NoMessages(self.settings)
        try:
            return super().migrate_passes(packet, migrate)
        finally:
            self.announcements = before


class _NoMessages(Announcements):
    def messages(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> list[NatAcknowledgement]:
        return []


@deviation("router-first-entry-said", "4.3", EVERY_MIGRATE, "the first of several mappings alone is acknowledged")
class _FirstEntry(NatRouter):
    def announce(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> None:
        super().announce(network, mappings[:1])


@deviation("router-known-mapping-unsaid", "4.3", EVERY_MIGRATE, "of a Migrate a mapping that was there is not said")
class _KnownUnsaid(NatRouter):
    def announce(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> None:
        said: set[Mapping] = self.__dict__.setdefault("_said", set())
        fresh = [one for one in mappings if one not in said]
        said.update(mappings)
        if fresh:
            super().announce(network, fresh)


@deviation("router-one-message-a-port", "4.3", "A success for n ports draws one.", "it draws a message for each port")
class _OneMessageAPort(Announcements):
    def messages(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> list[NatAcknowledgement]:
        return [self.message(network, [one]) for one in mappings]


@deviation("router-acknowledges-data", "4.3", "Other segments draw none.", "data from the inside draws one")
class _AcknowledgesData(NatRouter):
    def passes_outward(self, side: Side, packet: Packet) -> bool:
        passed = super().passes_outward(side, packet)
        if passed and packet.protocol == TCP and flags_of(packet) & PUSH:
            mapping = self.translations[packet.network].target(_reversed(packet))
            if mapping is not None:
                self.announce(packet.network, [mapping])
        return passed


def _reversed(packet: Packet) -> Packet:
    """A segment that has gone out, read as its answer."""
    buffer = bytearray(packet.whole)
    start = packet.start - packet.at
    buffer[start : start + 4] = buffer[start + 2 : start + 4] + buffer[start : start + 2]
    ends = packet.destination, packet.source
    return Packet(packet.network, buffer, (0, start, len(buffer)), packet.protocol, packet.hops, ends)


@deviation("router-acknowledges-calls-from-outside", "4.3", "A SYN from the outside draws none.", "it draws one inside")
class _CallsFromOutside(NatRouter):
    def passes_inward(self, side: Side, packet: Packet) -> bool:
        mapping = self.translations[packet.network].target(packet)
        if mapping is not None and is_call(packet):
            self.announce(packet.network, [mapping])
        return super().passes_inward(side, packet)


@deviation("router-told-the-last-host", "4.3", "It is sent to the original source.", "the host before is told too")
class _LastHost(NatRouter):
    def send_inside(self, network: BoxNetwork, host: int, message: bytes) -> None:
        super().send_inside(network, host, message)
        last = self.__dict__.setdefault("_last", {})
        if message[6] == 1 and last.get(network, host) != host:
            super().send_inside(network, last[network], message)
        last[network] = host


class _Changed(Announcements):
    """An own acknowledgement with one field changed."""

    def changed(self, message: NatAcknowledgement) -> NatAcknowledgement:
        return message

    def message(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> NatAcknowledgement:
        return self.changed(super().message(network, mappings))


@deviation("router-version-two", "4.3", "Version is 1.", "Version is 2")
class _VersionTwo(_Changed):
    def changed(self, message: NatAcknowledgement) -> NatAcknowledgement:
        return replace(message, version=2)


@deviation("router-level-zero", "4.3", "NAT Level is 1.", "NAT Level is 0")
class _LevelZero(Announcements):
    @property
    def level(self) -> int:
        return 0


@deviation("router-protocol-zero", "4.3", "Protocol is that of the session.", "Protocol is 0")
class _ProtocolZero(_Changed):
    def changed(self, message: NatAcknowledgement) -> NatAcknowledgement:
        return replace(message, protocol=0 if message.protocol == TCP else message.protocol)


@deviation("router-datagrams-said-as-segments", "4.3", "Of UDP flows Protocol is 17.", "it is always 6")
class _AlwaysTcp(_Changed):
    def changed(self, message: NatAcknowledgement) -> NatAcknowledgement:
        return replace(message, protocol=TCP)


@deviation("router-own-address-as-original", "4.3", "Original is the client's address.", "it is the router's own")
class _OwnAsOriginal(_Changed):
    def changed(self, message: NatAcknowledgement) -> NatAcknowledgement:
        return replace(message, original=message.translated)


@deviation("router-inside-address-as-translated", "4.3", "Translated is the address outside.", "it is the client's")
class _InsideAsTranslated(_Changed):
    def changed(self, message: NatAcknowledgement) -> NatAcknowledgement:
        return replace(message, translated=message.original)


@deviation("router-translated-port-as-original", "4.3", "Original Port is the client's.", "it is the translated one")
class _TranslatedAsOriginal(_Changed):
    def changed(self, message: NatAcknowledgement) -> NatAcknowledgement:
        return replace(message, ports=tuple((other, other) for _, other in message.ports))


@deviation("router-original-port-as-translated", "4.3", "Translated Port is that outside.", "it is the client's own")
class _OriginalAsTranslated(_Changed):
    def changed(self, message: NatAcknowledgement) -> NatAcknowledgement:
        return replace(message, ports=tuple((one, one) for one, _ in message.ports))


@deviation("router-every-entry-twice", "4.3", "Of a new session Count is 1.", "its entry stands there twice")
class _EntryTwice(_Changed):
    def changed(self, message: NatAcknowledgement) -> NatAcknowledgement:
        if message.count > 1:
            return message
        return NatAcknowledgement.of(
            message.level, message.protocol, (message.original, message.translated), message.ports * 2
        )


@deviation("router-reserved-set", "4.3", "Reserved is zero.", "Reserved is 1")
class _ReservedSet(NatRouter):
    def send_inside(self, network: BoxNetwork, host: int, message: bytes) -> None:
        reserved = b"\1" if message[6] == 1 else b"\0"
        super().send_inside(network, host, message[:7] + reserved + message[8:])


@deviation("router-checksum-of-another", "4.3", "The checksum is right.", "from the second on it is the first one's")
class _ChecksumOfAnother(NatRouter):
    def send_inside(self, network: BoxNetwork, host: int, message: bytes) -> None:
        family = self.messages[network][network.icmp_protocol]
        own = self.inside.own[network]
        whole = family.with_checksum(message, own, host)
        first = self.__dict__.setdefault("_first", whole[2:4])
        if message[6] == 1:
            whole = whole[:2] + first + whole[4:]
        self.inside.send_packet(network, host, network.build(own, host, family.protocol, whole), self.now)


@deviation(
    "router-speaks-from-outside-address", "4.3", "It comes from the inside address.", "it comes from the outside one"
)
class _FromOutside(NatRouter):
    def send_inside(self, network: BoxNetwork, host: int, message: bytes) -> None:
        own = self.outside.own[network] if message[6] == 1 else self.inside.own[network]
        family = self.messages[network][network.icmp_protocol]
        self.send_message(self.inside, network, family, (own, host), message)


@deviation("router-learning-takes-its-time", "B", "Learning takes less than 100 ms.", "of a SYN it takes 150 ms")
class _Late(NatRouter):
    def call_passes(self, packet: Packet, mapping: Mapping) -> None:
        Middlebox.after(self, LATE_S, lambda: self.announce(packet.network, [mapping]))


@deviation("router-migrate-acknowledged-late", "B", "Learning takes less than 100 ms.", "of a Migrate it takes 150 ms")
class _MigrateLate(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        network, now = packet.network, self.announcements
        self.announcements = _NoMessages(self.settings)
        try:
            passed = super().migrate_passes(packet, migrate)
        finally:
            self.announcements = now
        translation = self.translations[network]
        host = network.from_ipff(migrate.migrated)
        if passed and host is not None:
            ends = [(migrate.protocol, (host, entry.migrated_port)) for entry in migrate.entries]
            mappings = [translation.mappings.of_inside(*one, self.now) for one in ends]
            self.after(LATE_S, lambda: self.announce(network, [one for one in mappings if one]))
        return passed


@deviation("router-option-not-looked-for", "C", "A SYN without MOBILE_CAPABLE draws none.", "any SYN draws one")
class _AnySyn(Announcements):
    def is_due(self, packet: Packet) -> bool:
        return True
