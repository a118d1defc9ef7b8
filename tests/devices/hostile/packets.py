# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames as bytes, for those who make them wrong on purpose: headers are written anew, so that one thing is odd."""

import struct

from scapy.utils import checksum

ETHERNET = 14
IPV4, ARP, IPFF = b"\x08\x00", b"\x08\x06", b"\x88\xb5"
TCP, UDP = 6, 17


def is_ipv4(frame: bytes) -> bool:
    """Whether a frame holds an IPv4 packet without options."""
    return frame[12:15] == IPV4 + b"\x45" and len(frame) >= 34


def is_tcp(frame: bytes) -> bool:
    """Whether it holds TCP over IPv4."""
    return is_ipv4(frame) and frame[23] == TCP and len(frame) >= 54


def is_syn_ack(frame: bytes) -> bool:
    """Whether it holds a SYN-ACK over IPv4."""
    return is_tcp(frame) and frame[47] & 0x12 == 0x12


def ipv4(frame: bytes, payload: bytes, protocol: int | None = None, options: bytes = b"") -> bytes:
    """The frame with another payload, or another protocol: length and checksum of the header are right."""
    old = frame[ETHERNET : ETHERNET + 20]
    size = 20 + len(options)
    first = bytes([0x40 | size // 4]) + old[1:2] + struct.pack("!H", size + len(payload)) + old[4:9]
    header = first + bytes([old[9] if protocol is None else protocol]) + bytes(2) + old[12:20] + options
    return frame[:ETHERNET] + header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def resummed(frame: bytes) -> bytes:
    """The frame with the checksum of its IPv4 header right, as long as it says the header is."""
    size = max(20, (frame[ETHERNET] & 15) * 4)
    header = frame[ETHERNET:24] + bytes(2) + frame[26 : ETHERNET + size]
    return frame[:24] + struct.pack("!H", checksum(header)) + frame[26:]


def segment(frame: bytes, options: bytes, data: bytes | None = None, words: int | None = None, flags: int = 0) -> bytes:
    """The TCP frame with these options and data; `words` is its data offset, where that is not what it should be.

    The checksum is right.
    """
    old = frame[34:]
    room = -(-len(options) // 4) * 4
    offset = (20 + room) // 4 if words is None else words
    content = old[(old[12] >> 4) * 4 :] if data is None else data
    header = old[:12] + bytes([offset << 4 | old[12] & 15, old[13] | flags]) + old[14:16] + bytes(2) + old[18:20]
    whole = header + options.ljust(room, b"\1") + content
    pseudo = frame[26:34] + struct.pack("!HH", TCP, len(whole))
    return ipv4(frame, whole[:16] + struct.pack("!H", checksum(pseudo + whole)) + whole[18:])


def ipff_protocol(frame: bytes, number: int) -> bytes:
    """The IPFF frame with another protocol (draft-eromenko-ipff-00, section 3: 14 bits before the destination)."""
    (second,) = struct.unpack_from("!Q", frame, ETHERNET + 8)
    return frame[:22] + struct.pack("!Q", number << 50 | second & (1 << 50) - 1) + frame[30:]
