# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel is given when a connection is dead, so that its application sees an error.

TCP: a reset at RCV.NXT. UDP has no such thing, so an ICMP error (RFC 792, RFC 4443) says that the other side cannot be
reached: of the codes the kernel passes on to connected sockets, those that come nearest.
"""

import struct

from reference.bump.checksum import checksum
from reference.bump.flows import Flow
from reference.bump.network import TCP, UDP, Network
from reference.bump.tcp import ACK, RST, SEGMENT
from reference.bump.udp import HEADER as DATAGRAM

_ICMP, _ICMPV6 = 1, 58
_UNREACHABLE, _HOST_PROHIBITED = 3, 10
_V6_UNREACHABLE, _V6_ADDRESS, _V6_PORT = 1, 3, 4


def reset(network: Network, flow: Flow) -> bytes:
    """A reset of the peer, as the kernel knows it."""
    header = bytearray(
        SEGMENT.pack(flow.kernel_port, flow.local_port, flow.tcp.rcv_nxt, flow.tcp.snd_nxt, 20 << 2, RST | ACK, 0, 0)
        + b"\0\0"
    )
    pseudo = network.kernel_own + flow.kernel_address + TCP + len(header)
    struct.pack_into("!H", header, 16, checksum(header, pseudo))
    return network.build_for_kernel(flow.kernel_address, TCP, bytes(header))


def unreachable(network: Network, flow: Flow) -> list[bytes]:
    """Errors about a datagram to the peer. IPv6 has two: one for sockets that want to know it all comes last."""
    datagram = DATAGRAM.pack(flow.local_port, flow.kernel_port, DATAGRAM.size, 0)
    original = _from_kernel(network, flow, datagram)
    if network.name == "ipv4":
        message = _message(_UNREACHABLE, _HOST_PROHIBITED, original, 0)
        return [network.build_for_kernel(flow.kernel_address, _ICMP, message)]
    packets = []
    for code in (_V6_PORT, _V6_ADDRESS):
        pseudo = network.kernel_own + flow.kernel_address + _ICMPV6 + 8 + len(original)
        message = _message(_V6_UNREACHABLE, code, original, pseudo)
        packets.append(network.build_for_kernel(flow.kernel_address, _ICMPV6, message))
    return packets


def _message(kind: int, code: int, original: bytes, pseudo: int) -> bytes:
    body = struct.pack("!BBHI", kind, code, 0, 0) + original
    return body[:2] + checksum(body, pseudo).to_bytes(2, "big") + body[4:]


def _from_kernel(network: Network, flow: Flow, datagram: bytes) -> bytes:
    """The packet that an error quotes: from the kernel to the peer."""
    packet = bytearray(network.build_for_kernel(flow.kernel_address, UDP, datagram))
    width = 4 if network.name == "ipv4" else 16
    at = 12 if network.name == "ipv4" else 8
    packet[at : at + 2 * width] = packet[at + width : at + 2 * width] + packet[at : at + width]
    return bytes(packet)
