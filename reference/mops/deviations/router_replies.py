# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT router in which replies it takes, and what becomes of them on their way in."""

from collections.abc import Sequence
from dataclasses import replace

from reference.middlebox.messages import Messages
from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.packet import BoxNetwork, Packet
from reference.mops.deviations.router_levels import _WrongChecksumTaken
from reference.mops.message import FAILED, MIGRATE_TYPE, SUCCESS, Migrate, message_type
from reference.mops.nat.requests import Request, Requests
from reference.mops.nat.router import NatRouter
from reference.system.alterations import deviation

RESTORED = "A success is sent inward with the fields of the inside request."
FAILED_RESTORED = "A failed reply is sent inward with the entries that it lists."
UNASKED = "A reply that answers no Migrate is not sent inward."
SAME = "A reply to something else is not sent inward."
EVERY = "Every reply to a Migrate is sent inward."
SPOILT = "A spoilt reply is not sent inward."


class _Changed(NatRouter):
    """A reply that goes in with something changed."""

    def changed(self, network: BoxNetwork, request: Request, reply: Migrate) -> Migrate:
        return reply

    def restored(self, network: BoxNetwork, request: Request, reply: Migrate) -> bytes:
        whole = Migrate.parse(super().restored(network, request, reply))
        assert whole
        packed = self.changed(network, request, whole).pack()
        return packed[:2] + bytes(2) + packed[4:]


@deviation("router-success-names-the-outside", "B", RESTORED, "Migrated Source Address is the outside one")
class _NamesTheOutside(_Changed):
    def changed(self, network: BoxNetwork, request: Request, reply: Migrate) -> Migrate:
        own = network.to_ipff(self.outside.own[network])
        return replace(reply, migrated=own) if reply.code == SUCCESS else reply


@deviation("router-success-comes-from-itself", "B", RESTORED, "the packet comes from the router's inside address")
class _FromItself(NatRouter):
    def send_on(self, packet: Packet, host: int, message: bytes) -> None:
        if message_type(message) == MIGRATE_TYPE and message[5] == SUCCESS:
            packet.change_source(self.inside.own[packet.network])
        super().send_on(packet, host, message)


@deviation("router-success-checksum-of-the-first", "B", RESTORED, "from the second on the checksum is the one before")
class _ChecksumBefore(NatRouter):
    def fill(self, packet: Packet, message: bytes) -> None:
        super().fill(packet, message)
        at = packet.start + 2
        if message_type(message) == MIGRATE_TYPE and message[5] == SUCCESS:
            last = self.__dict__.get("_last")
            self._last = bytes(packet.buffer[at : at + 2])
            if last is not None:
                packet.buffer[at : at + 2] = last


@deviation("router-failed-only-whole", "B", FAILED_RESTORED, "a failed reply that lists some of the entries is dropped")
class _OnlyWhole(Requests):
    def answered_by(self, server: int, reply: Migrate, now: float) -> Request | None:
        found = super().answered_by(server, reply, now)
        return found if found is None or found.entries == reply.entries else None


@deviation("router-failed-names-all", "B", FAILED_RESTORED, "a failed reply lists every entry of the request")
class _NamesAll(_Changed):
    def restored(self, network: BoxNetwork, request: Request, reply: Migrate) -> bytes:
        return super().restored(network, request, replace(reply, entries=request.entries))

    def send_on(self, packet: Packet, host: int, message: bytes) -> None:
        if len(message) > packet.end - packet.start:
            packet.end = packet.start + len(message)
            length = packet.end - packet.at
            packet.buffer[packet.at + 2 : packet.at + 4] = length.to_bytes(2, "big")
        super().send_on(packet, host, message)


