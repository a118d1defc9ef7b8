# SPDX-License-Identifier: GPL-2.0-or-later
"""MOBILE_CAPABLE, the TCP option of Appendix C, with the numbers of the profile."""

from collections.abc import Iterable

from scapy.packet import Packet

from layers.tcp_options import HEADER, walk_options
from testbed.case.case import Case
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer


def mobile_capable(case: Case) -> bytes:
    """The option."""
    mops = case.setup.profile.ixit.mops
    length = mops.mobile_capable_length
    return bytes([mops.mobile_capable_kind, length]) + mops.mobile_capable_exid.to_bytes(2, "big")[: length - 2]


def carries_mobile_capable(case: Case, segment: Packet) -> bool:
    """Whether a segment carries the option; one whose header is said to be longer than it is itself carries nothing."""
    octets, header = bytes(segment), segment.dataofs * 4
    area = octets[HEADER:header] if header <= len(octets) else b""
    return any(one.raw == mobile_capable(case) for one in walk_options(area))


class CapableHandshake:
    """Puts MOBILE_CAPABLE on a SYN and, where the SYN-ACK has it, on the ACK that ends the handshake."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._is_due = False

    def on_send(self, peer: TcpPeer, flags: str) -> Iterable[Packet | bytes]:
        """The option, where it belongs."""
        due, self._is_due = self._is_due or "S" in flags, False
        return [mobile_capable(self._case)] if due else []

    def on_receive(self, peer: TcpPeer, segment: Segment) -> None:
        """See whether the device agrees."""
        if "S" in segment.flags:
            self._is_due = carries_mobile_capable(self._case, segment.tcp)
