# SPDX-License-Identifier: GPL-2.0-or-later
"""A NAT router that knows MOPS: it tells nodes what becomes of their source, and translates Migrates and their replies.

Readings. A Migrate is judged before anything is done for it: one that is damaged, or names another host than the one
that sends it, is dropped. Either every entry gets a mapping or none. The mappings are held for the transitory time;
on success the server is let in from whatever port it speaks, because no message carries that port, until the node
speaks to it. A refusal ends nothing. A reply that nobody has asked for is dropped.
"""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from reference.middlebox.messages import Messages, Trouble
from reference.middlebox.nat.mappings import Endpoint, Mapping
from reference.middlebox.nat.nat import Nat, Translated
from reference.middlebox.nat.translation import Translation
from reference.middlebox.nat.unsolicited import UnsolicitedSyns
from reference.middlebox.packet import TCP, UDP, BoxNetwork, Packet
from reference.middlebox.side import Side
from reference.mops.acknowledgements import ANYCAST_TYPE, NAT_TYPE, AnycastAcknowledgement, NatAcknowledgement
from reference.mops.message import (
    FAILED,
    MIGRATE,
    MIGRATE_ATOMIC,
    MIGRATE_TYPE,
    SUCCESS,
    VERSION,
    Entry,
    Migrate,
    length_for,
    message_type,
)
from reference.mops.nat.announcements import Announcements
from reference.mops.nat.destinations import Destinations
from reference.mops.nat.requests import Request, Requests
from reference.mops.nat.settings import ON_MIGRATE, ON_SUCCESS, RouterSettings
from reference.mops.nat.upstream import Upstream


@dataclass(frozen=True)
class Mobility:
    """What makes a NAT a NAT router of MOPS."""

    settings: RouterSettings
    announcements: Announcements
    upstream: Map[BoxNetwork, Upstream]
    requests: Map[BoxNetwork, Requests]
    destinations: Map[BoxNetwork, Destinations]


