# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT router in what becomes of connections after a Migrate, and of those that it does not name."""

from reference.middlebox.messages import Messages
from reference.middlebox.nat.errors import Errors
from reference.middlebox.nat.filtering import Filtering
from reference.middlebox.nat.mappings import ANY_PORT, Endpoint, Flow, Mapping, Mappings
from reference.middlebox.nat.translation import Translation
from reference.middlebox.packet import TCP, UDP, BoxNetwork, Packet
from reference.middlebox.side import Side
from reference.mops.message import FAILED, Migrate
from reference.mops.nat.requests import Request
from reference.mops.nat.router import NatRouter
from reference.system.alterations import deviation

GOES_ON = "After the success connections carry data both ways."
UNDISTURBED = "Connections that a Migrate does not name go on."
ICMP_ENDS_NONE = "ICMP errors end no mapping."
LONG = "After the success a mapping lives like that of an established connection."
NOTHING = "What counts for nothing lengthens nothing."


@deviation("router-four-are-let-in", "B", GOES_ON, "of a Migrate the first four entries are let in")
class _FourLetIn(NatRouter):
    def take_effect(self, network: BoxNetwork, server: int, request: Request, reply: Migrate) -> None:
        if not request.is_answered:
            for mapping in request.migrated_by(reply)[4:]:
                self.__dict__.setdefault("_shut", set()).add(mapping)
        super().take_effect(network, server, request, reply)

    def passes_inward(self, side: Side, packet: Packet) -> bool:
        mapping = self.translations[packet.network].target(packet)
        return mapping not in self.__dict__.get("_shut", ()) and super().passes_inward(side, packet)


@deviation("router-one-move", "B", GOES_ON, "a server is let in to migrated mappings of one node only")
class _OneMove(NatRouter):
    def take_effect(self, network: BoxNetwork, server: int, request: Request, reply: Migrate) -> None:
        first = self.__dict__.setdefault("_node", {}).setdefault(server, request.inside)
        if first == request.inside or reply.code == FAILED:
            super().take_effect(network, server, request, reply)
        else:
            self.__dict__.setdefault("_shut", set()).update(request.mappings)

    def passes_inward(self, side: Side, packet: Packet) -> bool:
        mapping = self.translations[packet.network].target(packet)
        return mapping not in self.__dict__.get("_shut", ()) and super().passes_inward(side, packet)


@deviation("router-partial-failure-shuts-all", "B", GOES_ON, "where an entry has failed none is let in")
class _PartialShuts(NatRouter):
    def take_effect(self, network: BoxNetwork, server: int, request: Request, reply: Migrate) -> None:
        if reply.code == FAILED and len(reply.entries) < len(request.entries):
            self.__dict__.setdefault("_shut", set()).update(request.mappings)
        super().take_effect(network, server, request, reply)

    def passes_inward(self, side: Side, packet: Packet) -> bool:
        mapping = self.translations[packet.network].target(packet)
        return mapping not in self.__dict__.get("_shut", ()) and super().passes_inward(side, packet)


class _Router(Translation):
    role = "NAT router"


@deviation("router-node-speaks-first", "B", "The server may speak first.", "it is let in after the node has spoken")
class _NodeFirst(_Router):
    def expect_from(self, mapping: Mapping, address: int) -> None:
        if mapping.protocol != TCP:
            super().expect_from(mapping, address)


@deviation("router-datagrams-not-let-in", "B", "After the success datagrams pass.", "the server's first does not")
class _DatagramsNot(_Router):
    def expect_from(self, mapping: Mapping, address: int) -> None:
        if mapping.protocol == TCP:
            super().expect_from(mapping, address)


class _Narrow(Filtering):
    """Lets in by address and port, and by address alone where that is expected."""

    role = "NAT router"

    def lets_in(self, mapping: Mapping, remote: Endpoint, now: float) -> bool:
        return bool(mapping.flow(remote, now) or mapping.flow((remote[0], ANY_PORT), now))


@deviation("router-any-port-of-the-server", "B", "Other ports of the server do not pass.", "they do after a success")
class _AnyPort(_Router):
    def expect_from(self, mapping: Mapping, address: int) -> None:
        self.filtering.__class__ = _Narrow
        super().expect_from(mapping, address)
        self.__dict__.setdefault("_migrated", set()).add((mapping, address))

    def _from_anywhere(self, mapping: Mapping, remote: Endpoint, now: float) -> int:
        expected = mapping.flow((remote[0], ANY_PORT), now)
        self.filtering.__class__ = _Narrow
        return expected.seen if expected else 0


