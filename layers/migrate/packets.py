# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Migrate (Snoeren and Balakrishnan): the two TCP options and the hashes they carry.

The lecture gives no format: options and hashes are those of draft-snoeren-tcp-migrate-00, the kinds those of the paper.
The ECDH public key of 200 bits does not fit into one option, so 64 bits of it travel as TSval and TSecr of the
Timestamps option of the same segment::

    >>> syn = put_permitted(TCP(flags="S", seq=ni), curve=1, public_key=key)
    >>> permitted_key(syn) == key
    True
"""

import hashlib
import struct
from typing import Any

from scapy.fields import RawVal, StrLenField
from scapy.packet import Packet
from scapy.volatile import RandBin, VolatileValue

from layers.fields import FixedBytesField, UIntField
from layers.tcp_options import TCPOption, TimestampOption, get_option, put_option, register

INSECURE = 0
KEY_PART = 17
KEY_LENGTH = KEY_PART + 8
HASH_LENGTH = 8
NO_KEY = bytes(KEY_LENGTH)
"""The secret key K of the insecure variant: 200 zero bits."""

REQNO_SPACE = 128
"""ReqNo has 7 bits; it is compared like a sequence number."""


class KeyPartField(StrLenField):  # type: ignore[misc]
    """The part of the public key inside the option: 17 bytes, or none."""

    def __init__(self, name: str) -> None:
        super().__init__(name, b"", length_from=lambda option: max(0, option.length - 3))

    def any2i(self, pkt: Any, x: Any) -> Any:
        if isinstance(x, list | RawVal | VolatileValue):
            return x
        if not isinstance(x, bytes) or len(x) not in (0, KEY_PART):
            raise ValueError(f"field {self.name}: {x!r} is neither empty nor {KEY_PART} bytes")
        return x

    def i2repr(self, pkt: Any, x: Any) -> str:
        return x.hex() if isinstance(x, bytes) else repr(x)

    def randval(self) -> RandBin:
        return RandBin(KEY_PART)


@register
class MigratePermittedOption(TCPOption):
    """Migrate-Permitted, on SYN and SYN-ACK only; insecure without key and with length 3::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |   Kind = 15   | Length = 3/20 |  Curve Name   |               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+               +
    |                                                               |
    +                                                               +
    |        ECDH Public Key, first 136 of 200 bits                 |
    +                                                               +
    |                                                               |
    +                                                               +
    |                                                               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    | Kind = 8, Length = 10: TSval and TSecr are the last 64 bits   |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    """

    name = "Migrate-Permitted"
    fields_desc = [
        UIntField("kind", 15, 8),
        UIntField("length", None, 8),
        UIntField("curve", INSECURE, 8),
        KeyPartField("key"),
    ]

    def answers(self, other: Packet) -> int:
        return int(isinstance(other, MigratePermittedOption) and self.curve == other.curve)

    def mysummary(self) -> Any:
        return self.sprintf("Migrate-Permitted curve %MigratePermittedOption.curve%")


@register
class MigrateOption(TCPOption):
    """Migrate, on the SYN from the new address::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |   Kind = 16   |  Length = 19  |P|    ReqNo    |               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+               +
    |                          Token (64)                           |
    +                                               +-+-+-+-+-+-+-+-+
    |                                               |               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+               +
    |                         Request (64)                          |
    +                                               +-+-+-+-+-+-+-+-+
    |                                               |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

    P is the Preload flag: the SYN is from a host that is neither of the two that opened the connection.
    """

    name = "Migrate"
    fields_desc = [
        UIntField("kind", 16, 8),
        UIntField("length", 19, 8),
        UIntField("preload", 0, 1),
        UIntField("reqno", 0, 7),
        FixedBytesField("token", HASH_LENGTH),
        FixedBytesField("request", HASH_LENGTH),
    ]

    def mysummary(self) -> Any:
        return self.sprintf("Migrate %MigrateOption.reqno% token %MigrateOption.token%")


def padded(secret: bytes) -> bytes:
    """A secret as the key K: padded on the left with zeros to 200 bits."""
    return secret.rjust(KEY_LENGTH, b"\0")


def token(ni: int, na: int, key: bytes = NO_KEY) -> bytes:
    """What names the connection: 64 bits of SHA-1(Ni, Na, K), Ni and Na the initial numbers of SYN and SYN-ACK."""
    return hashlib.sha1(struct.pack("!II", ni, na) + key).digest()[:HASH_LENGTH]


def request(ni: int, na: int, key: bytes, sequence: int, reqno: int) -> bytes:
    """What proves a migration fresh: 64 bits of SHA-1(Ni, Na, K, S, ReqNo), S the sequence number of the Migrate SYN.

    `reqno` is the byte as it stands on the wire, the Preload flag included.
    """
    return hashlib.sha1(struct.pack("!II", ni, na) + key + struct.pack("!IB", sequence, reqno)).digest()[:HASH_LENGTH]


def put_permitted(tcp: Packet, curve: int = INSECURE, public_key: bytes = b"") -> Packet:
    """A copy of the packet that permits migration, with the key, if any, split over the two options."""
    if len(public_key) not in (0, KEY_LENGTH):
        raise ValueError(f"public_key: {len(public_key)} bytes, where 0 or {KEY_LENGTH} are allowed")
    if public_key:
        tsval, tsecr = struct.unpack("!II", public_key[KEY_PART:])
        tcp = put_option(tcp, TimestampOption(tsval=tsval, tsecr=tsecr))
    return put_option(tcp, MigratePermittedOption(curve=curve, key=public_key[:KEY_PART]))


def permitted_key(tcp: Packet) -> bytes | None:
    """The public key of a segment, empty when insecure, None where the segment does not hold one whole."""
    permitted = get_option(tcp, MigratePermittedOption)
    if permitted is None or not permitted.key:
        return permitted and b""
    timestamp = get_option(tcp, TimestampOption)
    if timestamp is None or len(permitted.key) != KEY_PART:
        return None
    return bytes(permitted.key + struct.pack("!II", timestamp.tsval, timestamp.tsecr))
