# SPDX-License-Identifier: GPL-2.0-or-later
"""What a hostile device makes of each frame that it sends: a name, and a change."""

import random
import struct
from collections.abc import Callable, Iterable

from tests.devices.hostile.packets import (
    ARP,
    ETHERNET,
    IPFF,
    TCP,
    ipff_protocol,
    ipv4,
    is_ipv4,
    is_syn_ack,
    is_tcp,
    resummed,
    segment,
)

Change = Callable[[bytes], Iterable[bytes]]
"""The frames that leave in place of one."""

_chance = random.Random(1)
_held: list[bytes] = []
_sent: list[int] = []


def each(wanted: Callable[[bytes], bool], change: Change) -> Change:
    """The change, for the frames that are meant; the others leave as they are."""
    return lambda frame: change(frame) if wanted(frame) else [frame]


def syn_ack_with(options: bytes, words: int | None = None, data: bytes | None = None, flags: int = 0) -> Change:
    """A SYN-ACK of other options, of another data offset."""
    return each(is_syn_ack, lambda frame: [segment(frame, options, data, words, flags)])


def any_frame(frame: bytes) -> bool:
    return True


def is_arp(frame: bytes) -> bool:
    return frame[12:14] == ARP


def is_ipff(frame: bytes) -> bool:
    return frame[12:14] == IPFF and len(frame) >= 34


def is_message(frame: bytes) -> bool:
    return is_ipv4(frame) and frame[23] == 254


def swapped(frame: bytes) -> list[bytes]:
    """Two by two the other way round."""
    _held.append(frame)
    if len(_held) < 2:
        return []
    pair = _held[::-1]
    _held.clear()
    return pair


def flipped(frame: bytes) -> list[bytes]:
    """A bit is wrong, anywhere."""
    place = _chance.randrange(len(frame))
    return [frame[:place] + bytes([frame[place] ^ 1 << _chance.randrange(8)]) + frame[place + 1 :]]


def never_whole(frame: bytes) -> list[bytes]:
    """The first of two fragments."""
    piece = bytearray(ipv4(frame, frame[34:42]))
    piece[20:22] = b"\x20\x00"
    return [ipv4(bytes(piece), frame[34:42])]


def overlapping(frame: bytes) -> list[bytes]:
    """Fragments that contradict each other, and one far beyond the end."""
    pieces = []
    for place, more in ((0, 0x2000), (1, 0x2000), (0x1FFF, 0), (1, 0)):
        piece = bytearray(frame)
        piece[20:22] = struct.pack("!H", more | place)
        pieces.append(ipv4(bytes(piece), _chance.randbytes(64)))
    return pieces


def counted(frame: bytes, until: int) -> bool:
    """Whether this is one of the first so many frames."""
    _sent.append(1)
    return len(_sent) <= until


