# SPDX-License-Identifier: GPL-2.0-or-later
"""MSOCKS (Maltz and Bhagwat) in the default encoding of this suite, as the lecture gives none.

SOCKS5 (RFC 1928) without change up to the CONNECT reply, whose BND.ADDR and BND.PORT are the connection identifier.
RECONNECT is command 0x80 to that identifier, and either side then states how much it has received and sent::

    >>> MSOCKSReconnect(address="198.18.0.1", port=40000, received=1460, sent=120)
"""

import ipaddress
from typing import Any

from scapy.config import conf
from scapy.fields import Field, FieldListField, RawVal
from scapy.layers.inet import TCP
from scapy.packet import Packet, bind_bottom_up, split_bottom_up
from scapy.volatile import RandIP, VolatileValue

from layers.fields import CountField, TolerantPacket, UIntField

DEFAULT_PORT = 1080
VERSION = 5
RECONNECT = 0x80
IPV4, DOMAIN, IPV6 = 1, 3, 4

_commands = {1: "connect", 2: "bind", 3: "udp-associate", RECONNECT: "reconnect"}
_address_types = {IPV4: "ipv4", DOMAIN: "domain", IPV6: "ipv6"}
_replies = {
    0: "succeeded",
    1: "general-failure",
    2: "not-allowed",
    3: "network-unreachable",
    4: "host-unreachable",
    5: "connection-refused",
    6: "ttl-expired",
    7: "command-not-supported",
    8: "address-type-not-supported",
}
_address_lengths = {IPV4: 4, IPV6: 16}


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
        length = _address_lengths.get(kind, 0)
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
        if len(address.packed) != _address_lengths[kind]:
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


class Socks5Greeting(TolerantPacket):
    """The client's first message (RFC 1928, section 3)::

    +-----+----------+----------+
    | VER | NMETHODS | METHODS  |
    +-----+----------+----------+
    |  1  |    1     | 1 to 255 |
    +-----+----------+----------+
    """

    name = "SOCKS5 greeting"
    fields_desc = [
        UIntField("version", VERSION, 8),
        CountField("nmethods", 8, "methods"),
        FieldListField(
            "methods", [0], UIntField("method", 0, 8), count_from=lambda greeting: greeting.nmethods, max_count=255
        ),
    ]

    @classmethod
    def needs(cls, data: bytes) -> int:
        return 2 + data[1] if len(data) > 1 else 2

    def mysummary(self) -> Any:
        return f"SOCKS5 greeting methods {self.methods}"


class Socks5Selection(TolerantPacket):
    """The server's choice of method (RFC 1928, section 3), 0xff when none is acceptable::

    +-----+--------+
    | VER | METHOD |
    +-----+--------+
    |  1  |   1    |
    +-----+--------+
    """

    name = "SOCKS5 selection"
    fields_desc = [
        UIntField("version", VERSION, 8),
        UIntField("method", 0, 8),
    ]

    def answers(self, other: Packet) -> int:
        return int(isinstance(other, Socks5Greeting) and self.method in (*other.methods, 0xFF))

    def mysummary(self) -> Any:
        return f"SOCKS5 selection method {self.method}"


class _Socks5Addressed(TolerantPacket):
    """Base of the messages with an address in the middle."""

    behind_port = 0

    @classmethod
    def needs(cls, data: bytes) -> int:
        kind = data[3] if len(data) > 3 else 0
        address = 1 + data[4] if kind == DOMAIN and len(data) > 4 else _address_lengths.get(kind, kind == DOMAIN)
        return 4 + address + 2 + cls.behind_port


class Socks5Request(_Socks5Addressed):
    """A request of the client (RFC 1928, section 4)::

    +-----+-----+-------+------+----------+----------+
    | VER | CMD |  RSV  | ATYP | DST.ADDR | DST.PORT |
    +-----+-----+-------+------+----------+----------+
    |  1  |  1  | X'00' |  1   | Variable |    2     |
    +-----+-----+-------+------+----------+----------+
    """

    name = "SOCKS5 request"
    fields_desc = [
        UIntField("version", VERSION, 8),
        UIntField("cmd", 1, 8, _commands),
        UIntField("reserved", 0, 8),
        AddressTypeField("address_type", "address"),
        SocksAddressField("address", "address_type"),
        UIntField("port", 0, 16),
    ]

    def mysummary(self) -> Any:
        command = _commands.get(self.cmd, self.cmd)
        return f"SOCKS5 {command} {self.address!r} port {self.port}"


