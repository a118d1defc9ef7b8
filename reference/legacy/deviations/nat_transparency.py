# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT that changes numbers and options of connections (RFC 2979), and ports in quotes (RFC 5508)."""

import struct

from reference.bump.tcp import ACK, SYN
from reference.middlebox.nat.errors import Errors
from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.nat.nat import Nat
from reference.middlebox.packet import TCP, Packet
from reference.middlebox.rewriting import options, rewrite
from reference.middlebox.side import Side
from reference.system.alterations import deviation

_OPTIONS = "Options that the NAT does not know pass."
_NUMBERS = "Numbers pass."
_REVERTED = "The quoted packet is reverted to its original form."
_SEQUENCE_AT, _ACKNOWLEDGEMENT_AT, _FLAGS_AT = 4, 8, 13
_NO_OPERATION, _SACK, _TIMESTAMPS = 1, 5, 8
_KNOWN = (2, 3, 4, _SACK, _TIMESTAMPS)
_BY = 1000


def _add(segment: bytearray, at: int, by: int) -> None:
    (number,) = struct.unpack_from("!I", segment, at)
    struct.pack_into("!I", segment, at, (number + by) % (1 << 32))


def _shift_blocks(segment: bytearray) -> None:
    for at, end in list(options(segment)):
        if segment[at] == _SACK:
            for edge in range(at + 2, end - 3, 4):
                _add(segment, edge, -_BY)


class _Rewriting(Nat):
    """Changes segments of both directions."""

    def passes_outward(self, side: Side, packet: Packet) -> bool:
        passed = super().passes_outward(side, packet)
        if passed and packet.protocol == TCP:
            rewrite(packet, self.outward)
        return passed

    def passes_inward(self, side: Side, packet: Packet) -> bool:
        passed = super().passes_inward(side, packet)
        if passed and packet.protocol == TCP:
            rewrite(packet, self.inward)
        return passed

    def outward(self, segment: bytearray) -> None:
        """Change what goes out."""

    def inward(self, segment: bytearray) -> None:
        """Change what comes in."""


def _remove_unknown(segment: bytearray) -> None:
    for at, end in list(options(segment)):
        if segment[at] not in _KNOWN:
            segment[at:end] = bytes([_NO_OPERATION]) * (end - at)


@deviation("nat-option-removed", "2979", _OPTIONS, "an unknown option of a SYN is taken out")
class _Removed(_Rewriting):
    def outward(self, segment: bytearray) -> None:
        if segment[_FLAGS_AT] & SYN:
            _remove_unknown(segment)


@deviation("nat-inward-option-removed", "2979", _OPTIONS, "an unknown option is taken out of what comes in alone")
class _RemovedInward(_Rewriting):
    def inward(self, segment: bytearray) -> None:
        _remove_unknown(segment)


@deviation("nat-option-altered", "2979", _OPTIONS, "the last byte of an unknown option is zero after the SYN")
class _Altered(_Rewriting):
    def outward(self, segment: bytearray) -> None:
        for at, end in list(options(segment)):
            if segment[at] not in _KNOWN and not segment[_FLAGS_AT] & SYN:
                segment[end - 1] = 0


class _Shifting(_Rewriting):
    """Shifts the numbers of what goes out, and those that come back about it."""

    def outward(self, segment: bytearray) -> None:
        _add(segment, _SEQUENCE_AT, _BY)

    def inward(self, segment: bytearray) -> None:
        if segment[_FLAGS_AT] & ACK:
            _add(segment, _ACKNOWLEDGEMENT_AT, -_BY)
        _shift_blocks(segment)


@deviation("nat-numbers-shifted", "2979", _NUMBERS, "those of the inside are shifted, SACK blocks too")
class _Shifted(_Shifting):
    pass


@deviation("nat-inward-numbers-shifted", "2979", _NUMBERS, "those of the outside are shifted, SACK blocks too")
class _ShiftedInward(_Shifting):
    def outward(self, segment: bytearray) -> None:
        _Shifting.inward(self, segment)

    def inward(self, segment: bytearray) -> None:
        _Shifting.outward(self, segment)


@deviation("nat-blocks-shifted", "2979", _NUMBERS, "SACK blocks that come in are shifted, and no other number")
class _BlocksShifted(_Rewriting):
    def inward(self, segment: bytearray) -> None:
        _shift_blocks(segment)


@deviation("nat-quoted-port-kept", "5508", _REVERTED, "of the source that an error quotes the address alone is")
class _PortKept(Errors):
    def revert_source(self, quoted: Packet, mapping: Mapping) -> None:
        quoted.change_source(mapping.inside[0])


@deviation("nat-outward-quoted-port-kept", "5508", _REVERTED, "of the destination that one quotes the address alone is")
class _OutwardPortKept(Errors):
    def revert_destination(self, quoted: Packet, mapping: Mapping) -> None:
        quoted.change_destination(mapping.outside[0])
