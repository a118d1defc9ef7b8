# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP errors about packets that have come out of a NAT, from the host that they came to or from a router."""

from dataclasses import dataclass

from scapy.layers.inet import ICMP, IP
from scapy.packet import Packet, Raw

QUOTED = 28
MTU = 1300


@dataclass(frozen=True)
class Error:
    """A kind of error: type, code, and its name."""

    name: str
    kind: int
    code: int

    def __str__(self) -> str:
        return self.name

    def message(self) -> Packet:
        """The header, with what belongs to its kind."""
        header = ICMP(type=self.kind, code=self.code)
        if (self.kind, self.code) == (3, 4):
            header.nexthopmtu = MTU
        return header

    def about(self, packet: Packet, source: str, length: int | None = QUOTED) -> Packet:
        """The error about a packet as it came, from an address; `length` is how much of it is quoted, None for all."""
        quoted = Raw(bytes(packet)[:length])
        return IP(bytes(IP(src=source, dst=packet.src) / self.message() / quoted))


NET, HOST, PROTOCOL, PORT = (Error(name, 3, code) for code, name in enumerate(("net", "host", "protocol", "port")))
TOO_BIG = Error("too big", 3, 4)
PROHIBITED = Error("prohibited", 3, 13)
EXCEEDED = Error("time exceeded", 11, 0)
REASSEMBLY = Error("reassembly", 11, 1)
PROBLEM = Error("parameter problem", 12, 0)
QUENCH = Error("source quench", 4, 0)

UNREACHABLE = (NET, HOST, PROTOCOL, PORT, TOO_BIG, PROHIBITED)
ERRORS = (*UNREACHABLE, EXCEEDED, REASSEMBLY, PROBLEM)
EVERY = (*ERRORS, QUENCH)
