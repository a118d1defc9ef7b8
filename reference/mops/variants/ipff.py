# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants below MOPS: fields of the IPFF header that the sender is free to fill."""

from reference.bump.ipff import IpffNetwork
from reference.system.alterations import variant


@variant(
    "ipff-thirty-two-hops",
    "ipff.3",
    "The draft leaves the number to the sender, and thirty-two routers are more than most paths have.",
    "every packet has 32 in Hops to Live",
)
class ThirtyTwoHops(IpffNetwork):
    role = "server"

    def _pack(self, peer: int, protocol: int, length: int, hops: int = 64, service: int = 0) -> bytes:
        return super()._pack(peer, protocol, length, 32, service)


@variant(
    "ipff-service-class",
    "ipff.6",
    "Nodes that support a use of Type of Service may change its bits in packets that they originate.",
    "every packet has a Type of Service",
)
class ServiceClass(IpffNetwork):
    role = "server"

    def _pack(self, peer: int, protocol: int, length: int, hops: int = 64, service: int = 0) -> bytes:
        return super()._pack(peer, protocol, length, hops, 0xB8)
