# SPDX-License-Identifier: GPL-2.0-or-later
"""Segments that a kernel leaves for a card to cut, as a wire would have carried them."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from testbed.wire.segmentation import frames_of

ETHERNET = bytes.fromhex("020000000001 020000000002 0800")
ADDRESSES = bytes([198, 18, 0, 1, 198, 19, 0, 1])
FIN, PSH, ACK, CWR = 0x01, 0x08, 0x10, 0x80


def uncut(data: bytes, size: int, flags: int, options: bytes = b"") -> bytes:
    """What the socket gives: struct virtio_net_hdr, then a frame that holds all of the data."""
    offset = (20 + len(options)) // 4 << 4
    tcp = struct.pack("!HHIIBBHHH", 7, 20000, 0xFFFFFF00, 9, offset, flags, 500, 0, 0) + options + data
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0x4000, 64, 6, 0) + ADDRESSES
    return struct.pack("=BBHHHH", 1, 1, 14 + 20 + len(tcp) - len(data), size, 34, 16) + ETHERNET + ip + tcp


def ones(header: bytes) -> int:
    """The sum of RFC 1071: 0xFFFF where the checksum is right."""
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    return (total & 0xFFFF) + (total >> 16)


@given(st.binary(min_size=1, max_size=4000), st.integers(100, 1500), st.sampled_from([b"", b"\1" * 12]))
def test_data_numbers_lengths_and_flags_are_those_of_single_segments(data: bytes, size: int, options: bytes) -> None:
    frames = frames_of(uncut(data, size, FIN | PSH | ACK | CWR, options))
    came, sequence = b"", 0xFFFFFF00
    for place, frame in enumerate(frames):
        header = 34 + 20 + len(options)
        segment = frame[header:]
        assert len(segment) == size or place == len(frames) - 1
        assert struct.unpack_from("!H", frame, 16)[0] == len(frame) - 14
        assert ones(frame[14:34]) == 0xFFFF
        assert struct.unpack_from("!I", frame, 38)[0] == sequence
        is_last = place == len(frames) - 1
        assert frame[47] == ACK | (FIN | PSH if is_last else 0) | (0 if place else CWR)
        came, sequence = came + segment, (sequence + len(segment)) % (1 << 32)
    assert came == data


def test_a_frame_that_is_one_segment_stays_as_it_is() -> None:
    frame = uncut(b"x" * 100, 0, ACK)[10:]
    assert frames_of(bytes(10) + frame) == [frame]


@given(st.binary(min_size=10, max_size=200))
def test_nothing_that_is_received_ends_the_reader(received: bytes) -> None:
    assert frames_of(received)
