# SPDX-License-Identifier: GPL-2.0-or-later
"""Internet checksum (RFC 1071) and its incremental update (RFC 1624).

Modulo 65535 every 16-bit word weighs the same, so a number of any length, taken modulo 65535, is the sum of its words.
All sums below are numbers modulo 65535.
"""


def words_sum(data: bytes | bytearray | memoryview) -> int:
    """Sum of the 16-bit words of `data`, an odd last byte padded with zero."""
    number = int.from_bytes(data, "big")
    return (number << 8 if len(data) & 1 else number) % 0xFFFF


def checksum(data: bytes | bytearray | memoryview, pseudo_header_sum: int = 0) -> int:
    """The checksum to write into `data` whose checksum field is zero (RFC 1071); it covers a pseudo-header too.

    What is not all zero never sums up to plus zero, so 0 and not 0xFFFF is the complement of a full sum.
    """
    total = (pseudo_header_sum + words_sum(data)) % 0xFFFF
    return 0xFFFF - (total or (0xFFFF if pseudo_header_sum or any(data) else 0))


def is_intact(data: bytes | bytearray | memoryview, pseudo_header_sum: int = 0) -> bool:
    """Whether `data` with its checksum in place, and the pseudo-header with it, sums up to (minus) zero."""
    return (pseudo_header_sum + words_sum(data)) % 0xFFFF == 0


def adjust(field: int, delta: int) -> int:
    """The checksum `field` after the words it covers have grown by `delta` modulo 65535 (RFC 1624, equation 3).

    A right checksum stays right and a wrong one stays wrong.
    """
    if not delta:
        return field
    total = (0xFFFF - field) + delta
    return 0xFFFF - ((total & 0xFFFF) + (total >> 16))
