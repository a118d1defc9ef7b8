# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in MOBILE_ALLOWED, Unique IDs and MOBILE_CAPABLE."""

from typing import Any

from reference.bump.flows import Flow
from reference.bump.network import TCP
from reference.mops.capable import MobileCapable
from reference.mops.choices import Choice, Choices
from reference.mops.server import Server
from reference.system.alterations import deviation


@deviation(
    "udp-mobile-by-default",
    "3",
    "A UDP socket whose application did not choose is not mobile.",
    "UDP sockets are mobile unless the application forbids it",
)
class UdpMobileByDefault(Choices):
    def is_mobile_by_default(self, protocol: int) -> bool:
        return True


@deviation(
    "tcp-not-mobile-by-default",
    "3",
    "A TCP socket whose application did not choose is mobile.",
    "TCP sockets are mobile only when the application asks for it",
)
class TcpNotMobileByDefault(Choices):
    def is_mobile_by_default(self, protocol: int) -> bool:
        return False


@deviation(
    "one-time-id-kept",
    "4.1",
    "The Unique ID of a successful migration is not used again where one-time Unique IDs are claimed.",
    "a one-time Unique ID stays the same",
)
class OneTimeIdKept(Choices):
    def after_success(self, choice: Choice) -> Choice:
        return choice


@deviation(
    "server-mobile-allowed-ignored",
    "3",
    "A Migrate for a TCP socket created without MOBILE_ALLOWED is refused.",
    "every socket is remapped",
)
class ServerMobileAllowedIgnored(Server):
    def is_mobile(self, flow: Flow) -> bool:
        return True


@deviation(
    "unique-id-not-required",
    "4.1",
    "A socket that requires a Unique ID refuses the TCP sequence number.",
    "the sequence number does as well",
)
class UniqueIdNotRequired(Server):
    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        sequence = flow.protocol == TCP and self.is_identifier_right(flow, identifier)
        return sequence or super().is_unique_id_right(flow, unique_id, identifier)


@deviation(
    "unique-id-0-wildcard",
    "4.1",
    "No Unique ID is a wildcard.",
    "0 is accepted for any Unique ID",
)
class UniqueId0Wildcard(Server):
    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        return not identifier or super().is_unique_id_right(flow, unique_id, identifier)


@deviation(
    "unique-id-ones-wildcard",
    "4.1",
    "No Unique ID is a wildcard.",
    "0xffffffff is accepted for any Unique ID",
)
class UniqueIdOnesWildcard(Server):
    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        return identifier == 0xFFFFFFFF or super().is_unique_id_right(flow, unique_id, identifier)


@deviation(
    "unique-id-low-half",
    "4.1",
    "A Unique ID is compared in all 32 bits.",
    "only the low 16 bits are compared",
)
class UniqueIdLowHalf(Server):
    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        return (identifier ^ unique_id) & 0xFFFF == 0


@deviation(
    "udp-without-unique-id-remapped",
    "4.1",
    "A UDP socket without a Unique ID never migrates, whatever the entry carries.",
    "it migrates with anything",
)
class UdpWithoutUniqueIdRemapped(Server):
    def is_any_datagram(self, flow: Flow) -> bool:
        return True


@deviation(
    "mobile-capable-missing-on-syn",
    "C",
    "The SYN of a mobile connection carries MOBILE_CAPABLE.",
    "the SYN is an ordinary one",
)
class MobileCapableMissingOnSyn(MobileCapable):
    role = "mobile node"

    def is_on_syn(self, is_mobile: bool) -> bool:
        return False


@deviation(
    "mobile-capable-missing-on-ack",
    "C",
    "The ACK that ends the handshake carries MOBILE_CAPABLE when the SYN-ACK did.",
    "that ACK is an ordinary one",
)
class MobileCapableMissingOnAck(MobileCapable):
    role = "mobile node"

    def is_on_ack(self, is_mobile: bool, peer_capable: bool) -> bool:
        return False


@deviation(
    "mobile-capable-missing-on-syn-ack",
    "C",
    "The SYN-ACK to a SYN with MOBILE_CAPABLE carries it.",
    "the SYN-ACK is an ordinary one",
)
class MobileCapableMissingOnSynAck(MobileCapable):
    def is_on_syn_ack(self, is_mobile: bool, peer_capable: bool) -> bool:
        return False


@deviation(
    "mobile-capable-unasked",
    "C",
    "The SYN-ACK to a SYN without MOBILE_CAPABLE does not carry it.",
    "every SYN-ACK carries it",
)
class MobileCapableUnasked(MobileCapable):
    def is_on_syn_ack(self, is_mobile: bool, peer_capable: bool) -> bool:
        return is_mobile


@deviation(
    "unique-id-of-another-accepted",
    "4.1",
    "A TCP socket without a Unique ID refuses an entry that carries a Unique ID of another socket.",
    "any Unique ID that an application has given is accepted",
)
class UniqueIdOfAnotherAccepted(Server):
    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        return self.choices.is_unique_id(identifier) or super().is_identifier_right(flow, identifier)


@deviation(
    "udp-unique-id-refused",
    "4.1",
    "A UDP socket that requires a Unique ID migrates when the entry carries it.",
    "no UDP socket migrates",
)
class UdpUniqueIdRefused(Server):
    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        return flow.protocol == TCP and super().is_unique_id_right(flow, unique_id, identifier)


@deviation(
    "choice-refused",
    "3",
    "An application can set and clear MOBILE_ALLOWED when it creates a socket.",
    "a socket for which it is cleared is not created",
)
class ChoiceRefused(Choices):
    def declare(self, declaration: dict[str, Any]) -> tuple[int, int]:
        if declaration["choices"].get("mobile_allowed") is False:
            raise ValueError("every socket is mobile here")
        return super().declare(declaration)
