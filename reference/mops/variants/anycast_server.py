# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants in when an anycast server sends its acknowledgement, from where, and which Migrates it serves."""

from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.bump.tcp import ACK, SYN
from reference.mops.anycast_datapath import AnycastDatapath, Due
from reference.mops.anycast_server import Acknowledger, AnycastServer, Send
from reference.mops.server import Command
from reference.mops.two_addresses import TwoAddresses, placed
from reference.system.alterations import variant

_LATE_S = 0.05


@variant(
    "anycast-before-the-syn-ack",
    "4.2",
    "Nothing is said of the order; a middlebox sees the SYN first.",
    "a SYN is acknowledged as soon as it has come, and TCP answers it afterwards",
)
class BeforeTheSynAck(AnycastDatapath):
    def segment_received(self, network: Network, flow: Flow, flags: int) -> None:
        super().segment_received(network, flow, flags)
        assert isinstance(network, TwoAddresses)
        if flow.contexts.pop(Due, None) is not None:
            self.acknowledge(network, flow)


@variant(
    "anycast-once-the-handshake-is-complete",
    "4.2",
    'Until then there is no "ongoing session", and a spoofed SYN draws one packet alone.',
    "the acknowledgement follows the last segment of the handshake",
)
class OnceTheHandshakeIsComplete(AnycastDatapath):
    def is_answer(self, flags: int) -> bool:
        return False

    def segment_received(self, network: Network, flow: Flow, flags: int) -> None:
        super().segment_received(network, flow, flags)
        assert isinstance(network, TwoAddresses)
        if flags & (SYN | ACK) == ACK and flow.is_live and flow.contexts.pop(Due, None) is not None:
            self.acknowledge(network, flow)


@variant("anycast-late", "4.2", "No time is named.", "the acknowledgement comes 50 ms after the SYN-ACK")
class Late(AnycastDatapath):
    def acknowledge(self, network: TwoAddresses, flow: Flow) -> None:
        self.after(_LATE_S, lambda: super(Late, self).acknowledge(network, flow))


@variant(
    "anycast-retransmitted-syn-not-acknowledged",
    "4.2",
    "A retransmitted SYN is no new session.",
    "a connection is told once, however often its SYN comes",
)
class RetransmittedSynNotAcknowledged(Acknowledger):
    def acknowledge(self, network: TwoAddresses, flow: Flow, send: Send) -> None:
        if RetransmittedSynNotAcknowledged not in flow.contexts:
            flow.contexts[RetransmittedSynNotAcknowledged] = True
            super().acknowledge(network, flow, send)


@variant(
    "anycast-from-the-unicast-address",
    "4.2",
    "Nothing is said of the source of the acknowledgement.",
    "it is the unicast address",
)
class FromTheUnicastAddress(Acknowledger):
    def source(self, network: TwoAddresses) -> int:
        return network.unicast


@variant(
    "anycast-told-at-both-addresses",
    "4.2",
    "That the unicast address is the unicast address is no news, and does no harm.",
    "a SYN to the unicast address draws an acknowledgement as well",
)
class ToldAtBothAddresses(Acknowledger):
    def is_due(self, network: TwoAddresses, flow: Flow, is_capable: bool) -> bool:
        return is_capable


@variant(
    "anycast-continues-at-the-anycast-address",
    "4.1",
    '"The destination port and IP do not change" (appendix A).',
    "a connection keeps the anycast address whatever address its Migrate was sent to",
)
class ContinuesAtTheAnycastAddress(AnycastServer):
    continues_at_anycast = True


@variant(
    "anycast-migrates-at-the-unicast-address-alone",
    "4.2",
    "The acknowledgement names the address for that; the route of the other one may change at any time.",
    "a Migrate at the anycast address is not taken",
)
class MigratesAtUnicastAlone(AnycastServer):
    def receive(self, network: Network, source: int, data: bytes, arrival: float) -> None:
        assert isinstance(network, TwoAddresses)
        if network.own == network.unicast:
            super().receive(network, source, data, arrival)


@variant(
    "anycast-continues-where-it-was-asked",
    "4.2",
    "A connection that was opened with the unicast address may take the other one: its node has named it.",
    "a connection continues at the address that its Migrate was sent to, whichever that is",
)
class ContinuesWhereItWasAsked(AnycastServer):
    def own_after(self, command: Command, flow: Flow) -> int:
        return placed(flow).own if self.continues_at_anycast else self._called
