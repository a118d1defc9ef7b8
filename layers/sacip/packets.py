# SPDX-License-Identifier: GPL-2.0-or-later
"""Session Aware Change of IP (SACIP): the notification, ICMPv4 type 20.

The frames captured in the specification hold the new address with its bytes reversed. Another implementation may send
it in network order; ``byte_order`` says how the four bytes are read and written::

    >>> IP(src="192.168.1.22", dst="192.168.1.101") / SACIP(new_address="192.168.1.2")
    >>> packet[SACIP].byte_order = "network"  # the same bytes, read the other way
"""

from typing import Any

from scapy.fields import Field
from scapy.layers.inet import ICMP, IP
from scapy.packet import bind_top_down
from scapy.volatile import RandChoice, VolatileValue

from layers.fields import HexField, IPv4AddressField, UIntField
from layers.packet import ChecksummedPacket

SACIP_TYPE = 20
CAPTURED = "captured"
NETWORK = "network"


class ByteOrderField(Field):  # type: ignore[misc]
    """How to read another field; takes no room on the wire."""

    def any2i(self, pkt: Any, x: Any) -> Any:
        if x not in (CAPTURED, NETWORK) and not isinstance(x, VolatileValue):
            raise ValueError(f"field {self.name}: {x!r} is neither {CAPTURED!r} nor {NETWORK!r}")
        return x

    def i2len(self, pkt: Any, x: Any) -> int:
        return 0

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        return s

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, str]:
        return s, CAPTURED

    def randval(self) -> RandChoice:
        return RandChoice(CAPTURED, NETWORK)


class OrderedAddressField(IPv4AddressField):
    """An IPv4 address in the byte order that the packet states; kept as the number on the wire."""

    def any2i(self, pkt: Any, x: Any) -> Any:
        value = super().any2i(pkt, x)
        return self._ordered(pkt, value) if isinstance(x, str) else value

    def i2h(self, pkt: Any, x: Any) -> Any:
        return super().i2h(pkt, self._ordered(pkt, x))

    def _ordered(self, pkt: Any, x: Any) -> Any:
        captured = pkt is None or pkt.byte_order == CAPTURED
        return int.from_bytes(x.to_bytes(4), "little") if captured and isinstance(x, int) else x


class SACIP(ChecksummedPacket):
    """SACIP notification; its source is still the old address of the session::

         0                   1                   2                   3
         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |   Type = 20   |   Code = 0    |           Checksum            |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |              New address, last byte of it first               |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

    The Checksum is that of RFC 792, computed when left None. A dotted address is put in order; a number is taken to be
    the one on the wire.
    """

    name = "SACIP"
    fields_desc = [
        UIntField("type", SACIP_TYPE, 8),
        UIntField("code", 0, 8),
        HexField("checksum", None, 16),
        ByteOrderField("byte_order", CAPTURED),
        OrderedAddressField("new_address"),
    ]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *_: Any, _underlayer: Any = None, **__: Any) -> Any:
        if _underlayer is not None and _pkt[:1] != bytes([SACIP_TYPE]):
            return ICMP
        return cls.unless_short(_pkt)

    def mysummary(self) -> Any:
        return self.sprintf("SACIP new address %SACIP.new_address%"), [IP]


bind_top_down(IP, SACIP, frag=0, proto=1)
# Ahead of Scapy's ICMP, to which every other type of ICMPv4 still goes.
IP.payload_guess = [({"frag": 0, "proto": 1}, SACIP), *IP.payload_guess]