FRAMES: dict[str, Change] = {
    "every-frame-200-times": lambda frame: [frame] * 200,
    "every-frame-twice": lambda frame: [frame] * 2,
    "window-scale-of-two-bytes": syn_ack_with(b"\2\4\5\xb4\3\2\1\1"),
    "window-scale-255": syn_ack_with(b"\2\4\5\xb4\3\3\xff\1"),
    "option-of-length-0": syn_ack_with(b"\2\4\5\xb4\x1e\0\0\0"),
    "option-of-length-1": syn_ack_with(b"\2\4\5\xb4\x1d\1\0\0"),
    "option-beyond-the-end": syn_ack_with(b"\2\xff\5\xb4\5\x60\0\0"),
    "mss-0": syn_ack_with(b"\2\4\0\0"),
    "odd-sack-and-timestamps": syn_ack_with(b"\5\7\1\2\3\4\5\x08\3\1\x08\2\xfd\3\1\xfd\2\x1e\4\0\0"),
    "data-offset-0": each(is_tcp, lambda frame: [segment(frame, b"", words=0)]),
    "data-offset-beyond-the-end": each(is_tcp, lambda frame: [segment(frame, b"", b"", words=15)]),
    "nops-1400": each(is_tcp, lambda frame: [segment(frame, b"\1" * 40, b"\1" * 1360)]),
    "all-flags": each(is_tcp, lambda frame: [segment(frame, b"", flags=0xFF)]),
    "segment-of-12-bytes": each(is_tcp, lambda frame: [ipv4(frame, frame[34:46])]),
    "header-length-0": each(is_ipv4, lambda frame: [resummed(frame[:14] + b"\x40" + frame[15:])]),
    "header-length-60": each(is_ipv4, lambda frame: [resummed(frame[:14] + b"\x4f" + frame[15:])]),
    "ip-version-9": each(is_ipv4, lambda frame: [resummed(frame[:14] + b"\x95" + frame[15:])]),
    "ip-options-without-an-end": each(is_ipv4, lambda frame: [ipv4(frame, frame[34:], options=b"\x83\0" * 20)]),
    "length-0": each(is_ipv4, lambda frame: [resummed(frame[:16] + bytes(2) + frame[18:])]),
    "length-of-65535": each(is_ipv4, lambda frame: [resummed(frame[:16] + b"\xff\xff" + frame[18:])]),
    "fragments-that-are-never-whole": each(is_tcp, never_whole),
    "fragments-that-overlap": each(is_tcp, lambda frame: [*overlapping(frame), frame]),
    "ipff-protocol-300": each(is_ipff, lambda frame: [frame, ipff_protocol(frame, 300)]),
    "ipff-protocol-16383": each(is_ipff, lambda frame: [ipff_protocol(frame, 16383)]),
    "ipff-header-of-10-bytes": each(is_ipff, lambda frame: [frame[:24]]),
    "messages-cut-short": each(is_message, lambda frame: [ipv4(frame, frame[34 : 34 + n]) for n in range(12)]),
    "messages-of-noise": each(is_message, lambda frame: [ipv4(frame, _chance.randbytes(40)) for _ in range(50)]),
    "half-frames": lambda frame: [frame[: max(ETHERNET, len(frame) // 2)]],
    "headers-alone": lambda frame: [frame[:ETHERNET]],
    "noise-after-the-header": lambda frame: [frame[:ETHERNET] + _chance.randbytes(1486)],
    "noise-beside-each-frame": lambda frame: [frame, frame[:34] + _chance.randbytes(200), _chance.randbytes(60)],
    "bits-flipped": flipped,
    "reordered": swapped,
    "filled-up-to-1514": lambda frame: [frame.ljust(1514, b"\xff")],
    "tagged-twice": lambda frame: [frame[:12] + b"\x81\0\0\5\x81\0\0\5" + frame[12:]],
    "unknown-ethertype": lambda frame: [frame[:12] + b"\xff\xff" + frame[14:]],
    "sent-by-a-group": lambda frame: [frame[:6] + b"\xff" * 6 + frame[12:]],
    "arp-lies": each(is_arp, lambda frame: [frame[:22] + b"\2\0\0\0\0\x66" + frame[28:]]),
    "arp-storm": each(is_arp, lambda frame: [frame] * 500),
    "arp-cut-short": each(is_arp, lambda frame: [frame[:30]]),
    "silent-after-20-frames": lambda frame: [frame] if counted(frame, 20) else [],
    "another-source": each(is_ipv4, lambda frame: [ipv4(frame[:26] + b"\xc6\x12\0\x63" + frame[30:], frame[34:])]),
    "tcp-as-another-protocol": each(is_tcp, lambda frame: [ipv4(frame, frame[34:], protocol=TCP + 1)]),
}
ANSWERS: dict[str, Change] = {
    "echoes-every-frame": lambda frame: [frame[6:12] + frame[:6] + frame[12:]],
    "sends-every-frame-back": lambda frame: [frame],
    "answers-arp-for-everybody": each(
        is_arp,
        lambda frame: [
            frame[6:12] + b"\2\0\0\0\0\x66" + frame[12:20] + b"\0\2" + b"\2\0\0\0\0\x66" + frame[38:42] + frame[22:32]
        ],
    ),
}
"""What a hostile device sends for each frame that comes, beside what the reference makes of it."""
