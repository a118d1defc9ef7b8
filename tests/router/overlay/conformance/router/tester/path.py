# SPDX-License-Identifier: GPL-2.0-or-later
"""Two hosts, one on each side, and what the one sends to the other."""

import itertools
from dataclasses import dataclass

from scapy.layers.inet import IP
from scapy.packet import Packet

from testbed.case.case import Case
from testbed.wire.capture import Mark, Sent

PROTOCOL = 253
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class SentPacket:
    """A packet on its way, and the moment since which it can come out."""

    packet: Packet
    sent: Sent
    since: Mark


class Path:
    """The way from a host on one side to a host on the other, `towards` which packets go."""

    def __init__(self, case: Case, towards: str) -> None:
        sides = (case.inside, case.outside)
        self.near, self.far = sides if towards == "outside" else sides[::-1]
        self.source, self.destination = self.near.station(), self.far.station()

    def send(self, ttl: int = 64, payload: bytes = b"through") -> SentPacket:
        """Send a packet that no other packet is like."""
        ends = {"src": self.source.address, "dst": self.destination.address}
        packet = IP(**ends, id=next(_NUMBERS) & 0xFFFF, ttl=ttl, proto=PROTOCOL) / payload
        sent = self.source.transmit(packet)
        return SentPacket(packet, sent, self.source.trace.mark_at(sent.frame))