@deviation("router-unasked-success-passes", "B", UNASKED, "a reply of a mapped port is sent to the node that has it")
class _UnaskedPasses(NatRouter):
    def reply_received(self, packet: Packet, reply: Migrate) -> None:
        known = self.requests[packet.network].answered_by(packet.source, reply, self.now)
        mapping = self.translations[packet.network].mapping_at(reply.protocol, reply.entries[0].migrated_port)
        if known is None and mapping is not None and not mapping.held_until:
            self.send_on(packet, mapping.inside[0], _blank(reply))
        else:
            super().reply_received(packet, reply)


@deviation("router-reply-for-whoever-asked-last", "B", UNASKED, "one without request goes to the last host that asked")
class _AskedLast(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        self.__dict__.setdefault("_asked", {})[packet.destination] = packet.source
        return super().migrate_passes(packet, migrate)

    def reply_received(self, packet: Packet, reply: Migrate) -> None:
        known = self.requests[packet.network].answered_by(packet.source, reply, self.now)
        host = self.__dict__.setdefault("_asked", {}).get(packet.source)
        if known is None and host is not None and len(reply.entries) == 1 and reply.entries[0].identifier == 7:
            self.send_on(packet, host, _blank(reply))
        else:
            super().reply_received(packet, reply)


def _blank(reply: Migrate) -> bytes:
    packed = reply.pack()
    return packed[:2] + bytes(2) + packed[4:]


class _Looser(Requests):
    """Takes a reply for a request that it resembles."""

    def resembles(self, asked: Migrate, reply: Migrate) -> Migrate:
        return reply

    def remember(self, server: int, outward: Migrate, inside: int, mappings: Sequence[Mapping], now: float) -> bool:
        self.__dict__.setdefault("_asked", []).append((server, outward))
        return super().remember(server, outward, inside, mappings, now)

    def answered_by(self, server: int, reply: Migrate, now: float) -> Request | None:
        found = super().answered_by(server, reply, now)
        for asked_server, asked in reversed(self.__dict__.setdefault("_asked", [])):
            if found is None and asked_server == server:
                found = super().answered_by(server, self.resembles(asked, reply), now)
        return found


@deviation("router-any-server-answers", "B", "Another server's reply is not sent inward.", "the sender is not compared")
class _AnyServer(Requests):
    def remember(self, server: int, outward: Migrate, inside: int, mappings: Sequence[Mapping], now: float) -> bool:
        self.__dict__.setdefault("_asked", {})[outward] = server
        return super().remember(server, outward, inside, mappings, now)

    def answered_by(self, server: int, reply: Migrate, now: float) -> Request | None:
        found = super().answered_by(server, reply, now)
        asked = self.__dict__.setdefault("_asked", {}).get(replace(reply, code=0, count=len(reply.entries)))
        return found if found or asked is None else super().answered_by(asked, reply, now)


@deviation("router-previous-address-of-replies-unread", "B", SAME, "Previous Source Address is not compared")
class _PreviousUnread(_Looser):
    def resembles(self, asked: Migrate, reply: Migrate) -> Migrate:
        return replace(reply, previous=asked.previous)


@deviation("router-protocol-of-replies-unread", "B", SAME, "Protocol is not compared")
class _ProtocolUnread(_Looser):
    def resembles(self, asked: Migrate, reply: Migrate) -> Migrate:
        return replace(reply, protocol=asked.protocol)


@deviation("router-identifiers-of-replies-unread", "B", SAME, "identifiers are not compared")
class _IdentifiersUnread(_Looser):
    def resembles(self, asked: Migrate, reply: Migrate) -> Migrate:
        known = {(one.previous_port, one.migrated_port): one for one in asked.entries}
        entries = [known.get((one.previous_port, one.migrated_port), one) for one in reply.entries]
        return replace(reply, entries=tuple(entries))


@deviation("router-order-of-replies-unread", "B", SAME, "the entries may come in any order")
class _OrderUnread(_Looser):
    def resembles(self, asked: Migrate, reply: Migrate) -> Migrate:
        known = set(reply.entries) <= set(asked.entries)
        return replace(reply, entries=tuple(one for one in asked.entries if one in reply.entries)) if known else reply


@deviation("router-success-of-a-part-taken", "B", "A success of a part is not sent inward.", "it is sent inward")
class _PartTaken(Requests):
    def answered_by(self, server: int, reply: Migrate, now: float) -> Request | None:
        return super().answered_by(server, replace(reply, code=FAILED), now)


@deviation("router-first-reply-alone", "B", EVERY, "a second reply to a Migrate is dropped")
class _FirstAlone(NatRouter):
    def reply_received(self, packet: Packet, reply: Migrate) -> None:
        request = self.requests[packet.network].answered_by(packet.source, reply, self.now)
        if request is None or not request.is_answered:
            super().reply_received(packet, reply)


@deviation("router-forgets-requests-soon", "B", EVERY, "half a second after a Migrate its reply is dropped")
class _ForgetsSoon(Requests):
    def answered_by(self, server: int, reply: Migrate, now: float) -> Request | None:
        found = super().answered_by(server, reply, now)
        return found if found and found.until - now > 9.5 else None


@deviation("router-one-request-a-tuple", "B", "Replies of two servers are told apart.", "the later one's is")
class _OneRequest(Requests):
    def remember(self, server: int, outward: Migrate, inside: int, mappings: Sequence[Mapping], now: float) -> bool:
        for key, known in self._by_key.items():
            if key[0] != server:
                for entries in [one for one in known if _ports(one) & _ports(outward.entries)]:
                    known[entries].until = now
        return super().remember(server, outward, inside, mappings, now)


def _ports(entries: Sequence[tuple[int, int, int]]) -> set[int]:
    return {migrated for _, migrated, _ in entries}


@deviation("router-reply-to-the-last-host", "B", "Each node gets its own reply.", "of one port the last node gets it")
class _LastHost(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        self.__dict__.setdefault("_last", {})[migrate.entries[0].migrated_port] = packet.source
        return super().migrate_passes(packet, migrate)

    def send_on(self, packet: Packet, host: int, message: bytes) -> None:
        port = int.from_bytes(message[26:28], "big")
        super().send_on(packet, self.__dict__.setdefault("_last", {}).get(port, host), message)


@deviation("router-reply-checksum-unread", "B", SPOILT, "a wrong checksum of a reply is replaced by a right one")
class _ChecksumUnread(_WrongChecksumTaken):
    kind = MIGRATE_TYPE


@deviation("router-failed-checksum-unread", "B", SPOILT, "that of a failed reply is")
class _FailedChecksum(_WrongChecksumTaken):
    kind = MIGRATE_TYPE

    def is_taken(self, family: Messages, packet: Packet) -> bool:
        return packet.payload[5] == FAILED or family.is_intact(packet)


@deviation("router-reply-version-unread", "B", SPOILT, "Version is not looked at")
class _VersionUnread(NatRouter):
    def is_reply(self, migrate: Migrate, length: int) -> bool:
        return super().is_reply(replace(migrate, version=1), length)


@deviation("router-reply-count-unread", "B", SPOILT, "Count is not looked at")
class _CountUnread(NatRouter):
    def is_reply(self, migrate: Migrate, length: int) -> bool:
        count = len(migrate.entries)
        return super().is_reply(replace(migrate, count=count), 24 + 8 * count)


@deviation("router-failed-once-failed-for-ever", "B", "After failed the next Migrate passes.", "it is dropped")
class _FailedForEver(NatRouter):
    def reply_received(self, packet: Packet, reply: Migrate) -> None:
        if reply.code == FAILED:
            request = self.requests[packet.network].answered_by(packet.source, reply, self.now)
            if request:
                refused = self.__dict__.setdefault("_refused", {})
                refused[request.inside, reply.previous] = {one.identifier for one in request.entries}
        super().reply_received(packet, reply)

    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        refused = self.__dict__.setdefault("_refused", {}).get((packet.source, migrate.previous))
        is_new = refused is not None and not refused & {one.identifier for one in migrate.entries}
        return not is_new and super().migrate_passes(packet, migrate)
