# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of SOCKS5 (RFC 1928, RFC 1929) and RECONNECT, as bytes; all numbers are in network byte order."""

import ipaddress
import socket
import struct
from dataclasses import dataclass
from typing import NamedTuple

VERSION, LOGIN_VERSION = 5, 1
CONNECT, BIND, UDP_ASSOCIATE = 1, 2, 3
NO_AUTHENTICATION, USERNAME_PASSWORD, NONE_ACCEPTABLE = 0, 2, 0xFF
IPV4, DOMAIN, IPV6 = 1, 3, 4

SUCCEEDED, GENERAL_FAILURE, NOT_ALLOWED, NETWORK_UNREACHABLE, HOST_UNREACHABLE = range(5)
CONNECTION_REFUSED, TTL_EXPIRED, COMMAND_NOT_SUPPORTED, ADDRESS_TYPE_NOT_SUPPORTED = range(5, 9)

COUNTERS = struct.Struct("!QQ")
_LENGTHS = {IPV4: 4, IPV6: 16}


class MalformedError(Exception):
    """Bytes that are no message; `reply` is the REP that says so, None where the connection ends without any."""

    def __init__(self, reply: int | None = None) -> None:
        super().__init__(reply)
        self.reply = reply


class End(NamedTuple):
    """Address, or domain name, and port."""

    address: str
    port: int


class Counters(NamedTuple):
    """Bytes of a connection that whoever says it has received and sent."""

    received: int
    sent: int


@dataclass(frozen=True)
class Request:
    """A request of a client; `counters` only in a RECONNECT."""

    command: int
    kind: int
    to: End
    counters: Counters
    length: int


def greeting(data: bytes) -> tuple[int, bytes] | None:
    """Length and methods of a greeting (RFC 1928, section 3); None while it is not whole."""
    if data and data[0] != VERSION:
        raise MalformedError
    if len(data) < 2 or len(data) < 2 + data[1]:
        return None
    end = 2 + data[1]
    return end, data[2:end]


def login(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Length, user and password of a request for authentication (RFC 1929, section 2); None while it is not whole."""
    if data and data[0] != LOGIN_VERSION:
        raise MalformedError
    if len(data) < 2 or len(data) < 3 + data[1]:
        return None
    at = 2 + data[1]
    end = at + 1 + data[at]
    if len(data) < end:
        return None
    return end, data[2:at], data[at + 1 : end]


def request(data: bytes, reconnect: int) -> Request | None:
    """A request (RFC 1928, section 4), `reconnect` the number of RECONNECT; None while it is not whole."""
    if data and data[0] != VERSION:
        raise MalformedError
    if len(data) < 4:
        return None
    found = _end(data)
    if found is None:
        return None
    at, end = found
    counters = Counters(0, 0)
    if data[1] == reconnect:
        if len(data) < at + COUNTERS.size:
            return None
        counters = Counters(*COUNTERS.unpack_from(data, at))
        at += COUNTERS.size
    return Request(data[1], data[3], end, counters, at)


NOBODY = End("0.0.0.0", 0)


def reply(code: int, bound: End = NOBODY, counters: Counters | None = None) -> bytes:
    """A reply of the proxy (RFC 1928, section 6), with its counters to a RECONNECT."""
    message = bytes([VERSION, code, 0]) + address(bound)
    return message if counters is None else message + COUNTERS.pack(*counters)


def command(number: int, to: End, counters: Counters | None = None) -> bytes:
    """A request of a client; with counters a RECONNECT."""
    message = bytes([VERSION, number, 0]) + address(to)
    return message if counters is None else message + COUNTERS.pack(*counters)


def read_reply(data: bytes) -> tuple[int, int, End] | None:
    """Length, REP and BND of a reply, without counters; None while it is not whole."""
    if data and data[0] != VERSION:
        raise MalformedError
    if len(data) < 4:
        return None
    found = _end(data)
    return None if found is None else (found[0], data[1], found[1])


def address(end: End) -> bytes:
    """ATYP, address and port."""
    try:
        packed = ipaddress.ip_address(end.address).packed
        kind = {4: IPV4, 16: IPV6}[len(packed)]
    except ValueError:
        name = end.address.encode()
        kind, packed = DOMAIN, bytes([len(name)]) + name
    return bytes([kind]) + packed + struct.pack("!H", end.port)


def _end(data: bytes) -> tuple[int, End] | None:
    """Where the address of a message ends, and what it is."""
    kind, start = data[3], 4
    if kind == DOMAIN:
        if len(data) < 5:
            return None
        start, length = 5, data[4]
    elif kind in _LENGTHS:
        length = _LENGTHS[kind]
    else:
        raise MalformedError(ADDRESS_TYPE_NOT_SUPPORTED)
    stop = start + length
    if len(data) < stop + 2:
        return None
    octets = data[start:stop]
    if kind == DOMAIN:
        text = octets.decode("latin-1")
    else:
        text = socket.inet_ntop(socket.AF_INET if kind == IPV4 else socket.AF_INET6, octets)
    return stop + 2, End(text, int.from_bytes(data[stop : stop + 2], "big"))
