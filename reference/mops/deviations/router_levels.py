# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT router in which acknowledgements of upstream routers it sends on, and how."""

from dataclasses import replace

from reference.middlebox.messages import Messages
from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.packet import TCP, BoxNetwork, Packet
from reference.middlebox.side import Side
from reference.mops.acknowledgements import NAT_TYPE, NatAcknowledgement
from reference.mops.message import message_type
from reference.mops.nat.router import NatRouter
from reference.mops.nat.upstream import Key, Upstream
from reference.system.alterations import deviation

SENT_ON = "An acknowledgement of a mapping of the router is sent on."
KEPT = "What is sent on keeps the fields of the upstream router."
MATCHING = "What matches no mapping is not sent on."
SOUND = "What is malformed is not sent on."
FURTHER = "Acknowledgements of further levels are sent on."
LATE_S = 0.15


@deviation("router-knows-no-upstream", "4.3", SENT_ON, "nothing is sent on")
class _KnowsNone(Upstream):
    def next_level(self, level: int) -> int | None:
        return None


@deviation("router-first-mapping-alone", "4.3", SENT_ON, "of a host the mapping heard of first alone has one")
class _FirstMapping(Upstream):
    def mapping_of(self, key: Key) -> Mapping | None:
        mapping = super().mapping_of(key)
        if mapping is None:
            return None
        first = self.__dict__.setdefault("_first", {}).setdefault(mapping.inside[0], mapping)
        return mapping if first is mapping else None


@deviation("router-level-as-it-was", "4.3", SENT_ON, "the level is not increased")
class _LevelAsItWas(Upstream):
    def message(self, told: NatAcknowledgement, level: int, pairs: tuple[tuple[int, int], ...]) -> NatAcknowledgement:
        return super().message(told, told.level, pairs)


@deviation("router-own-tuple-as-original", "4.3", KEPT, "Original is the node's inside tuple")
class _OwnTuple(Upstream):
    def message(self, told: NatAcknowledgement, level: int, pairs: tuple[tuple[int, int], ...]) -> NatAcknowledgement:
        return replace(super().message(told, level, pairs), original=self.outside ^ 1)


@deviation("router-upstream-checksum-kept", "4.3", KEPT, "the checksum is that of the level before")
class _ChecksumKept(NatRouter):
    def send_inside(self, network: BoxNetwork, host: int, message: bytes) -> None:
        family = self.messages[network][network.icmp_protocol]
        own, level = self.inside.own[network], message[6]
        whole = family.with_checksum(message[:6] + bytes([max(1, level - 1)]) + message[7:], own, host)
        whole = whole[:6] + bytes([level]) + whole[7:]
        self.inside.send_packet(network, host, network.build(own, host, family.protocol, whole), self.now)


@deviation("router-upstream-as-the-sender", "4.3", "It comes from the inside address.", "it comes from the upstream's")
class _UpstreamAsSender(NatRouter):
    def message_for_itself(self, side: Side, packet: Packet, message: bytes) -> None:
        self._sender = packet.source
        super().message_for_itself(side, packet, message)

    def send_inside(self, network: BoxNetwork, host: int, message: bytes) -> None:
        own = self._sender if message[6] > 1 else self.inside.own[network]
        self.send_message(self.inside, network, self.messages[network][network.icmp_protocol], (own, host), message)


@deviation("router-address-of-original-unread", "4.3", MATCHING, "Original Source Address is not compared")
class _AddressUnread(Upstream):
    def mapping_of(self, key: Key) -> Mapping | None:
        protocol, level, (_, port) = key
        return super().mapping_of((protocol, level, (self.outside, port)) if level == 1 else key)


class _LastOfARouter(Upstream):
    """Takes what it does not know for the last mapping that the same upstream router has told of."""

    def is_taken(self, key: Key) -> bool:
        return False

    def passed_on(self, told: NatAcknowledgement) -> dict[int, NatAcknowledgement]:
        self._router = told.translated
        return super().passed_on(told)

    def mapping_of(self, key: Key) -> Mapping | None:
        known: dict[int, Mapping] = self.__dict__.setdefault("_known", {})
        found = super().mapping_of(key)
        if found is None:
            return known.get(self._router) if self.is_taken(key) else None
        known[self._router] = found
        return found


