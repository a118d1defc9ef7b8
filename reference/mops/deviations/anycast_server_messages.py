# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of an anycast server in what its messages say."""

from dataclasses import replace

from reference.bump.flows import Flow
from reference.mops.acknowledgements import AnycastAcknowledgement
from reference.mops.anycast_server import Acknowledger
from reference.mops.two_addresses import TwoAddresses
from reference.system.alterations import deviation

_AT_ONCE, _AGAIN_S = 16, 0.4


class _Says(Acknowledger):
    """Says something else from the second acknowledgement of a host on."""

    def __init__(self) -> None:
        self._told: dict[int, Flow] = {}

    def message(self, network: TwoAddresses, flow: Flow) -> AnycastAcknowledgement:
        first = self._told.setdefault(flow.wire_address, flow)
        message = super().message(network, flow)
        return message if first is flow else self.otherwise(message, first)

    def otherwise(self, message: AnycastAcknowledgement, first: Flow) -> AnycastAcknowledgement:
        """What it says instead; `first` is the host's first connection."""
        raise NotImplementedError


@deviation("anycast-later-code-1", "4.2", "Code is 0.", "it is 1 from a host's second acknowledgement on")
class LaterCodeOne(_Says):
    def otherwise(self, message: AnycastAcknowledgement, first: Flow) -> AnycastAcknowledgement:
        return replace(message, code=1)


@deviation("anycast-version-2", "4.2", "Version is 1.", "it is 2")
class VersionTwo(Acknowledger):
    def message(self, network: TwoAddresses, flow: Flow) -> AnycastAcknowledgement:
        return replace(super().message(network, flow), version=2)


@deviation("anycast-four-bytes-more", "4.2", "The message is 28 bytes long.", "it is 32 bytes long")
class FourBytesMore(Acknowledger):
    def encode(self, message: AnycastAcknowledgement) -> bytes:
        return super().encode(message) + bytes(4)


@deviation(
    "anycast-checksum-without-the-ports",
    "4.2",
    "The checksum covers the whole message.",
    "it covers all but the two ports",
)
class ChecksumWithoutThePorts(Acknowledger):
    def encode(self, message: AnycastAcknowledgement) -> bytes:
        bare = super().encode(replace(message, source_port=0, destination_port=0))
        return bare[:4] + super().encode(message)[4:]


@deviation("anycast-reserved-set", "4.2", "Reserved is zero.", "the 14 bits before the unicast address say 6, as above")
class ReservedSet(Acknowledger):
    def message(self, network: TwoAddresses, flow: Flow) -> AnycastAcknowledgement:
        return replace(super().message(network, flow), reserved_of_address=flow.protocol)


@deviation("anycast-protocol-0", "4.2", "Protocol is that of the session.", "it is 0")
class ProtocolZero(Acknowledger):
    def message(self, network: TwoAddresses, flow: Flow) -> AnycastAcknowledgement:
        return replace(super().message(network, flow), protocol=0)


@deviation(
    "anycast-names-the-unicast-address-twice",
    "4.2",
    "The anycast address is the one that was called.",
    "it is the unicast address, too",
)
class UnicastTwice(Acknowledger):
    def message(self, network: TwoAddresses, flow: Flow) -> AnycastAcknowledgement:
        message = super().message(network, flow)
        return replace(message, anycast=message.unicast)


@deviation(
    "anycast-names-the-anycast-address-twice",
    "4.2",
    "The unicast address is the server's own.",
    "it is the anycast address, too",
)
class AnycastTwice(Acknowledger):
    def message(self, network: TwoAddresses, flow: Flow) -> AnycastAcknowledgement:
        message = super().message(network, flow)
        return replace(message, unicast=message.anycast)


@deviation(
    "anycast-later-source-port-of-the-first",
    "4.2",
    "Source Port is that of the SYN.",
    "from a host's second acknowledgement on it is that of its first connection",
)
class LaterSourcePort(_Says):
    def otherwise(self, message: AnycastAcknowledgement, first: Flow) -> AnycastAcknowledgement:
        return replace(message, source_port=first.wire_port)


@deviation(
    "anycast-later-destination-port-of-the-first",
    "4.2",
    "Destination Port is that of the SYN.",
    "from a host's second acknowledgement on it is that of its first connection",
)
class LaterDestinationPort(_Says):
    def otherwise(self, message: AnycastAcknowledgement, first: Flow) -> AnycastAcknowledgement:
        return replace(message, destination_port=first.own_port)


@deviation(
    "anycast-ports-swapped",
    "4.2",
    "Source Port is the mobile node's, Destination Port the server's.",
    "they are seen from the server",
)
class PortsSwapped(Acknowledger):
    def message(self, network: TwoAddresses, flow: Flow) -> AnycastAcknowledgement:
        message = super().message(network, flow)
        return replace(message, source_port=message.destination_port, destination_port=message.source_port)