@deviation("router-anybody-after-a-success", "B", "Another address does not pass.", "after a success anybody passes")
class _Anybody(_Router):
    def expect_from(self, mapping: Mapping, address: int) -> None:
        super().expect_from(mapping, address)
        self.__dict__.setdefault("_open", set()).add(mapping)

    def inward(self, packet: Packet) -> bool:
        ends = self.endpoints.read(packet)
        mapping = self.target(packet)
        if ends and mapping in self.__dict__.get("_open", ()) and packet.ports() is not None:
            assert mapping
            self.endpoints.change_destination(packet, mapping.inside)
            return True
        return super().inward(packet)


@deviation("router-failed-ends-the-mapping", "B", "Failed leaves the mapping alone.", "the mapping ends")
class _FailedEnds(NatRouter):
    def take_effect(self, network: BoxNetwork, server: int, request: Request, reply: Migrate) -> None:
        super().take_effect(network, server, request, reply)
        if reply.code == FAILED:
            for mapping in request.mappings:
                self.translations[network].mappings.remove(mapping)


@deviation("router-failed-shuts-the-loser", "B", "Failed leaves a live session alone.", "its server is let in no more")
class _FailedShuts(NatRouter):
    def take_effect(self, network: BoxNetwork, server: int, request: Request, reply: Migrate) -> None:
        super().take_effect(network, server, request, reply)
        if reply.code == FAILED and len(reply.entries) == len(request.entries):
            for mapping in request.mappings:
                mapping.flows.clear()


