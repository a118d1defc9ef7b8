# SPDX-License-Identifier: GPL-2.0-or-later
"""What a receiver does with a frame before anybody looks at its payload.

An Ethernet card takes what is for its address and for no other VLAN; a host drops a packet whose header is none, or has
a wrong checksum (RFC 1122 3.2.1.2), and puts fragments together (3.3.2). What no peer would hear is not heard here.
"""

import struct
from collections import OrderedDict

from scapy.utils import checksum

from testbed.wire.headers import ETHERNET_HEADER, IPV4_HEADER, with_length

_TAG = b"\x81\x00"
_VLAN_VALID = 1 << 4
_VLAN_NUMBER = 0x0FFF
_GROUP = 1
_IPV4 = b"\x08\x00"
_VERSION = 4
_MORE, _OFFSET = 0x2000, 0x1FFF
_MOST_UNFINISHED = 64
_MOST_PARTS = 1_500
_LONGEST_PACKET = 0xFFFF


def with_tag(frame: bytes, auxiliary: bytes) -> bytes:
    """The frame as it was on the wire: its VLAN tag comes beside it (packet(7), PACKET_AUXDATA)."""
    status = struct.unpack_from("=I", auxiliary)[0]
    if not status & _VLAN_VALID:
        return frame
    (tag,) = struct.unpack_from("=H", auxiliary, 16)
    return frame[:12] + _TAG + struct.pack("!H", tag) + frame[12:]


def without_tag(frame: bytes) -> tuple[bytes, int]:
    """The frame without its VLAN tag, and the number of the VLAN; 0 is none, as of a tag that tells a priority only."""
    if frame[12:14] != _TAG:
        return frame, 0
    return frame[:12] + frame[16:], int.from_bytes(frame[14:16], "big") & _VLAN_NUMBER


def why_dropped(frame: bytes, vlan: int, mac: bytes) -> str:
    """Why a receiver with this Ethernet address drops an untagged frame, or nothing."""
    if frame[:6] != mac and not frame[0] & _GROUP:
        return f"dropped: for the Ethernet address {frame[:6].hex(':')}, not for {mac.hex(':')}"
    if vlan:
        return f"dropped: tagged for VLAN {vlan}"
    return _why_no_packet(frame) if frame[12:14] == _IPV4 else ""


def _why_no_packet(frame: bytes) -> str:
    """Why a host makes nothing of an IPv4 packet (RFC 1122 3.2.1.1, 3.2.1.2), or nothing."""
    room = len(frame) - ETHERNET_HEADER
    if room < IPV4_HEADER:
        return f"dropped: {room} bytes are no IPv4 header"
    version, size = frame[ETHERNET_HEADER] >> 4, (frame[ETHERNET_HEADER] & 15) * 4
    length = int.from_bytes(frame[16:18], "big")
    if version != _VERSION:
        return f"dropped: IPv4 with version {version}"
    if not IPV4_HEADER <= size <= length:
        return f"dropped: an IPv4 header of {size} bytes in a packet of {length}"
    if length > room:
        return f"dropped: an IPv4 packet that is to have {length} bytes, of which {room} are there"
    if checksum(_header(frame)):
        return "dropped: wrong checksum of the IPv4 header"
    return ""


def is_fragment(frame: bytes) -> bool:
    """Whether a frame holds a part of an IPv4 packet."""
    return frame[12:14] == _IPV4 and len(frame) >= 34 and bool(_place(frame) & (_MORE | _OFFSET))


def is_same(sent: bytes, captured: bytes) -> bool:
    """Whether a captured frame is the one that was sent.

    On a virtual wire both ends have the bytes in one place. A kernel at the far end that forwards a fragment writes the
    new headers over the old ones, and a capture that is read later shows that: what follows them stays.
    """
    if sent == captured:
        return True
    if len(sent) != len(captured) or not is_fragment(sent):
        return False
    start = ETHERNET_HEADER + len(_header(sent))
    return sent[start:] == captured[start:]


class Reassembly:
    """Puts fragments of IPv4 packets together, in whatever order they come; the oldest unfinished ones are given up."""

    def __init__(self) -> None:
        self._parts: OrderedDict[bytes, dict[int, bytes]] = OrderedDict()

    def add(self, frame: bytes) -> bytes | None:
        """Take a fragment in; the frame of the whole packet, as if it had come in one piece, when it is the last."""
        key = frame[18:20] + frame[23:24] + frame[26:34]
        parts = self._parts.setdefault(key, {})
        parts[(_place(frame) & _OFFSET) * 8] = frame
        if len(self._parts) > _MOST_UNFINISHED:
            self._parts.popitem(last=False)
        whole = _join(parts)
        if whole is not None or len(parts) > _MOST_PARTS:
            self._parts.pop(key, None)
        return whole


def _join(parts: dict[int, bytes]) -> bytes | None:
    if 0 not in parts or _place(parts[max(parts)]) & _MORE:
        return None
    payload = bytearray()
    for place in sorted(parts):
        if place > len(payload):
            return None
        payload[place:] = _payload(parts[place])
    header = _header(parts[0])
    if len(header) + len(payload) > _LONGEST_PACKET:
        return None
    return with_length(parts[0][: ETHERNET_HEADER + len(header)], bytes(payload))


def _place(frame: bytes) -> int:
    return int.from_bytes(frame[20:22], "big")


def _header(frame: bytes) -> bytes:
    return frame[ETHERNET_HEADER:][: max(IPV4_HEADER, (frame[ETHERNET_HEADER] & 15) * 4)]


def _payload(frame: bytes) -> bytes:
    return frame[ETHERNET_HEADER + len(_header(frame)) : ETHERNET_HEADER + int.from_bytes(frame[16:18], "big")]