@deviation("router-port-of-original-unread", "4.3", MATCHING, "one without mapping is taken for the last one told of")
class _PortUnread(_LastOfARouter):
    def is_taken(self, key: Key) -> bool:
        return key[0] == TCP and key[1] == 1 and key[2][0] == self.outside


@deviation("router-protocol-of-original-unread", "4.3", MATCHING, "Protocol is not compared")
class _ProtocolUnread(Upstream):
    def mapping_of(self, key: Key) -> Mapping | None:
        return super().mapping_of(key) or super().mapping_of((TCP, *key[1:]))


@deviation("router-any-higher-level", "4.3", MATCHING, "a higher level is sent on though no level below names it")
class _AnyHigherLevel(_LastOfARouter):
    def is_taken(self, key: Key) -> bool:
        return key[1] > 1


@deviation("router-levels-up-to-254", "4.3", "254 is sent on as 255.", "254 is the highest level that it sends")
class _UpTo254(Upstream):
    def next_level(self, level: int) -> int | None:
        return None if level >= 254 else super().next_level(level)


@deviation("router-levels-begin-anew", "4.3", "255 is not sent on.", "255 is sent on as 0")
class _BeginAnew(Upstream):
    def next_level(self, level: int) -> int | None:
        return (level + 1) % 256 if level else None


@deviation("router-255-stays", "4.3", "255 is not sent on.", "255 is sent on as it is")
class _Stays(Upstream):
    def next_level(self, level: int) -> int | None:
        return min(255, level + 1) if level else None


@deviation("router-level-0-sent-on", "4.3", "Level 0 is not sent on.", "it is sent on as 1")
class _Level0(Upstream):
    def next_level(self, level: int) -> int | None:
        return 1 if level == 0 else super().next_level(level)

    def mapping_of(self, key: Key) -> Mapping | None:
        return super().mapping_of((key[0], key[1] or 1, key[2]))


class _WrongChecksumTaken(NatRouter):
    """Takes messages of a type whose checksum is wrong."""

    kind = NAT_TYPE

    def packet_for_itself(self, side: Side, packet: Packet) -> None:
        family = self.messages[packet.network].get(packet.protocol)
        if family and message_type(packet.payload) == self.kind and self.is_taken(family, packet):
            self.message_for_itself(side, packet, packet.payload)
        else:
            super().packet_for_itself(side, packet)

    def is_taken(self, family: Messages, packet: Packet) -> bool:
        return True


@deviation("router-upstream-checksum-unread", "4.3", SOUND, "the checksum is not looked at")
class _ChecksumUnread(_WrongChecksumTaken):
    pass


@deviation("router-upstream-checksum-read-once", "4.3", SOUND, "the checksum of a host's first one alone is looked at")
class _ChecksumReadOnce(_WrongChecksumTaken):
    def is_taken(self, family: Messages, packet: Packet) -> bool:
        known: set[int] = self.__dict__.setdefault("_known", set())
        taken = packet.source in known or family.is_intact(packet)
        known.add(packet.source)
        return taken


@deviation("router-upstream-version-unread", "4.3", SOUND, "Version is not looked at")
class _VersionUnread(Upstream):
    def passed_on(self, told: NatAcknowledgement) -> dict[int, NatAcknowledgement]:
        return super().passed_on(replace(told, version=1))


@deviation("router-upstream-code-unread", "4.3", SOUND, "Code is not looked at")
class _CodeUnread(Upstream):
    def passed_on(self, told: NatAcknowledgement) -> dict[int, NatAcknowledgement]:
        return super().passed_on(replace(told, code=0))


