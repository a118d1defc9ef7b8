# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses as SOCKS5 writes them: a type, then four or sixteen bytes or a domain name (RFC 1928, section 5)."""

import ipaddress
from typing import Any

from scapy.fields import Field, RawVal
from scapy.volatile import RandIP, VolatileValue

from layers.fields import UIntField

IPV4, DOMAIN, IPV6 = 1, 3, 4
ADDRESS_LENGTHS = {IPV4: 4, IPV6: 16}

_address_types = {IPV4: "ipv4", DOMAIN: "domain", IPV6: "ipv6"}


def address_type(text: str) -> int:
    """The ATYP that an address needs."""
    try:
        return {4: IPV4, 6: IPV6}[ipaddress.ip_address(text).version]
    except ValueError:
        return DOMAIN


class SocksAddressField(Field):  # type: ignore[misc]
    """An IPv4 or IPv6 address or a domain name, as text; the field ``kind`` says which of them is on the wire."""

    __slots__ = ["kind"]

    def __init__(self, name: str, kind: str) -> None:
        self.kind = kind
        super().__init__(name, "0.0.0.0", "4s")

    def any2i(self, pkt: Any, x: Any) -> Any:
        if isinstance(x, list | RawVal | VolatileValue):
            return x
        text = str(x)
        self._encode(text, address_type(text))
        return text

    def i2len(self, pkt: Any, x: Any) -> int:
        return 0

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        kind = pkt.getfieldval(self.kind)
        if kind is None or (kind not in _address_types and val):
            kind = address_type(val)
        return s + self._encode(val, kind) if kind in _address_types else s

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, str]:
        kind = pkt.getfieldval(self.kind)
        if kind == DOMAIN:
            end = 1 + s[0]
            return s[end:], s[1:end].decode("latin-1")
        length = ADDRESS_LENGTHS.get(kind, 0)
        return s[length:], str(ipaddress.ip_address(s[:length])) if length else ""

    def randval(self) -> RandIP:
        return RandIP()

    def _encode(self, text: str, kind: int) -> bytes:
        try:
            if kind == DOMAIN:
                name = text.encode("latin-1")
                return bytes([len(name)]) + name
            address = ipaddress.ip_address(text)
        except ValueError as error:
            raise ValueError(f"field {self.name}: {text!r} is no {_address_types[kind]} address ({error})") from None
        if len(address.packed) != ADDRESS_LENGTHS[kind]:
            raise ValueError(f"field {self.name}: {text!r} is no {_address_types[kind]} address")
        return address.packed


class AddressTypeField(UIntField):
    """ATYP, taken from the address when left None."""

    __slots__ = ["address"]

    def __init__(self, name: str, address: str) -> None:
        self.address = address
        super().__init__(name, None, 8, _address_types)

    def i2m(self, pkt: Any, x: Any) -> int:
        if x is None:
            address = pkt.getfieldval(self.address)
            x = IPV4 if isinstance(address, RawVal) else address_type(address)
        return super().i2m(pkt, x)
