# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments that a kernel has handed over uncut, for a card to cut: as a wire would have carried them.

A device on this machine, or in a virtual machine on it, leaves that work to a card that is not
there. The kernel says beside the frame how long each segment is to be (`struct virtio_net_hdr`, linux/virtio_net.h).
"""

import struct
from collections.abc import Iterator

from testbed.wire.headers import ETHERNET_HEADER, with_length

_BESIDE = struct.Struct("=BBHHHH")
_TCP_OVER_IPV4, _ECN = 1, 0x80
_FIN, _PSH, _CWR = 0x01, 0x08, 0x80
_SEQUENCE, _OFFSET, _FLAGS = 4, 12, 13


def frames_of(received: bytes) -> list[bytes]:
    """The frames of what a socket with PACKET_VNET_HDR has received; one, unless it holds several segments of TCP."""
    _, kind, _, size, start, _ = _BESIDE.unpack_from(received)
    frame = received[_BESIDE.size :]
    if kind & ~_ECN != _TCP_OVER_IPV4 or not size or len(frame) <= start + _FLAGS:
        return [frame]
    return list(_segments(frame, start, size))


def _segments(frame: bytes, start: int, size: int) -> Iterator[bytes]:
    """Each with `size` bytes of data, the last with the rest; CWR in the first alone, PSH and FIN in the last alone."""
    end = ETHERNET_HEADER + int.from_bytes(frame[ETHERNET_HEADER + 2 : ETHERNET_HEADER + 4], "big")
    data = start + (frame[start + _OFFSET] >> 4) * 4
    sequence, flags = int.from_bytes(frame[start + _SEQUENCE : start + _SEQUENCE + 4], "big"), frame[start + _FLAGS]
    for at in range(data, max(end, data + 1), size):
        header = bytearray(frame[start:data])
        struct.pack_into("!I", header, _SEQUENCE, (sequence + at - data) % (1 << 32))
        header[_FLAGS] = flags & ~((_CWR if at > data else 0) | (_PSH | _FIN if at + size < end else 0))
        yield with_length(frame[:start], bytes(header) + frame[at : min(at + size, end)])
