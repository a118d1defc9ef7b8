# SPDX-License-Identifier: GPL-2.0-or-later
"""What rules of netfilter are made of: matches and verdicts, as expressions of `reference.system.nfnetlink`.

The numbers are those of `linux/netfilter/nf_tables.h`. Each match reads something into the one register and compares.
"""

import socket
import struct

from reference.system.nfnetlink import ACCEPT, DROP, attribute, expression, nested, number

Rule = tuple[bytes, ...]

NETWORK, TRANSPORT = 1, 2
EQUAL, UNEQUAL = 0, 1
INVALID, ESTABLISHED, RELATED, UNTRACKED = 1, 2, 4, 64
"""States of connection tracking, as bits."""

_REGISTER, _VERDICT = 1, 0
_INPUT_INTERFACE, _OUTPUT_INTERFACE, _L4_PROTOCOL = 4, 5, 16
_CT_STATE = 0


def compare(how: int, value: bytes) -> bytes:
    """What has been read has this value, or another one."""
    return expression("cmp", number(1, _REGISTER), number(2, how), nested(3, attribute(1, value)))


def meta(key: int, value: bytes) -> Rule:
    """What the kernel knows of a packet has this value."""
    return expression("meta", number(2, key), number(1, _REGISTER)), compare(EQUAL, value)


def comes_from(interface: str) -> Rule:
    """The packet has come in through an interface."""
    return meta(_INPUT_INTERFACE, struct.pack("=I", socket.if_nametoindex(interface)))


def leaves_by(interface: str) -> Rule:
    """The packet goes out through an interface."""
    return meta(_OUTPUT_INTERFACE, struct.pack("=I", socket.if_nametoindex(interface)))


def protocol(value: int) -> Rule:
    """The transport protocol."""
    return meta(_L4_PROTOCOL, bytes([value]))


def field(base: int, offset: int, value: bytes, mask: bytes = b"", how: int = EQUAL) -> Rule:
    """Bytes of a header, under a mask, have this value, or another one."""
    length = len(value)
    read = expression("payload", number(1, _REGISTER), number(2, base), number(3, offset), number(4, length))
    return read, *((masked(mask),) if mask else ()), compare(how, value)


def masked(mask: bytes) -> bytes:
    """Of what has been read, these bits alone."""
    return expression(
        "bitwise",
        number(1, _REGISTER),
        number(2, _REGISTER),
        number(3, len(mask)),
        nested(4, attribute(1, mask)),
        nested(5, attribute(1, bytes(len(mask)))),
    )


def state(bits: int) -> Rule:
    """The connection that the packet belongs to is in one of these states."""
    read = expression("ct", number(1, _REGISTER), number(2, _CT_STATE))
    return read, masked(struct.pack("=I", bits)), compare(UNEQUAL, bytes(4))


def verdict(value: int) -> Rule:
    """What becomes of the packet."""
    return (expression("immediate", number(1, _VERDICT), nested(2, nested(2, number(1, value)))),)


DROPPED, ACCEPTED = verdict(DROP), verdict(ACCEPT)
