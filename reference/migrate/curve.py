# SPDX-License-Identifier: GPL-2.0-or-later
"""Elliptic-curve Diffie-Hellman on the 192-bit prime curve of ANSI X9.62 (prime192v1, secp192r1; SEC 2, 2.5.2).

A point travels compressed: 02 or 03 by the last bit of y, then the 24 bytes of x: 25 bytes, as many as Key Data has.
"""

import secrets

BITS = 192
_BYTES = BITS // 8
P = 2**192 - 2**64 - 1
_A, B = -3, 0x64210519E59C80E70FA7E9AB72243049FEB8DEECC146B9B1
_GENERATOR = (0x188DA80EB03090F67CBF20EB43A18800F4FF0AFD82FF1012, 0x07192B95FFC8DA78631011ED6B24CDD573F977A11E794811)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFF99DEF836146BC9B1B4D22831

Point = tuple[int, int]


def _add(one: Point | None, other: Point | None) -> Point | None:
    """The sum of two points; None is the point at infinity."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] + _A) * pow(2 * one[1], -1, P) % P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P) % P
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def _times(number: int, point: Point) -> Point | None:
    total: Point | None = None
    doubled: Point | None = point
    while number:
        if number & 1:
            total = _add(total, doubled)
        doubled = _add(doubled, doubled)
        number >>= 1
    return total


def private_key() -> int:
    """A random number X from 1 to n - 1."""
    return 1 + secrets.randbelow(ORDER - 1)


def public_key(private: int) -> bytes:
    """The point X * P, compressed."""
    point = _times(private, _GENERATOR)
    assert point is not None
    return bytes((2 + (point[1] & 1),)) + point[0].to_bytes(_BYTES, "big")


def point_of(public: bytes) -> Point | None:
    """The point that Key Data names; None when it is none of the curve."""
    if len(public) != 1 + _BYTES or public[0] not in (2, 3):
        return None
    x = int.from_bytes(public[1:], "big")
    if x >= P:
        return None
    square = (x * x * x + _A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return x, y if y & 1 == public[0] & 1 else P - y


def shared_secret(private: int, point: Point) -> bytes:
    """The x coordinate of k * X."""
    shared = _times(private, point)
    assert shared is not None  # the order is prime, and the point is on the curve
    return shared[0].to_bytes(_BYTES, "big")
