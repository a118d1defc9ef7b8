# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what ICMP errors of the path do to the connections of a server."""

import struct

from reference.bump.flows import Flow
from reference.bump.network import ETHERNET, HEADROOM, Network
from reference.mops.context import last_move
from reference.mops.datapath import MopsDatapath
from reference.system.alterations import deviation

_IPV4, _ICMP = 0x0800, 1
_ERRORS = (3, 11)
_TOO_BIG = (3, 4)
_HEADER = 20


class HearsErrors(MopsDatapath):
    """Looks at ICMPv4 errors before they are dropped."""

    role = "server"

    def take_from_wire(self, length: int) -> None:
        packet = bytes(self._wire_view[HEADROOM + ETHERNET : HEADROOM + length])
        ethertype = int.from_bytes(self._wire_view[HEADROOM + 12 : HEADROOM + ETHERNET], "big")
        is_icmp = ethertype == _IPV4 and len(packet) >= 56 and packet[9] == _ICMP
        if is_icmp and self.is_heard(packet[_HEADER], packet[_HEADER + 1]):
            quoted = packet[_HEADER + 8 :]
            (peer,) = struct.unpack_from("!I", quoted, 16)
            own_port, port = struct.unpack_from("!HH", quoted, _HEADER)
            network = next(network for network in self.networks if network.name == "ipv4")
            for flow in self.concerned(network, (peer, port, own_port)):
                self.give_up(network, flow.protocol, flow)
        super().take_from_wire(length)

    def is_heard(self, kind: int, code: int) -> bool:
        """Whether it looks at an error of this kind."""
        return kind in _ERRORS and (kind, code) != _TOO_BIG

    def concerned(self, network: Network, quoted: tuple[int, int, int]) -> list[Flow]:
        """The connections that an error ends which quotes this tuple."""
        flow = network.flows.by_wire.get(quoted)
        return [] if flow is None else [flow]


@deviation(
    "soft-error-ends-the-connection",
    "4.1",
    "An error of the path ends no connection (RFC 1122, 4.2.3.9).",
    "it ends the connection whose tuple it quotes",
)
class SoftErrorEndsTheConnection(HearsErrors):
    pass


@deviation(
    "error-about-the-left-tuple-ends-the-connection",
    "4.1",
    "An error that quotes the tuple left behind touches nothing.",
    "it ends the connection that was there",
)
class ErrorAboutTheLeftTupleEndsTheConnection(HearsErrors):
    def concerned(self, network: Network, quoted: tuple[int, int, int]) -> list[Flow]:
        flow = network.flows.by_kernel.get(quoted)
        return [flow] if flow is not None and last_move(flow) is not None else []