class NatRouter(Nat):
    """A NAT router."""

    role = "NAT router"

    def __init__(
        self,
        sides: tuple[Side, Side],
        messages: Map[BoxNetwork, Sequence[Messages]],
        translated: Map[BoxNetwork, Translated],
        unsolicited: UnsolicitedSyns,
        mobility: Mobility,
    ) -> None:
        super().__init__(sides, messages, translated, unsolicited)
        self.settings, self.announcements = mobility.settings, mobility.announcements
        self.upstream, self.requests, self.destinations = mobility.upstream, mobility.requests, mobility.destinations
        self.counters |= {"acknowledged": 0, "passed_on": 0, "migrates": 0, "replies": 0}

    def expire(self) -> None:
        super().expire()
        for requests in (*self.requests.values(), *(one.requests for one in self.destinations.values())):
            requests.expire(self.now)
        for upstream in self.upstream.values():
            upstream.expire()

    # Acknowledgements --------------------------------------------------------------------------------------------

    def call_passes(self, packet: Packet, mapping: Mapping) -> None:
        super().call_passes(packet, mapping)
        if self.announcements.is_due(packet):
            self.announce(packet.network, [mapping])

    def announce(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> None:
        """Tell an inside host of its mappings."""
        for message in self.announcements.messages(network, mappings):
            self.counters["acknowledged"] += 1
            self.send_inside(network, mappings[0].inside[0], message.pack())

    def send_inside(self, network: BoxNetwork, host: int, message: bytes) -> None:
        """Send an inside host a message of MOPS, its checksum zero, from the inside address."""
        family = self.messages[network][network.icmp_protocol]
        self.send_message(self.inside, network, family, (self.inside.own[network], host), message)

    def upstream_received(self, network: BoxNetwork, told: NatAcknowledgement) -> None:
        """A router further out has acknowledged what this one has translated."""
        for host, message in self.upstream[network].passed_on(told).items():
            self.counters["passed_on"] += 1
            self.send_inside(network, host, message.pack())

    def anycast_received(self, packet: Packet, told: AnycastAcknowledgement) -> None:
        """An anycast server tells a node how to reach it: the source port is translated inwards (section 4.2)."""
        network = packet.network
        translation = self.translations[network]
        mapping = translation.mapping_at(told.protocol, told.source_port)
        anycast = network.from_ipff(told.anycast)
        if mapping is None or anycast is None or not told.is_sound:
            return
        if mapping.flow((anycast, told.destination_port), self.now) is not None:
            inward = replace(told, source_port=mapping.inside[1])
            self.send_on(packet, mapping.inside[0], without_checksum(inward.pack()))

    # Messages ----------------------------------------------------------------------------------------------------

    def passes_message(self, side: Side, packet: Packet, out: Side, family: Messages) -> bool:
        if side is not self.inside or out is not self.outside or packet.protocol != packet.network.icmp_protocol:
            return False
        message = packet.payload
        if message_type(message) != MIGRATE_TYPE or not family.is_intact(packet):
            return False
        migrate = Migrate.parse(message)
        if migrate is None:
            return False
        if self.is_reply(migrate, len(message)):
            return self.answer_passes(packet, migrate)
        return self.is_request(migrate, len(message)) and self.migrate_passes(packet, migrate)

    def message_for_itself(self, side: Side, packet: Packet, message: bytes) -> None:
        if side is not self.outside or packet.protocol != packet.network.icmp_protocol:
            return
        kind = message_type(message)
        if kind == NAT_TYPE:
            told = NatAcknowledgement.parse(message)
            if told is not None:
                self.upstream_received(packet.network, told)
        elif kind == ANYCAST_TYPE:
            anycast = AnycastAcknowledgement.parse(message)
            if anycast is not None:
                self.anycast_received(packet, anycast)
        elif kind == MIGRATE_TYPE:
            migrate = Migrate.parse(message)
            if migrate is not None and self.is_reply(migrate, len(message)):
                self.reply_received(packet, migrate)
            elif migrate is not None and self.is_request(migrate, len(message)):
                self.request_received(packet, migrate)

    def is_request(self, migrate: Migrate, length: int) -> bool:
        """Whether a message is a sound request."""
        return migrate.code in (MIGRATE, MIGRATE_ATOMIC) and self.is_sound(migrate, length)

    def is_reply(self, migrate: Migrate, length: int) -> bool:
        """Whether a message is a sound reply."""
        return migrate.code in (SUCCESS, FAILED) and self.is_sound(migrate, length)

    @staticmethod
    def is_sound(migrate: Migrate, length: int) -> bool:
        """Whether version, count and length of a message agree."""
        count = len(migrate.entries)
        return migrate.version == VERSION and 0 < count == migrate.count and length == length_for(count)

    # Migrates ----------------------------------------------------------------------------------------------------

    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        """Whether a Migrate of an inside host goes out, translated; its host is told of the mappings."""
        network = packet.network
        translation = self.translations[network]
        if not self.is_of_its_sender(packet, migrate) or migrate.protocol not in (TCP, UDP):
            return False
        mappings = self.mappings_for(translation, migrate, packet.source)
        if mappings is None:
            self.tell(self.inside, packet, Trouble.POLICY)
            return False
        outward = self.translated(network, migrate, mappings)
        if not self.requests[network].remember(packet.destination, outward, packet.source, mappings, self.now):
            return False
        self.counters["migrates"] += 1
        if self.settings.acknowledges_on == ON_MIGRATE:
            self.announce(network, mappings)
        packet.change_source(translation.outside)
        self.rewrite(packet, outward)
        return True

    def is_of_its_sender(self, packet: Packet, migrate: Migrate) -> bool:
        """Whether the host that a Migrate names is the one that sends it."""
        return packet.network.to_ipff(packet.source) == migrate.migrated

    def mappings_for(self, translation: Translation, migrate: Migrate, host: int) -> list[Mapping] | None:
        """The mapping of each entry, held for the transitory time; None, and no new one, where one cannot be had."""
        found: list[Mapping] = []
        made: list[Mapping] = []
        for entry in migrate.entries:
            inside: Endpoint = host, entry.migrated_port
            mapping = translation.mappings.of_inside(migrate.protocol, inside, self.now)
            if mapping is None:
                mapping = translation.mapping_for(migrate.protocol, inside)
                if mapping is None:
                    for one in made:
                        translation.mappings.remove(one)
                    return None
                made.append(mapping)
                translation.mappings.hold(mapping, self.now + self.hold_s)
            found.append(mapping)
        for mapping in found:
            translation.mappings.hold(mapping, self.now + self.hold_s)
        return found

    @property
    def hold_s(self) -> float:
        """How long the mapping of a Migrate that nobody answers lasts."""
        return self.settings.nat.transitory_s

    def translated(self, network: BoxNetwork, migrate: Migrate, mappings: Sequence[Mapping]) -> Migrate:
        """A Migrate as it goes out: another Migrated address, other migrated ports, all else as it was."""
        entries = tuple(
            entry._replace(migrated_port=one.outside[1]) for entry, one in zip(migrate.entries, mappings, strict=True)
        )
        return replace(migrate, migrated=network.to_ipff(mappings[0].outside[0]), entries=entries)

    # Replies -----------------------------------------------------------------------------------------------------

    def reply_received(self, packet: Packet, reply: Migrate) -> None:
        """A server has answered: what has migrated is let in, and the node gets its answer."""
        network = packet.network
        request = self.requests[network].answered_by(packet.source, reply, self.now)
        if request is None:
            return
        self.counters["replies"] += 1
        self.take_effect(network, packet.source, request, reply)
        self.send_on(packet, request.inside, self.restored(network, request, reply))

    def take_effect(self, network: BoxNetwork, server: int, request: Request, reply: Migrate) -> None:
        """Let the server in to what has migrated, once for each request."""
        if request.is_answered:
            return
        request.is_answered = True
        migrated = request.migrated_by(reply)
        for mapping in migrated:
            self.translations[network].expect_from(mapping, server)
        if migrated and self.settings.acknowledges_on == ON_SUCCESS:
            self.announce(network, migrated)

    def restored(self, network: BoxNetwork, request: Request, reply: Migrate) -> bytes:
        """A reply as it goes to the node, its checksum zero: the Migrated fields are those that the node has sent."""
        inside_port = {one.outside[1]: one.inside[1] for one in request.mappings}
        entries = tuple(
            Entry(entry.previous_port, inside_port[entry.migrated_port], entry.identifier) for entry in reply.entries
        )
        restored = replace(reply, migrated=network.to_ipff(request.inside), entries=entries)
        return without_checksum(restored.pack())

    # Servers inside ----------------------------------------------------------------------------------------------

    def passes_inward(self, side: Side, packet: Packet) -> bool:
        self.destinations[packet.network].let_in(packet, self.now)
        return super().passes_inward(side, packet)

    def request_received(self, packet: Packet, migrate: Migrate) -> None:
        """A host outside asks a server inside to migrate connections."""
        if self.is_of_its_sender(packet, migrate):
            server = self.destinations[packet.network].asked(migrate, packet.destination, self.now)
            if server is not None:
                self.send_on(packet, server, without_checksum(migrate.pack()))

    def answer_passes(self, packet: Packet, reply: Migrate) -> bool:
        """Whether the answer of a server inside goes out, from the address that was asked."""
        if not self.destinations[packet.network].answered(reply, packet.source, self.now):
            return False
        packet.change_source(self.outside.own[packet.network])
        self.rewrite(packet, reply)
        return True

    def send_on(self, packet: Packet, host: int, message: bytes) -> None:
        """Send a message from the outside on to an inside host, changed, its checksum zero, with one hop less."""
        if packet.hops <= 1:
            self.tell(self.outside, packet, Trouble.HOPS)
            return
        packet.change_destination(host)
        self.fill(packet, message)
        packet.network.take_a_hop(packet)
        self.emit(self.inside, packet)

    def rewrite(self, packet: Packet, message: Migrate) -> None:
        """Put a message in the place of one of the same length."""
        self.fill(packet, without_checksum(message.pack()))

    def fill(self, packet: Packet, message: bytes) -> None:
        """Put a message, its checksum zero, in the place of one of the same length."""
        family = self.messages[packet.network][packet.protocol]
        packet.buffer[packet.start : packet.end] = family.with_checksum(message, packet.source, packet.destination)

    def status(self) -> dict[str, Any]:
        return {**super().status(), "trigger": self.settings.trigger}


def without_checksum(message: bytes) -> bytes:
    """A message with a checksum of zero."""
    return message[:2] + bytes(2) + message[4:]