@deviation("router-one-server-a-node", "B", UNDISTURBED, "a Migrate ends the node's other connections to that server")
class _OneServer(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        ports = {entry.migrated_port for entry in migrate.entries}
        for mapping in list(self.translations[packet.network].mappings._by_inside.values()):
            if mapping.inside[0] == packet.source and mapping.inside[1] not in ports:
                for remote in [one for one in mapping.flows if one[0] == packet.destination]:
                    del mapping.flows[remote]
        return super().migrate_passes(packet, migrate)


@deviation("router-moved-at-once", "B", UNDISTURBED, "a Migrate ends the connection at its old tuple before the answer")
class _MovedAtOnce(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        translation = self.translations[packet.network]
        for entry in migrate.entries:
            mapping = translation.mapping_at(migrate.protocol, entry.previous_port)
            if mapping is not None and packet.network.to_ipff(mapping.outside[0]) == migrate.previous:
                mapping.flows.clear()
        return super().migrate_passes(packet, migrate)


@deviation("router-many-migrates-end-all", "B", "Many Migrates end nothing.", "after two hundred every flow has ended")
class _ManyEndAll(NatRouter):
    def migrate_passes(self, packet: Packet, migrate: Migrate) -> bool:
        self._number = self.__dict__.get("_number", 0) + (migrate.entries[0].previous_port == 1)
        if self._number > 200:
            for mapping in self.translations[packet.network].mappings._by_inside.values():
                mapping.flows.clear()
        return super().migrate_passes(packet, migrate)


class _EndingErrors(Errors):
    role = "NAT router"

    def ends(self, packet: Packet) -> bool:
        return True

    def inward(self, packet: Packet, family: Messages) -> bool:
        found = self._quoted(packet, family)
        passed = super().inward(packet, family)
        if passed and found and self.ends(packet):
            mapping = self._translation.mapping_at(found[0].protocol, found[1][1])
            if mapping:
                self._translation.mappings.remove(mapping)
        return passed


@deviation("router-unreachable-ends-mappings", "B", ICMP_ENDS_NONE, "an error from the outside ends the mapping")
class _UnreachableEnds(_EndingErrors):
    def inward(self, packet: Packet, family: Messages) -> bool:
        found = self._quoted(packet, family)
        mapping = found and self._translation.mapping_at(found[0].protocol, found[1][1])
        passed = super().inward(packet, family)
        if passed and mapping:
            self._translation.mappings.remove(mapping)
        return passed


@deviation("router-errors-about-migrated-dropped", "B", "Unreachable comes in.", "of a migrated connection it does not")
class _ErrorsDropped(_EndingErrors):
    def inward(self, packet: Packet, family: Messages) -> bool:
        return False


@deviation("router-quote-untranslated", "B", "The quoted segment is the node's.", "it is as it was outside")
class _QuoteUntranslated(Errors):
    role = "NAT router"

    def revert_source(self, quoted: Packet, mapping: Mapping) -> None:
        pass


@deviation("router-mapping-for-one-server", "B", "A migrated mapping serves other servers.", "it serves its own alone")
class _ForOneServer(_Router):
    def expect_from(self, mapping: Mapping, address: int) -> None:
        super().expect_from(mapping, address)
        self.__dict__.setdefault("_of", {})[mapping] = address

    def outward(self, packet: Packet) -> Mapping | None:
        ports = packet.ports()
        mapping = ports and self.mappings.of_inside(packet.protocol, (packet.source, ports[0]), self.now())
        server = self.__dict__.get("_of", {}).get(mapping)
        return super().outward(packet) if server in (None, packet.destination) else None


@deviation("router-checksum-for-every-datagram", "B", "Without checksum a datagram stays so.", "it is given one")
class _EveryDatagram(NatRouter):
    def emit(self, out: Side, packet: Packet) -> None:
        at = packet.start + packet.network.udp_checksum_at
        if packet.protocol == UDP and packet.buffer[at : at + 2] == b"\0\0":
            packet.buffer[at : at + 2] = b"\x4d\x4f"
        super().emit(out, packet)


@deviation("router-migrated-for-a-short-time", "B", LONG, "it lives for the transitory time")
class _ShortTime(_Router):
    def expect_from(self, mapping: Mapping, address: int) -> None:
        super().expect_from(mapping, address)
        mapping.flows[address, ANY_PORT].expires = self.now() + self.tracker.transitory_s


@deviation("router-migrated-for-half-the-time", "B", LONG, "it lives for three quarters of the time of one established")
class _HalfTheTime(_Router):
    def expect_from(self, mapping: Mapping, address: int) -> None:
        super().expect_from(mapping, address)
        lifetime = max(0.77 * self.tracker.established_s, 1.5 * self.tracker.transitory_s)
        mapping.flows[address, ANY_PORT].expires = self.now() + lifetime


@deviation("router-heir-has-the-old-flows", "B", "The old server does not come to the heir.", "it does")
class _Heir(Mappings):
    role = "NAT router"

    def open(self, mapping: Mapping, remote: Endpoint, expires: float, seen: int = 0) -> Flow:
        known: dict[tuple[int, int], set[Endpoint]] = self.__dict__.setdefault("_known", {})
        remotes = known.setdefault((mapping.protocol, mapping.outside[1]), set())
        remotes.add(remote)
        for one in remotes - mapping.flows.keys():
            mapping.flows[one] = Flow(expires + 60, seen)
        return super().open(mapping, remote, expires, seen)


@deviation("router-malformed-lengthens", "B", NOTHING, "a spoilt Migrate has the mapping last as long again")
class _Lengthens(NatRouter):
    def passes_message(self, side: Side, packet: Packet, out: Side, family: Messages) -> bool:
        migrate = Migrate.parse(packet.payload)
        if side is self.inside and migrate is not None and not family.is_intact(packet):
            translation = self.translations[packet.network]
            for entry in migrate.entries:
                mapping = translation.mappings.of_inside(
                    migrate.protocol, (packet.source, entry.migrated_port), self.now
                )
                if mapping is not None:
                    translation.mappings.hold(mapping, self.now + self.hold_s)
                    for flow in mapping.flows.values():
                        flow.expires = max(flow.expires, self.now + self.hold_s)
        return super().passes_message(side, packet, out, family)


@deviation("router-forged-success-lengthens", "B", NOTHING, "a success without request has it last as long again")
class _ForgedLengthens(NatRouter):
    def reply_received(self, packet: Packet, reply: Migrate) -> None:
        translation = self.translations[packet.network]
        if self.requests[packet.network].answered_by(packet.source, reply, self.now) is None:
            for entry in reply.entries:
                mapping = translation.mapping_at(reply.protocol, entry.migrated_port)
                for flow in mapping.flows.values() if mapping else ():
                    flow.expires = max(flow.expires, self.now + self.hold_s)
                if mapping:
                    translation.mappings.hold(mapping, self.now + self.hold_s)
        super().reply_received(packet, reply)
