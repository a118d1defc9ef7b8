# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that a rule of netfilter hands over (`log group N`), whole, over nfnetlink (`nfnetlink_log.h`)."""

import socket
import struct
from collections.abc import Iterator

from reference.system import nfnetlink
from reference.system.nfnetlink import HEADER, attribute, number

_LOG = 4 << 8
_PACKET, _CONFIGURE = 0, 1
_COMMAND, _MODE, _BUFFER, _THRESHOLD = 1, 2, 3, 5
_BIND, _COPY_PACKET, _WHOLE = 1, 2, 0xFFFF
_IN_INTERFACE, _PAYLOAD = 4, 9
_GENERAL = 4
_ROOM = 1 << 17
_BUFFER_BYTES = 8 << 20


class PacketLog:
    """The packets of one group, in the order in which the kernel has had them. OSError where it refuses."""

    def __init__(self, group: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, nfnetlink.NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        mode = attribute(_MODE, struct.pack("!IBx", _WHOLE, _COPY_PACKET))
        for body in (attribute(_COMMAND, bytes([_BIND])), mode + number(_BUFFER, _ROOM) + number(_THRESHOLD, 1)):
            flags = nfnetlink.REQUEST | nfnetlink.ACK
            self._socket.send(nfnetlink.message(_LOG | _CONFIGURE, flags, 1, socket.AF_UNSPEC, group, body))
            nfnetlink.check(self._socket.recv(_ROOM))
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def packets(self) -> Iterator[tuple[int, bytes]]:
        """What has come, until there is no more: the index of the interface, and the packet.

        OSError where the kernel has had no room for some.
        """
        while True:
            try:
                data = self._socket.recv(_ROOM)
            except BlockingIOError:
                return
            yield from _read(data)


def _read(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, *_ = HEADER.unpack_from(data, at)
        if kind == _LOG | _PACKET:
            found = dict(_attributes(data, at + HEADER.size + _GENERAL, at + length))
            yield int.from_bytes(found.get(_IN_INTERFACE, b""), "big"), found.get(_PAYLOAD, b"")
        at += length + (-length % 4)


def _attributes(data: bytes, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= end:
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            return
        yield kind & 0x3FFF, data[at + 4 : at + length]
        at += length + (-length % 4)
