# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath of a legacy host: every IPv4 packet goes on as it is."""

from reference.bump.datapath import Datapath
from reference.bump.ipv4 import Ipv4Network
from reference.bump.network import ETHERNET, HEADROOM
from reference.legacy.host import LegacyHost


class LegacyDatapath(Datapath):
    """A bump that adds nothing but address resolution."""

    role = "host"

    def __init__(self, mac: bytes, network: Ipv4Network, host: type[LegacyHost]) -> None:
        super().__init__(mac, [network])
        self._ipv4 = network
        self._host = host(self._packet_to_wire, self._packet_to_kernel, network.icmp_protocol)

    def take_from_wire(self, length: int) -> None:
        frame = bytes(self._wire_view[HEADROOM : HEADROOM + length])
        is_ours = frame[:6] == self._wire_mac and frame[12:14] == b"\x08\x00" and len(frame) >= ETHERNET + 20
        if is_ours and frame[ETHERNET + 16 : ETHERNET + 20] == self._ipv4.own.to_bytes(4, "big"):
            self.counters["from_wire"] += 1
            self._host.from_wire(frame[ETHERNET:])
        else:
            super().take_from_wire(length)

    def take_from_kernel(self, length: int) -> None:
        self.counters["from_kernel"] += 1
        frame = bytes(self._kernel_view[:length])
        if frame[12:14] == b"\x08\x00" and len(frame) >= ETHERNET + 20:
            self._host.from_kernel(frame[ETHERNET:])

    def _packet_to_wire(self, packet: bytes) -> None:
        header = self._neighbour(self._ipv4, int.from_bytes(packet[16:20], "big"), packet)
        if header is not None:
            self.put_on_wire(header + packet)

    def _packet_to_kernel(self, packet: bytes) -> None:
        self.put_to_kernel(self._ipv4, packet)
