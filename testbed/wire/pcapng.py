# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence files: pcapng with nanosecond stamps, direction and comments, which Scapy's writer does not write.

Format: draft-ietf-opsawg-pcapng, little-endian, an interface of each link.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from testbed.wire.capture import Frame

_LINKTYPE_ETHERNET = 1
_SNAPLEN = 1 << 18
_OPT_COMMENT, _IF_NAME, _IF_TSRESOL, _EPB_FLAGS = 1, 2, 9, 2
_INBOUND, _OUTBOUND = 1, 2


def write(path: Path, frames: Iterable[Frame], interfaces: Sequence[str], comment: str) -> str:
    """Write the frames of one case, seen on these interfaces; each frame's note becomes a packet comment, `comment`
    that of the section. The SHA-256 of what was written, taken in memory."""
    blocks = [_section(comment), *map(_interface, interfaces)]
    blocks += [_packet(frame, interfaces.index(frame.interface)) for frame in frames]
    path.parent.mkdir(parents=True, exist_ok=True)
    content = b"".join(blocks)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _section(comment: str) -> bytes:
    return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options((_OPT_COMMENT, comment.encode())))


def _interface(name: str) -> bytes:
    nanoseconds = bytes([9])
    header = struct.pack("<HHI", _LINKTYPE_ETHERNET, 0, _SNAPLEN)
    return _block(1, header + _options((_IF_NAME, name.encode()), (_IF_TSRESOL, nanoseconds)))


def _packet(frame: Frame, interface: int) -> bytes:
    size = len(frame.data)
    header = struct.pack("<IIIII", interface, frame.ns >> 32, frame.ns & 0xFFFFFFFF, size, size)
    flags = struct.pack("<I", _OUTBOUND if frame.outgoing else _INBOUND)
    note = f"#{frame.index} {frame.note}".rstrip()
    return _block(6, header + _pad(frame.data) + _options((_EPB_FLAGS, flags), (_OPT_COMMENT, note.encode())))


def _options(*options: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HH", code, len(value)) + _pad(value) for code, value in options) + bytes(4)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
