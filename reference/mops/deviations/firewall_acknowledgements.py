# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a firewall in which acknowledgements come in, and which it sends."""

import struct
from collections.abc import Sequence

from reference.middlebox.packet import Packet
from reference.mops.acknowledgements import ANYCAST_TYPE, NAT_TYPE, AnycastAcknowledgement, NatAcknowledgement
from reference.mops.firewall.acknowledgements import Acknowledgements
from reference.mops.firewall.firewall import Firewall
from reference.mops.firewall.moves import Carried, Moves
from reference.mops.firewall.sessions import Rule
from reference.mops.message import MIGRATE, Entry, Migrate
from reference.system.alterations import deviation

KNOWN = "Acknowledgements pass for sessions that it knows."
NO_OTHERS = "Acknowledgements for sessions that it does not know do not pass."
UNICAST = "A session with an anycast server passes at its migrated tuple with that server's own address."
ANYCAST = "A session with an anycast server passes at its migrated tuple with the anycast address."
LEVELS = "Acknowledgements of a higher level pass where an earlier one led."


@deviation("firewall-no-nat-acknowledgements", "6", KNOWN, "no NAT acknowledgement comes in")
class _NoNat(Acknowledgements):
    def passes_nat(
        self, network: str, node: int, message: NatAcknowledgement, addresses: tuple[int, int], now: float
    ) -> bool:
        return False


@deviation("firewall-no-anycast-acknowledgements", "6", KNOWN, "no anycast acknowledgement comes in")
class _NoAnycast(Acknowledgements):
    def passes_anycast(
        self, network: str, node: int, message: AnycastAcknowledgement, addresses: tuple[int, int], now: float
    ) -> bool:
        return False


@deviation("firewall-acknowledgements-of-one-port", "6", KNOWN, "a NAT acknowledgement with several ports stays out")
class _OnePort(Acknowledgements):
    def passes_nat(
        self, network: str, node: int, message: NatAcknowledgement, addresses: tuple[int, int], now: float
    ) -> bool:
        return len(message.ports) == 1 and super().passes_nat(network, node, message, addresses, now)


@deviation("firewall-acknowledgements-of-open-sessions", "6", KNOWN, "it comes in when the session is open")
class _OfOpenSessions(Acknowledgements):
    def is_in_use(self, network: str, protocol: int, end: tuple[int, int], now: float) -> bool:
        known = [one for one in self.sessions.by_way.values() if one.way.inside == end]
        is_opening = bool(known) and all(one.phase.value == "opening" for one in known)
        return not is_opening and super().is_in_use(network, protocol, end, now)


@deviation("firewall-acknowledgements-of-migrated-sessions-out", "6", KNOWN, "after a move acknowledgements stay out")
class _OfMigratedOut(Acknowledgements):
    def is_in_use(self, network: str, protocol: int, end: tuple[int, int], now: float) -> bool:
        moved = any(one.way.inside == end and one.moves for one in self.sessions.by_way.values())
        return not moved and super().is_in_use(network, protocol, end, now)


@deviation("firewall-all-acknowledgements-let-in", "6", NO_OTHERS, "every acknowledgement comes in")
class _AllLetIn(Firewall):
    def passes_mops(self, packet: Packet, *, is_inward: bool) -> bool:
        kind = int.from_bytes(packet.payload[:2])
        return kind in (NAT_TYPE, ANYCAST_TYPE) or super().passes_mops(packet, is_inward=is_inward)


@deviation("firewall-nat-acknowledgement-by-address", "6", NO_OTHERS, "it comes in for a known address")
class _NatByAddress(Acknowledgements):
    def is_in_use(self, network: str, protocol: int, end: tuple[int, int], now: float) -> bool:
        return any(one.inside[0] == end[0] for one in self.sessions.ways())


@deviation("firewall-acknowledgement-to-another-node", "6", NO_OTHERS, "a NAT acknowledgement comes in to any node")
class _ToAnotherNode(Acknowledgements):
    def is_known(self, network: str, node: int, message: NatAcknowledgement, end: tuple[int, int], now: float) -> bool:
        return super().is_known(network, end[0] if message.level == 1 else node, message, end, now)


