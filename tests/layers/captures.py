# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures as bytes, by struct alone: whole ones, and what the field has instead."""

import struct
from itertools import count

ETHERNET, COOKED, COOKED_2, RAW_IP = 1, 113, 276, 101
START_NS = 1_700_000_000_123_456_789
STEP_NS = 1_000_000
NANOSECONDS = (9, b"\x09")
UNKNOWN_LINK = 9999


def pcap(frames: list[bytes], link: int = ETHERNET, snap: int = 1 << 16, order: str = "<", units: int = 10**9) -> bytes:
    """A pcap file, of microseconds where `units` says so."""
    magic = 0xA1B23C4D if units == 10**9 else 0xA1B2C3D4
    parts = [struct.pack(f"{order}IHHIIII", magic, 2, 4, 0, 0, snap, link)]
    for ns, frame in zip(count(START_NS, STEP_NS), frames, strict=False):
        kept = frame[:snap]
        stamp = ns // 10**9, ns % 10**9 * units // 10**9
        parts.append(struct.pack(f"{order}IIII", *stamp, len(kept), len(frame)) + kept)
    return b"".join(parts)


def pcapng(frames: list[bytes], link: int = ETHERNET, snap: int = 0, order: str = "<") -> bytes:
    """A pcapng file of one section, one interface with nanoseconds, and Enhanced Packet Blocks."""
    stamps = zip(count(START_NS, STEP_NS), frames, strict=False)
    packets = [packet(frame, ns, snap=snap, order=order) for ns, frame in stamps]
    return section(order) + interface(link, snap, NANOSECONDS, order=order) + b"".join(packets)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = ETHERNET, snap: int = 0, *options: tuple[int, bytes], order: str = "<") -> bytes:
    body = struct.pack(f"{order}HHI", link, 0, snap)
    for code, value in options:
        body += struct.pack(f"{order}HH", code, len(value)) + padded(value)
    return block(1, body + bytes(4 if options else 0), order)


def packet(frame: bytes, stamp: int, index: int = 0, snap: int = 0, order: str = "<") -> bytes:
    """An Enhanced Packet Block."""
    kept = frame[:snap] if snap else frame
    head = struct.pack(f"{order}IIIII", index, stamp >> 32, stamp & 0xFFFFFFFF, len(kept), len(frame))
    return block(6, head + padded(kept), order)


def old_packet(frame: bytes, stamp: int, index: int = 0) -> bytes:
    """A Packet Block, which Enhanced Packet Blocks have replaced."""
    head = struct.pack("<HHIIII", index, 0xFFFF, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame))
    return block(2, head + padded(frame))


def simple_packet(frame: bytes, snap: int = 0) -> bytes:
    """A Simple Packet Block: no stamp, no interface, and the length on the wire alone."""
    return block(3, struct.pack("<I", len(frame)) + padded(frame[:snap] if snap else frame))


def cooked(frame: bytes) -> bytes:
    """An Ethernet frame as `tcpdump -i any` has written it for long (LINKTYPE_LINUX_SLL)."""
    return struct.pack("!HHH", 0, 1, 6) + frame[6:12] + bytes(2) + frame[12:]


def cooked_2(frame: bytes) -> bytes:
    """An Ethernet frame as newer ones write it (LINKTYPE_LINUX_SLL2)."""
    return frame[12:14] + struct.pack("!HIHBB", 0, 2, 1, 0, 6) + frame[6:12] + bytes(2) + frame[14:]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
