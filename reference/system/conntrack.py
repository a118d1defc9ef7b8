# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries of the kernel's connection tracking over nfnetlink (`linux/netfilter/nfnetlink_conntrack.h`)."""

import socket
import struct
from dataclasses import dataclass

from reference.system import nfnetlink
from reference.system.nfnetlink import attribute, nested, number

_CONNTRACK = 1 << 8
_NEW, _GET, _DELETE = 0, 1, 2
_ORIGINAL, _REPLY, _STATUS, _PROTOCOL, _SOURCE_NAT, _TIMEOUT = 1, 2, 3, 4, 6, 7
_IP, _PORTS = 1, 2
_SEEN_REPLY, _ASSURED, _CONFIRMED = 2, 4, 8
_TCP, _TCP_STATE, _TCP_FLAGS_ORIGINAL, _TCP_FLAGS_REPLY = 1, 1, 4, 5
_ESTABLISHED, _LIBERAL = 3, 0x08
_NAT_FIRST, _NAT_LAST, _NAT_PORTS = 1, 2, 3
_TCP_NUMBER = 6
_ANSWER = 8192

Endpoint = tuple[int, int]


@dataclass(frozen=True)
class Entry:
    """One connection of IPv4 as the inside opens it, and what its source is translated to."""

    protocol: int
    inside: Endpoint
    remote: Endpoint
    outside: Endpoint

    @property
    def original(self) -> bytes:
        """What tells the entry from others."""
        return _tuple(_ORIGINAL, self.protocol, self.inside, self.remote)


class Conntrack:
    """A netlink socket of the namespace in which it was opened. OSError where the kernel refuses."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, nfnetlink.NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._sequence = 0

    def add(self, entry: Entry, lasts_s: float) -> None:
        """Have the kernel carry an established connection, translated, until nothing has passed for so long."""
        body = entry.original + _tuple(_REPLY, entry.protocol, entry.remote, entry.inside)
        body += number(_STATUS, _SEEN_REPLY | _ASSURED | _CONFIRMED) + number(_TIMEOUT, round(lasts_s))
        if entry.protocol == _TCP_NUMBER:
            flags = bytes([_LIBERAL, _LIBERAL])
            state = attribute(_TCP_STATE, bytes([_ESTABLISHED]))
            state += attribute(_TCP_FLAGS_ORIGINAL, flags) + attribute(_TCP_FLAGS_REPLY, flags)
            body += nested(_PROTOCOL, nested(_TCP, state))
        address, port = entry.outside[0].to_bytes(4, "big"), struct.pack("!H", entry.outside[1])
        ports = nested(_NAT_PORTS, attribute(_NAT_FIRST, port), attribute(_NAT_LAST, port))
        body += nested(_SOURCE_NAT, attribute(_NAT_FIRST, address), attribute(_NAT_LAST, address), ports)
        self._ask(_NEW, nfnetlink.CREATE | nfnetlink.EXCL, body)

    def delete(self, entry: Entry) -> None:
        """Have the kernel carry a connection no more."""
        self._ask(_DELETE, 0, entry.original)

    def is_there(self, entry: Entry) -> bool:
        """Whether the kernel still has an entry."""
        try:
            self._ask(_GET, 0, entry.original)
        except FileNotFoundError:
            return False
        return True

    def _ask(self, kind: int, flags: int, body: bytes) -> None:
        self._sequence += 1
        flags |= nfnetlink.REQUEST | nfnetlink.ACK
        self._socket.send(nfnetlink.message(_CONNTRACK | kind, flags, self._sequence, socket.AF_INET, 0, body))
        is_over = False
        while not is_over:
            is_over = nfnetlink.check(self._socket.recv(_ANSWER))


def _tuple(kind: int, protocol: int, source: Endpoint, destination: Endpoint) -> bytes:
    addresses = (end[0].to_bytes(4, "big") for end in (source, destination))
    ports = (struct.pack("!H", end[1]) for end in (source, destination))
    return nested(
        kind,
        nested(_IP, *(attribute(place, address) for place, address in enumerate(addresses, 1))),
        nested(
            _PORTS,
            attribute(1, bytes([protocol])),
            *(attribute(place, port) for place, port in enumerate(ports, 2)),
        ),
    )
