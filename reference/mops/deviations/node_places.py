# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a mobile node in what else it owes at its new address, and in connections that are closing."""

import struct

from reference.bump.flows import Flow
from reference.bump.network import ETHERNET, HEADROOM, TCP, Network
from reference.mops.deviations.segments import AfterAMove, HearsErrors
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation

_IPV4, _ICMP, _UDP = b"\x08\x00", 1, 17
_TOO_BIG = b"\x03\x04"


class _Forgotten(AfterAMove):
    """Drops packets of a protocol once the node has moved."""

    protocol = 0

    def take_from_wire(self, length: int) -> None:
        header = HEADROOM + ETHERNET
        is_ipv4 = bytes(self._wire_view[header - 2 : header]) == _IPV4
        if not (self.has_moved and is_ipv4 and self._from_wire[header + 9] == self.protocol):
            super().take_from_wire(length)


@deviation(
    "node-echo-requests-dropped",
    "4.1",
    "Echo requests are answered after a move as before it.",
    "they are dropped once a connection has moved",
)
class EchoRequestsDropped(_Forgotten):
    protocol = _ICMP


@deviation(
    "node-datagrams-dropped",
    "4.1",
    "A UDP service answers after a move as before it.",
    "datagrams are dropped once a connection has moved",
)
class DatagramsDropped(_Forgotten):
    protocol = _UDP


@deviation(
    "node-packet-too-big-ends-the-connection",
    "2.1",
    "That a packet was too big for the path ends no connection.",
    "the connection that it quotes is dead, whichever of its tuples that is",
)
class PacketTooBigEndsTheConnection(HearsErrors):
    def error_received(self, network: Network, error: bytes) -> None:
        peer, (own_port, port) = int.from_bytes(error[24:28], "big"), struct.unpack_from("!HH", error, 28)
        for flow in list(network.flows.by_kernel.values()) if error[:2] == _TOO_BIG else ():
            if (flow.wire_address, flow.wire_port, flow.own_port) == (peer, port, own_port):
                self.give_up(network, TCP, flow)


@deviation(
    "node-closing-left-behind",
    "2.1",
    "A connection in CLOSING migrates.",
    "one that both sides have closed, the node first, is left though its FIN is not acknowledged",
)
class ClosingLeftBehind(MobileNode):
    def is_movable(self, protocol: int, flow: Flow) -> bool:
        is_closing = flow.tcp.our_fin is not None and flow.tcp.peer_closed and flow.tcp.we_closed_first
        return not is_closing and super().is_movable(protocol, flow)
