# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of an anycast server in which segments it acknowledges, and to whom."""

from collections.abc import Hashable

from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.bump.tcp import ACK, FIN, SYN, TIMESTAMPS, split
from reference.mops.acknowledgements import AnycastAcknowledgement
from reference.mops.anycast_datapath import AnycastDatapath, Due
from reference.mops.anycast_server import Acknowledger, AnycastServer, Send
from reference.mops.capable import MobileCapable
from reference.mops.message import SUCCESS, Migrate
from reference.mops.server import Command
from reference.mops.two_addresses import TwoAddresses, placed
from reference.system.alterations import deviation

_AT_ONCE, _AGAIN_S = 16, 0.4


class _Capable(MobileCapable):
    role = "anycast server"


@deviation("anycast-silent", "4.2", "A SYN with MOBILE_CAPABLE is acknowledged.", "none is")
class Silent(Acknowledger):
    def is_due(self, network: TwoAddresses, flow: Flow, is_capable: bool) -> bool:
        return False


@deviation(
    "anycast-hosts-told-once",
    "4.2",
    "Every SYN with MOBILE_CAPABLE is acknowledged.",
    "a host is told once, for its first connection",
)
class HostsToldOnce(Acknowledger):
    def __init__(self) -> None:
        self._told: set[int] = set()

    def acknowledge(self, network: TwoAddresses, flow: Flow, send: Send) -> None:
        if flow.wire_address not in self._told:
            self._told.add(flow.wire_address)
            super().acknowledge(network, flow, send)


@deviation(
    "anycast-ports-told-once",
    "4.2",
    "Every SYN with MOBILE_CAPABLE is acknowledged.",
    "not that of a connection whose tuple another one had before",
)
class PortsToldOnce(Acknowledger):
    def __init__(self) -> None:
        self._told: set[Hashable] = set()

    def acknowledge(self, network: TwoAddresses, flow: Flow, send: Send) -> None:
        if flow.wire not in self._told:
            self._told.add(flow.wire)
            super().acknowledge(network, flow, send)


@deviation(
    "anycast-sixteen-connections-told",
    "4.2",
    "Every SYN with MOBILE_CAPABLE is acknowledged.",
    "sixteen of each host are",
)
class SixteenTold(Acknowledger):
    def __init__(self) -> None:
        self._told: dict[int, int] = {}

    def acknowledge(self, network: TwoAddresses, flow: Flow, send: Send) -> None:
        self._told[flow.wire_address] = self._told.get(flow.wire_address, 0) + 1
        if self._told[flow.wire_address] <= _AT_ONCE:
            super().acknowledge(network, flow, send)


@deviation(
    "anycast-option-after-timestamps-unseen",
    "4.2",
    "A SYN with MOBILE_CAPABLE is acknowledged, whatever other options it has.",
    "the option is not looked for after Timestamps",
)
class OptionAfterTimestampsUnseen(_Capable):
    def is_among(self, options: memoryview | bytes) -> bool:
        for kind, option in split(bytes(options)):
            if kind == TIMESTAMPS or option == self.encode():
                return kind != TIMESTAMPS
        return False


@deviation("anycast-every-syn", "4.2", "A SYN without MOBILE_CAPABLE is not acknowledged.", "every SYN is")
class EverySyn(Acknowledger):
    def is_due(self, network: TwoAddresses, flow: Flow, is_capable: bool) -> bool:
        return super().is_due(network, flow, True)


@deviation(
    "anycast-kind-suffices",
    "4.2",
    "A SYN without MOBILE_CAPABLE is not acknowledged.",
    "one with any option of that kind is",
)
class KindSuffices(_Capable):
    def is_among(self, options: memoryview | bytes) -> bool:
        return any(option[0] == self.encode()[0] for _, option in split(bytes(options)))


class _OtherSegments(AnycastDatapath):
    """Acknowledges segments that are no SYN."""

    def draws_one(self, flow: Flow, flags: int) -> bool:
        """Whether a segment is acknowledged."""
        raise NotImplementedError

    def segment_received(self, network: Network, flow: Flow, flags: int) -> None:
        super().segment_received(network, flow, flags)
        assert isinstance(network, TwoAddresses)
        if placed(flow).own == network.anycast and self.draws_one(flow, flags):
            self.acknowledge(network, flow)


@deviation(
    "anycast-fin-acknowledged",
    "4.2",
    "No segment but a SYN is acknowledged.",
    "a FIN of a connection is, too",
)
class FinAcknowledged(_OtherSegments):
    def draws_one(self, flow: Flow, flags: int) -> bool:
        return bool(flags & FIN) and flow.is_live


@deviation(
    "anycast-lone-syn-ack-acknowledged",
    "4.2",
    "No segment but a SYN is acknowledged.",
    "a SYN-ACK that nothing asked for is, too",
)
class LoneSynAckAcknowledged(_OtherSegments):
    def draws_one(self, flow: Flow, flags: int) -> bool:
        return flags & (SYN | ACK) == SYN | ACK


@deviation(
    "anycast-acknowledged-again-after-a-move",
    "4.2",
    "A connection is told of the unicast address when its SYN comes.",
    "it is told again a while after it has migrated",
)
class AcknowledgedAgain(AnycastServer):
    def reply(self, command: Command, data: bytes) -> None:
        super().reply(command, data)
        message, network = Migrate.parse(data), command.network
        assert isinstance(network, TwoAddresses)
        if message is not None and message.code == SUCCESS:
            addresses = network.to_ipff(network.anycast), network.to_ipff(network.unicast)
            port = message.entries[0].migrated_port
            again = AnycastAcknowledgement(message.protocol, *addresses, port, 7).pack()
            self._after(_AGAIN_S, lambda: self._send(network, command.source, network.icmp_protocol, again))


@deviation(
    "anycast-told-to-the-caller-before",
    "4.2",
    "The acknowledgement goes to the source of the SYN.",
    "from a host's second one on it goes to the source of the SYN before",
)
class ToldToTheCallerBefore(Acknowledger):
    def __init__(self) -> None:
        self._callers: dict[int, None] = {}
        self._last = 0

    def destination(self, flow: Flow) -> int:
        last, self._last = self._last, flow.wire_address
        is_known = flow.wire_address in self._callers
        self._callers[flow.wire_address] = None
        return last if is_known else flow.wire_address


@deviation(
    "anycast-refused-syn-acknowledged",
    "4.2",
    "A SYN that opens no session is not acknowledged.",
    "one that is reset is, as soon as it has come",
)
class RefusedSynAcknowledged(AnycastDatapath):
    def segment_received(self, network: Network, flow: Flow, flags: int) -> None:
        super().segment_received(network, flow, flags)
        assert isinstance(network, TwoAddresses)
        if flow.contexts.pop(Due, None) is not None:
            self.acknowledge(network, flow)
