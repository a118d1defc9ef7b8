# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures read to their end or refused: pcap and pcapng (draft-ietf-opsawg-pcapng), compressed by gzip or not.

Scapy's readers end at damage as they do at the end of the file, and read Simple Packet Blocks wrongly.
"""

import gzip
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

NANO = 10**9

_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", NANO // 1000),
    b"\xa1\xb2\xc3\xd4": (">", NANO // 1000),
    b"\x4d\x3c\xb2\xa1": ("<", NANO),
    b"\xa1\xb2\x3c\x4d": (">", NANO),
}
"""Byte order and units of a second, by the first bytes of a pcap file."""

_SECTION = b"\x0a\x0d\x0d\x0a"
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_GZIP = b"\x1f\x8b"
_LINK_TYPE = 0x03FFFFFF
"""The bits of pcap's link type; what is above them tells of a frame check sequence."""

_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 1, 2, 3, 6
_UNITS, _OFFSET = 9, 14
_LONGEST = 1 << 26
"""No packet and no block has more bytes than these, even where the file says so."""


class CaptureError(ValueError):
    """What is wrong with the file, in words that follow its name."""


class Captured(NamedTuple):
    """A packet: the bytes that were kept, how many there were on the wire, and its stamp, None where it has none."""

    data: bytes
    wire_length: int
    link_type: int
    ns: int | None


class _Interface(NamedTuple):
    link_type: int
    snap_length: int
    units: int
    offset_s: int


def captured(path: str) -> Iterator[Captured]:
    """Every packet of the file; CaptureError, after the packets before, where it cannot be read any further."""
    try:
        with open(path, "rb") as file:
            packed = file.peek(len(_GZIP))[: len(_GZIP)] == _GZIP
            yield from _Reader(gzip.GzipFile(fileobj=file) if packed else file).packets()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CaptureError(f"damaged gzip: {error}") from None
    except OSError as error:
        raise CaptureError(error.strerror or str(error)) from None


class _Reader:
    def __init__(self, file: Any) -> None:
        self._file = file
        self._number = 1
        self._order = "<"
        self._interfaces: list[_Interface] = []

    def packets(self) -> Iterator[Captured]:
        magic = self._file.read(4)
        if not magic:
            raise CaptureError("an empty file")
        if magic in _PCAP:
            packets = self._pcap(*_PCAP[magic])
        elif magic == _SECTION:
            packets = self._pcapng()
        else:
            raise CaptureError("neither pcap nor pcapng")
        for packet in packets:
            yield packet
            self._number += 1

    def _pcap(self, order: str, units: int) -> Iterator[Captured]:
        *_, link_type = struct.unpack(f"{order}HHIIII", self._take(20, "its header"))
        while head := self._file.read(16):
            where = f"packet {self._number}"
            seconds, parts, length, wire_length = struct.unpack(f"{order}IIII", self._whole(head, 16, where))
            data = self._take(length, where)
            ns = seconds * NANO + parts * NANO // units
            yield Captured(data, max(length, wire_length), link_type & _LINK_TYPE, ns)

    def _pcapng(self) -> Iterator[Captured]:
        head = _SECTION + self._take(4, "its header")
        while head:
            kind, body = self._block(head)
            if kind == _INTERFACE:
                self._interfaces.append(self._interface(body))
            elif kind == _SIMPLE_PACKET:
                yield self._simple_packet(body)
            elif kind in (_PACKET, _OLD_PACKET):
                yield self._packet(kind, body)
            head = self._file.read(8)

    def _block(self, head: bytes) -> tuple[int, bytes]:
        taken = b""
        if head[:4] == _SECTION:
            taken = self._take(4, "a section's header")
            if taken not in _ORDERS:
                raise CaptureError("a section of neither byte order")
            self._order = _ORDERS[taken]
            self._interfaces.clear()
        kind, length = self._unpack("II", self._whole(head, 8, "a block"))
        where = f"packet {self._number}" if kind in (_PACKET, _SIMPLE_PACKET, _OLD_PACKET) else "a block"
        rest = length - len(head) - len(taken) - 4
        if length % 4 or rest < 0:
            raise CaptureError(f"{where} is said to be in a block of {length} bytes")
        body = taken + self._take(rest, where)
        if self._take(4, where) != head[4:]:
            raise CaptureError(f"{where} is in a block whose two lengths differ")
        return kind, body

    def _interface(self, body: bytes) -> _Interface:
        link_type, _, snap_length = self._unpack("HHI", body)
        units, offset_s = NANO // 1000, 0
        for code, value in self._options(body[8:]):
            if code == _UNITS:
                (power,) = self._unpack("B", value)
                units = 1 << (power & 0x7F) if power & 0x80 else 10**power
            elif code == _OFFSET:
                (offset_s,) = self._unpack("q", value)
        return _Interface(link_type, snap_length, units, offset_s)

    def _options(self, area: bytes) -> Iterator[tuple[int, bytes]]:
        while area:
            code, length = self._unpack("HH", area)
            if code == 0:
                return
            yield code, area[4 : 4 + length]
            area = area[4 + length + -length % 4 :]

    def _packet(self, kind: int, body: bytes) -> Captured:
        ends = "IIIII" if kind == _PACKET else "HxxIIII"
        index, high, low, length, wire_length = self._unpack(ends, body)
        interface = self._taken_on(index)
        data = self._whole(body[20 : 20 + length], length, f"packet {self._number}")
        ns = (high << 32 | low) * NANO // interface.units + interface.offset_s * NANO
        return Captured(data, max(length, wire_length), interface.link_type, ns)

    def _simple_packet(self, body: bytes) -> Captured:
        (wire_length,) = self._unpack("I", body)
        interface = self._taken_on(0)
        length = min(wire_length, interface.snap_length or wire_length)
        data = self._whole(body[4 : 4 + length], length, f"packet {self._number}")
        return Captured(data, wire_length, interface.link_type, None)

    def _taken_on(self, index: int) -> _Interface:
        if index >= len(self._interfaces):
            raise CaptureError(
                f"packet {self._number} was taken on interface {index}, which the file does not describe"
            )
        return self._interfaces[index]

    def _unpack(self, ends: str, data: bytes) -> tuple[Any, ...]:
        layout = struct.Struct(self._order + ends)
        if len(data) < layout.size:
            raise CaptureError(f"a block before packet {self._number} is too short for what it is said to hold")
        return layout.unpack_from(data)

    def _take(self, length: int, where: str) -> bytes:
        if length > _LONGEST:
            raise CaptureError(f"{where} is said to have {length} bytes")
        return self._whole(self._file.read(length), length, where)

    def _whole(self, data: bytes, length: int, where: str) -> bytes:
        if len(data) < length:
            raise CaptureError(f"it ends inside {where}")
        return data
