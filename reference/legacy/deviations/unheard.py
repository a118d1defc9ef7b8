# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a legacy host whose answers to unknown options no peer can hear, though they are on the wire."""

import struct

from reference.bump.ends import Frame
from reference.bump.network import ETHERNET
from reference.bump.shaping import Shaped, segment_in
from reference.bump.tcp import ACK, SYN
from reference.legacy.datapath import LegacyDatapath
from reference.system.alterations import deviation

CAPABLE = 254
NOBODY = bytes.fromhex("020000000099")
VLAN = 100
_CHECKSUM = ETHERNET + 10
_ANSWERED = "A SYN with an unknown option is answered like any other: its sender gets the answer."


class _Unheard(Shaped, LegacyDatapath):
    """The SYN-ACK in answer to a SYN with MOBILE_CAPABLE leaves spoilt."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._capable: set[tuple[int, int]] = set()

    def arrives(self, frame: bytes) -> None:
        segment = segment_in(frame)
        if segment and segment.is_syn() and any(kind == CAPABLE for kind, _ in segment.unknown):
            self._capable.add((segment.source, segment.port))
        super().arrives(frame)

    def leaves(self, frame: Frame) -> None:
        segment = segment_in(frame)
        is_answer = segment is not None and segment.flags & (SYN | ACK) == SYN | ACK
        if segment and is_answer and (segment.destination, segment.to_port) in self._capable:
            super().leaves(self.spoilt(bytes(frame)))
        else:
            super().leaves(frame)

    def spoilt(self, frame: bytes) -> bytes:
        """The frame as no peer would take it."""
        raise NotImplementedError


@deviation(
    "syn-ack-to-another-ethernet-address", "9293.3.1", _ANSWERED, "it is sent to an Ethernet address of nobody's"
)
class SynAckToAnotherEthernetAddress(_Unheard):
    def spoilt(self, frame: bytes) -> bytes:
        return NOBODY + frame[6:]


@deviation("syn-ack-in-a-vlan", "9293.3.1", _ANSWERED, "it is tagged for a VLAN")
class SynAckInAVlan(_Unheard):
    def spoilt(self, frame: bytes) -> bytes:
        return frame[:12] + struct.pack("!HH", 0x8100, VLAN) + frame[12:]


@deviation("syn-ack-with-a-wrong-header-checksum", "9293.3.1", _ANSWERED, "the checksum of its IPv4 header is wrong")
class SynAckWithAWrongHeaderChecksum(_Unheard):
    def spoilt(self, frame: bytes) -> bytes:
        return frame[:_CHECKSUM] + bytes([frame[_CHECKSUM] ^ 0x5A]) + frame[_CHECKSUM + 1 :]
