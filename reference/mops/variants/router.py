# SPDX-License-Identifier: GPL-2.0-or-later
"""Other ways in which a NAT router is right."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reference.middlebox.messages import Messages
from reference.middlebox.nat.filtering import Filtering
from reference.middlebox.nat.mappings import ANY_PORT, Endpoint, Mapping
from reference.middlebox.nat.ports import Ports
from reference.middlebox.packet import BoxNetwork, Packet
from reference.middlebox.side import Side
from reference.mops.acknowledgements import NatAcknowledgement
from reference.mops.message import MIGRATE_TYPE, Migrate, message_type
from reference.mops.nat.announcements import Announcements
from reference.mops.nat.requests import Request
from reference.mops.nat.router import NatRouter
from reference.mops.nat.upstream import Upstream
from reference.system.alterations import variant

FIRST_UNRESERVED, FIRST, LAST = 1024, 30_000, 60_000
PARAMETER_PROBLEM = b"\0\4\0\0" + bytes(4)
WHILE_S = 0.03


@variant(
    "router-ports-by-turns",
    "4.3",
    "Which port a NAT gives is its own choice (RFC 4787, REQ-3).",
    "ports are given one after the other and never kept",
)
class _ByTurns(Ports):
    role = "NAT router"

    def candidates(self, port: int, highest: int) -> Iterator[int]:
        if port < FIRST_UNRESERVED or highest < LAST:
            yield from super().candidates(port, highest)
        for _ in range(LAST - FIRST):
            self._turn = FIRST + (self.__dict__.get("_turn", 0) + 1) % (LAST - FIRST)
            yield self._turn


@variant(
    "router-acknowledges-the-success",
    "4.3",
    'Count of section 4.3: "only if NAT router intercepted ICMP migration success".',
    "mappings of a Migrate are acknowledged when the success passes",
)
class _OnSuccess(NatRouter):
    """As the configuration says."""


@variant(
    "router-acknowledges-both",
    "4.3",
    "At the other moment an acknowledgement is allowed.",
    "mappings of a Migrate are acknowledged with it, and with the success again",
)
class _Both(NatRouter):
    def take_effect(self, network: BoxNetwork, server: int, request: Request, reply: Migrate) -> None:
        before = request.is_answered
        super().take_effect(network, server, request, reply)
        if not before and (migrated := request.migrated_by(reply)):
            self.announce(network, migrated)


@variant(
    "router-wants-the-option",
    "C",
    "Appendix C: only if a TCP session has MOBILE_CAPABLE.",
    "a SYN without MOBILE_CAPABLE draws no acknowledgement",
)
class _WantsTheOption(Announcements):
    """As the configuration says."""


@variant(
    "router-message-for-each-port",
    "4.3",
    "Several messages of Count 1 say the same as one of Count n.",
    "each mapping of a Migrate is acknowledged by a message of its own",
)
class _ForEachPort(Announcements):
    def messages(self, network: BoxNetwork, mappings: Sequence[Mapping]) -> list[NatAcknowledgement]:
        return [self.message(network, [one]) for one in reversed(mappings)]


@variant(
    "router-says-a-flow-once",
    "4.3",
    "What a SYN of a session that is there draws is left open.",
    "a SYN that is sent again draws no acknowledgement",
)
class _OncePerFlow(NatRouter):
    def call_passes(self, packet: Packet, mapping: Mapping) -> None:
        said: set[tuple[Mapping, int, bytes]] = self.__dict__.setdefault("_said", set())
        flow = mapping, packet.destination, packet.payload[2:4]
        if flow not in said:
            said.add(flow)
            super().call_passes(packet, mapping)


@variant(
    "router-lets-everybody-in",
    "B",
    "RFC 4787, REQ-8: endpoint-independent filtering, where transparency is most important.",
    "whoever sends to a mapping is let in",
)
class _Everybody(Filtering):
    role = "NAT router"

    def lets_in(self, mapping: Mapping, remote: Endpoint, now: float) -> bool:
        return True


@variant(
    "router-lets-in-by-port",
    "B",
    "RFC 4787, REQ-8: filtering by address and port is stricter, and allowed.",
    "only those ports are let in that the inside has spoken to, after a success the server's first",
)
class _ByPort(Filtering):
    role = "NAT router"

    def lets_in(self, mapping: Mapping, remote: Endpoint, now: float) -> bool:
        return bool(mapping.flow(remote, now) or mapping.flow((remote[0], ANY_PORT), now))


@variant(
    "router-copies-reserved",
    "4.3",
    '"Initialized to zero on transmission" is said of who makes a message, not of who sends it on.',
    "Reserved of an upstream acknowledgement is sent on as it is",
)
class _CopiesReserved(NatRouter):
    def message_for_itself(self, side: Side, packet: Packet, message: bytes) -> None:
        self._reserved = message[7:8]
        super().message_for_itself(side, packet, message)

    def send_inside(self, network: BoxNetwork, host: int, message: bytes) -> None:
        if message[6] > 1:
            message = message[:7] + self._reserved + message[8:]
        super().send_inside(network, host, message)


@variant(
    "router-maps-who-has-sent",
    "B",
    "What a Migrate for a third host becomes is left open, as long as that host is left alone.",
    "the sender's own address is mapped, and the Migrate sent on",
)
class _MapsTheSender(NatRouter):
    def is_of_its_sender(self, packet: Packet, migrate: Migrate) -> bool:
        return True


@variant(
    "router-tells-of-malformed-migrates",
    "B",
    "A host, and a router, may tell of what it cannot read (ICMPv5, Parameter Problem).",
    "a malformed Migrate is answered with a Parameter Problem",
)
class _TellsOfMalformed(NatRouter):
    def passes_message(self, side: Side, packet: Packet, out: Side, family: Messages) -> bool:
        source, quote = packet.source, packet.whole[:40]
        passed = super().passes_message(side, packet, out, family)
        if not passed and side is self.inside and message_type(packet.payload) == MIGRATE_TYPE:
            own = self.inside.own[packet.network]
            self.send_message(side, packet.network, family, (own, source), PARAMETER_PROBLEM + quote)
        return passed


@variant(
    "router-takes-count-entries",
    "4.3",
    "Nothing forbids a receiver to take Count entries and to ignore what follows.",
    "an upstream acknowledgement with more bytes is sent on without them",
)
class _CountEntries(Upstream):
    def passed_on(self, told: NatAcknowledgement) -> dict[int, NatAcknowledgement]:
        if len(told.ports) > told.count > 0:
            told = replace(told, ports=told.ports[: told.count], length=24 + 4 * told.count)
        return super().passed_on(told)


@variant(
    "router-takes-no-message-apart",
    "4.3",
    "A message of which a part matches nothing may be kept back as a whole.",
    "an upstream acknowledgement with an entry of nobody is not sent on",
)
class _NotApart(Upstream):
    def passed_on(self, told: NatAcknowledgement) -> dict[int, NatAcknowledgement]:
        keys = [(told.protocol, told.level, (told.original, one)) for one, _ in told.ports]
        return super().passed_on(told) if all(map(self.mapping_of, keys)) else {}


@variant(
    "router-thinks-about-messages",
    "B",
    "How long a Migrate takes through a router is nowhere said.",
    "Migrates and replies are forwarded after 30 ms",
)
class _Thinks(NatRouter):
    def emit(self, out: Side, packet: Packet) -> None:
        if packet.protocol != packet.network.icmp_protocol:
            super().emit(out, packet)
            return
        network, destination, whole = packet.network, packet.destination, packet.whole
        self.counters["forwarded"] += 1
        self.after(WHILE_S, lambda: out.send_packet(network, destination, whole, self.now))