@deviation("router-upstream-count-unread", "4.3", SOUND, "Count is not looked at")
class _CountUnread(Upstream):
    def passed_on(self, told: NatAcknowledgement) -> dict[int, NatAcknowledgement]:
        return super().passed_on(replace(told, count=len(told.ports), length=24 + 4 * len(told.ports)))


@deviation("router-upstream-trailing-bytes", "4.3", "More bytes than Count says: not sent on.", "they are left out")
class _TrailingBytes(Upstream):
    def passed_on(self, told: NatAcknowledgement) -> dict[int, NatAcknowledgement]:
        if len(told.ports) > told.count > 0:
            told = replace(told, ports=told.ports[: told.count], length=24 + 4 * told.count)
        return super().passed_on(told)


@deviation("router-upstream-reserved-read", "4.3", "Reserved is ignored.", "bits set in Reserved have it dropped")
class _ReservedRead(NatRouter):
    def message_for_itself(self, side: Side, packet: Packet, message: bytes) -> None:
        if message_type(message) != NAT_TYPE or not message[7]:
            super().message_for_itself(side, packet, message)


@deviation("router-two-levels", "4.3", FURTHER, "no level is kept, and so none after the second is known")
class _TwoLevels(Upstream):
    def learn(self, mapping: Mapping, key: Key) -> None:
        pass


@deviation("router-four-levels", "4.3", FURTHER, "levels after the fourth are not kept")
class _FourLevels(Upstream):
    def learn(self, mapping: Mapping, key: Key) -> None:
        if key[1] <= 4:
            super().learn(mapping, key)


@deviation("router-levels-of-one-mapping", "4.3", FURTHER, "the levels of the mapping heard of last are kept alone")
class _OneMapping(Upstream):
    def learn(self, mapping: Mapping, key: Key) -> None:
        if mapping is not self.__dict__.get("_of"):
            self._by_original.clear()
            self._levels.clear()
            self._of = mapping
        super().learn(mapping, key)


@deviation("router-upstream-sent-whole", "4.3", MATCHING, "each node gets all entries, those of others too")
class _SentWhole(Upstream):
    def message(self, told: NatAcknowledgement, level: int, pairs: tuple[tuple[int, int], ...]) -> NatAcknowledgement:
        return super().message(told, level, told.ports)


@deviation("router-all-entries-or-none", "4.3", "Matching entries are sent on.", "with one of nobody none is")
class _AllOrNone(Upstream):
    def passed_on(self, told: NatAcknowledgement) -> dict[int, NatAcknowledgement]:
        keys = [(told.protocol, told.level, (told.original, one)) for one, _ in told.ports]
        return super().passed_on(told) if all(map(self.mapping_of, keys)) else {}


@deviation("router-upstream-takes-its-time", "B", "What is sent on leaves within 100 ms.", "it takes 150 ms")
class _Late(NatRouter):
    def upstream_received(self, network: BoxNetwork, told: NatAcknowledgement) -> None:
        self.after(LATE_S, lambda: super(_Late, self).upstream_received(network, told))


@deviation("router-ended-mapping-remembered", "4.3", "Of an ended mapping nothing is sent on.", "all is")
class _Remembered(Upstream):
    def mapping_of(self, key: Key) -> Mapping | None:
        known: dict[Key, Mapping] = self.__dict__.setdefault("_known", {})
        found = super().mapping_of(key) or known.get(key)
        if found is not None:
            known[key] = found
        return found


@deviation("router-anycast-port-untranslated", "4.2", "The Source Port is the node's.", "it is the one outside")
class _AnycastPort(NatRouter):
    def send_on(self, packet: Packet, host: int, message: bytes) -> None:
        if message_type(message) == 101:
            message = message[:24] + packet.payload[24:26] + message[26:]
        super().send_on(packet, host, message)


@deviation("router-levels-of-calls-alone", "B", SENT_ON, "one about the mapping of a Migrate is not")
class _OfCallsAlone(Upstream):
    def mapping_of(self, key: Key) -> Mapping | None:
        found = super().mapping_of(key)
        return found if found is None or found.flows else None