@deviation("firewall-anycast-ports-not-compared", "6", NO_OTHERS, "an anycast one comes in with other ports")
class _AnycastPorts(Acknowledgements):
    def passes_anycast(
        self, network: str, node: int, message: AnycastAcknowledgement, addresses: tuple[int, int], now: float
    ) -> bool:
        return any(one.inside[0] == node and one.outside[0] == addresses[0] for one in self.sessions.ways())


@deviation(
    "firewall-acknowledgement-of-a-migrate-out",
    "6",
    "When a Migrate has passed, acknowledgements of its new tuple pass.",
    "they pass when the server has answered",
)
class _OfAMigrateOut(Acknowledgements):
    def is_in_use(self, network: str, protocol: int, end: tuple[int, int], now: float) -> bool:
        return self.sessions.knows_end(network, protocol, end, now)


@deviation("firewall-level-one-alone", "6", LEVELS, "NAT acknowledgements of level 1 come in alone")
class _LevelOneAlone(Acknowledgements):
    def is_led_to(self, network: str, node: int, protocol: int, end: tuple[int, int]) -> bool:
        return False


@deviation("firewall-three-levels", "6", LEVELS, "NAT acknowledgements come in up to level 3")
class _ThreeLevels(Acknowledgements):
    def is_known(self, network: str, node: int, message: NatAcknowledgement, end: tuple[int, int], now: float) -> bool:
        return message.level <= 3 and super().is_known(network, node, message, end, now)


@deviation(
    "firewall-acknowledges",
    "6",
    "The firewall sends no message of its own.",
    "it acknowledges Migrates from the inside as a NAT does, though it translates nothing",
)
class _Acknowledges(Firewall):
    def passes_mops(self, packet: Packet, *, is_inward: bool) -> bool:
        passes = super().passes_mops(packet, is_inward=is_inward)
        message = Migrate.parse(packet.payload)
        if passes and message and not is_inward and message.code == MIGRATE:
            self._acknowledge(packet, message)
        return passes

    def _acknowledge(self, packet: Packet, message: Migrate) -> None:
        port = message.entries[0].migrated_port
        words = message.protocol << 50 | message.migrated, 1 << 50 | message.migrated
        octets = struct.pack("!HHBBBBQQHH", NAT_TYPE, 0, 1, 0, 1, 0, *words, port, port)
        family = self.messages[packet.network][packet.protocol]
        self.send_message(self.inside, packet.network, family, (packet.destination, packet.source), octets)


@deviation("firewall-anycast-session-left-at-its-place", "6", ANYCAST, "what it has with the anycast address stays")
class _LeftAtItsPlace(Acknowledgements):
    def passes_anycast(
        self, network: str, node: int, message: AnycastAcknowledgement, addresses: tuple[int, int], now: float
    ) -> bool:
        return super().passes_anycast(network, node, message, (addresses[0], addresses[0]), now)


@deviation("firewall-unicast-address-closed", "6", UNICAST, "it passes with the anycast address alone")
class _UnicastClosed(Moves):
    def open_unicast(self, session: Rule, address: int, now: float) -> None:
        """Nothing."""


@deviation("firewall-unicast-address-once", "6", UNICAST, "after the second move it does not any more")
class _UnicastOnce(Moves):
    def open_entry(self, asked: Carried, entry: Entry, sessions: Sequence[Rule], now: float) -> None:
        is_anycast = any(one.unicast is not None and one.moves for one in sessions)
        followed = [one for one in sessions if not is_anycast or one.unicast is not None]
        super().open_entry(asked, entry, followed, now)

    def open_unicast(self, session: Rule, address: int, now: float) -> None:
        if session.moves == 1:
            super().open_unicast(session, address, now)


@deviation("firewall-anycast-session-moves-once", "6", ANYCAST, "after the second move it is where it was")
class _MovesOnce(Moves):
    def open_entry(self, asked: Carried, entry: Entry, sessions: Sequence[Rule], now: float) -> None:
        followed = [one for one in sessions if one.unicast is None or not one.moves]
        super().open_entry(asked, entry, followed, now)
