# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark of handovers: what it counts on a wire, and one move of a pair of hosts."""

import struct

import pytest

from bench.handover import DIRECTIONS, Segment, Sent, handovers, measured
from bench.wiretap import RECORD, record

OLD, NEW = "198.19.0.1", "198.19.0.10"
MS = 1_000_000


def test_bytes_that_were_sent_before_are_counted() -> None:
    """Also after a hole, in part, and where the numbers wrap."""
    sent = Sent()
    assert sent.add(0xFFFFFF00, 0x100) == (0x100, 0)
    assert sent.add(0x100, 0x100) == (0x100, 0)
    assert sent.add(0xFFFFFF80, 0x100) == (0x80, 0x80)
    assert sent.add(0, 0x200) == (0x80, 0x180)
    assert sent.add(0x200, 1) == (1, 0)


def test_a_handover_is_measured_from_its_order_to_the_next() -> None:
    segments = [Segment(number * 100 * MS, OLD, number * 10, 10) for number in range(10)]
    segments += [Segment(1200 * MS, NEW, 80, 20), Segment(1500 * MS, NEW, 100, 10), Segment(9000 * MS, OLD, 0, 110)]
    (found,) = handovers(segments, [(950 * MS, NEW)], 2000 * MS)
    assert found.first_data_s == pytest.approx(0.25)
    assert found.gap_s == pytest.approx(0.6)
    assert found.gap_before_s == pytest.approx(0.6)
    assert found.sent_twice == 20
    assert found.bytes_a_second == pytest.approx(100)
    with pytest.raises(ValueError, match="no data at"):
        handovers(segments, [(950 * MS, "198.19.0.11")], 2000 * MS)


def test_a_frame_is_written_down() -> None:
    """Options and padding of the frame are no payload; what is no TCP is left out."""
    segment = struct.pack("!HHIIBBHHH", 5001, 4000, 7, 9, 8 << 4, 0x18, 100, 0, 0) + bytes(12) + b"data"
    header = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0, 0xC6120001, 0xC6130001)
    frame = bytes(12) + b"\x08\x00" + header + segment + bytes(6)
    written = record(frame, 5)
    assert written is not None
    assert RECORD.unpack(written) == (5, 0xC6120001, 0xC6130001, 5001, 4000, 7, 4)
    assert record(bytes(12) + b"\x08\x06" + bytes(60), 5) is None


def test_a_pair_of_hosts() -> None:
    """SACIP, whose order is two verbs."""
    (found,) = measured("SACIP", DIRECTIONS[0], moves=1)
    assert 0 < found.first_data_s < 20
    assert found.gap_s > 0
    assert found.bytes_a_second > 0
