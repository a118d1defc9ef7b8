# SPDX-License-Identifier: GPL-2.0-or-later
"""Fragments of IPv4 packets, put together again (RFC 791, 3.2): the transport above sees whole packets alone."""

import struct

from reference.bump.checksum import checksum

MORE, OFFSET = 0x2000, 0x1FFF
_LENGTH_AT, _FRAGMENT_AT, _CHECKSUM_AT = 2, 6, 10
_MOST_PACKETS = 64
_LONGEST = 1500
"""Of a packet put together: the kernel behind the bump takes no longer one."""


class _Incomplete:
    """A packet of which something is missing: the header of its first fragment, and payloads by their offsets."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.header = b""
        self.payloads: dict[int, bytes] = {}
        self.length = 0  # 0: not known yet

    def add(self, header: bytes, payload: bytes, start: int, is_last: bool) -> bool:
        """Take a fragment; whether it fits those that have come."""
        end = start + len(payload)
        if end > self._longest or any(start < at + len(one) and at < end for at, one in self.payloads.items()):
            return False
        self.payloads[start] = payload
        self.header = header if start == 0 else self.header
        self.length = end if is_last else self.length
        return True

    def whole(self) -> bytes | None:
        """The packet when nothing is missing any more."""
        payload = b"".join(self.payloads[at] for at in sorted(self.payloads))
        if not self.header or not self.length or len(payload) != self.length:
            return None
        header = bytearray(self.header)
        struct.pack_into("!H", header, _LENGTH_AT, len(header) + len(payload))
        struct.pack_into("!H", header, _FRAGMENT_AT, 0)
        struct.pack_into("!H", header, _CHECKSUM_AT, 0)
        struct.pack_into("!H", header, _CHECKSUM_AT, checksum(bytes(header)))
        return bytes(header) + payload


class Fragments:
    """Packets of which fragments have come. Of too many the one that has waited longest is forgotten."""

    def __init__(self, most: int = _MOST_PACKETS, longest: int = _LONGEST) -> None:
        self._most, self._longest = most, longest
        self._incomplete: dict[bytes, _Incomplete] = {}

    def add(self, header: bytes, payload: bytes) -> bytes | None:
        """Take a fragment; the packet, with the header of the first one, when nothing is missing any more."""
        (word,) = struct.unpack_from("!H", header, _FRAGMENT_AT)
        key = header[4:6] + header[9:10] + header[12:20]  # identification, protocol, addresses
        packet = self._incomplete.pop(key, None) or _Incomplete(self._longest)
        if not packet.add(header, payload, (word & OFFSET) << 3, not word & MORE):
            return None
        whole = packet.whole()
        if whole is None:
            self._incomplete[key] = packet
            if len(self._incomplete) > self._most:
                del self._incomplete[next(iter(self._incomplete))]
        return whole