class Socks5Reply(_Socks5Addressed):
    """The reply of the proxy (RFC 1928, section 6); to CONNECT, BND.ADDR and BND.PORT identify the connection::

    +-----+-----+-------+------+----------+----------+
    | VER | REP |  RSV  | ATYP | BND.ADDR | BND.PORT |
    +-----+-----+-------+------+----------+----------+
    |  1  |  1  | X'00' |  1   | Variable |    2     |
    +-----+-----+-------+------+----------+----------+
    """

    name = "SOCKS5 reply"
    fields_desc = [
        UIntField("version", VERSION, 8),
        UIntField("reply", 0, 8, _replies),
        UIntField("reserved", 0, 8),
        AddressTypeField("address_type", "bound_address"),
        SocksAddressField("bound_address", "address_type"),
        UIntField("bound_port", 0, 16),
    ]

    def answers(self, other: Packet) -> int:
        refused = self.reply != 0
        return int(isinstance(other, Socks5Request) or (refused and isinstance(other, MSOCKSReconnect)))

    def mysummary(self) -> Any:
        reply = _replies.get(self.reply, self.reply)
        return f"SOCKS5 reply {reply} {self.bound_address!r} port {self.bound_port}"


class MSOCKSReconnect(_Socks5Addressed):
    """RECONNECT of a mobile node that has moved; address and port are the connection identifier::

        +-----+------+-------+------+----------+----------+----------+------+
        | VER | CMD  |  RSV  | ATYP | DST.ADDR | DST.PORT | RECEIVED | SENT |
        +-----+------+-------+------+----------+----------+----------+------+
        |  1  | X'80'| X'00' |  1   | Variable |    2     |    8     |  8   |
        +-----+------+-------+------+----------+----------+----------+------+

    RECEIVED and SENT count the bytes of the session that the mobile node has received and sent so far.
    """

    name = "MSOCKS reconnect"
    behind_port = 16
    fields_desc = [
        UIntField("version", VERSION, 8),
        UIntField("cmd", RECONNECT, 8, _commands),
        UIntField("reserved", 0, 8),
        AddressTypeField("address_type", "address"),
        SocksAddressField("address", "address_type"),
        UIntField("port", 0, 16),
        UIntField("received", 0, 64),
        UIntField("sent", 0, 64),
    ]

    def mysummary(self) -> Any:
        return f"MSOCKS reconnect {self.address!r} port {self.port} received {self.received} sent {self.sent}"


class MSOCKSReconnectReply(_Socks5Addressed):
    """The reply to an accepted RECONNECT, with the proxy's own counters; a refusal is a Socks5Reply::

    +-----+-----+-------+------+----------+----------+----------+------+
    | VER | REP |  RSV  | ATYP | BND.ADDR | BND.PORT | RECEIVED | SENT |
    +-----+-----+-------+------+----------+----------+----------+------+
    |  1  |  1  | X'00' |  1   | Variable |    2     |    8     |  8   |
    +-----+-----+-------+------+----------+----------+----------+------+
    """

    name = "MSOCKS reconnect reply"
    behind_port = 16
    fields_desc = [*Socks5Reply.fields_desc, UIntField("received", 0, 64), UIntField("sent", 0, 64)]

    def answers(self, other: Packet) -> int:
        return int(isinstance(other, MSOCKSReconnect))

    def mysummary(self) -> Any:
        reply = _replies.get(self.reply, self.reply)
        return f"MSOCKS reconnect reply {reply} received {self.received} sent {self.sent}"


def message_from_client(data: bytes) -> Any:
    """The class of the message that the data of a segment to the proxy looks like, Raw if none."""
    if data[:1] != bytes([VERSION]):
        return conf.raw_layer
    if data[1:2] == bytes([RECONNECT]) and len(data) >= MSOCKSReconnect.needs(data):
        return MSOCKSReconnect
    if len(data) == Socks5Greeting.needs(data):
        return Socks5Greeting
    return Socks5Request.unless_short(data)


def message_from_proxy(data: bytes) -> Any:
    """The class of the message that the data of a segment from the proxy looks like, Raw if none."""
    if data[:1] != bytes([VERSION]):
        return conf.raw_layer
    if len(data) == Socks5Selection.minimum:
        return Socks5Selection
    if len(data) == MSOCKSReconnectReply.needs(data):
        return MSOCKSReconnectReply
    return Socks5Reply.unless_short(data)


class _FromClient(Packet):  # type: ignore[misc]
    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *_: Any, **__: Any) -> Any:
        return message_from_client(_pkt)


class _FromProxy(Packet):  # type: ignore[misc]
    @classmethod
    def dispatch_hook(cls, _pkt: bytes = b"", *_: Any, **__: Any) -> Any:
        return message_from_proxy(_pkt)


def bind_port(number: int) -> None:
    """Dissect the data of this TCP port, and no other, as MSOCKS where it looks like it.

    Not done on import: what follows on the same connection is the application's own data.
    """
    split_bottom_up(TCP, _FromClient)
    split_bottom_up(TCP, _FromProxy)
    bind_bottom_up(TCP, _FromClient, dport=number)
    bind_bottom_up(TCP, _FromProxy, sport=number)
