# SPDX-License-Identifier: GPL-2.0-or-later
"""MSOCKS (Maltz and Bhagwat) in the default encoding of this suite, as the lecture gives none.

SOCKS5 (RFC 1928) without change up to the CONNECT reply, whose BND.ADDR and BND.PORT are the connection identifier.
RECONNECT is command 0x80 to that identifier, and either side then states how much it has received and sent::

    >>> MSOCKSReconnect(address="198.18.0.1", port=40000, received=1460, sent=120)
"""

from typing import Any

from scapy.fields import FieldListField
from scapy.packet import Packet

from layers.fields import CountField, UIntField
from layers.msocks.fields import ADDRESS_LENGTHS, DOMAIN, AddressTypeField, SocksAddressField
from layers.packet import TolerantPacket

VERSION = 5
RECONNECT = 0x80

_commands = {1: "connect", 2: "bind", 3: "udp-associate", RECONNECT: "reconnect"}
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

    after_port = 0

    @classmethod
    def needs(cls, data: bytes) -> int:
        kind = data[3] if len(data) > 3 else 0
        address = 1 + data[4] if kind == DOMAIN and len(data) > 4 else ADDRESS_LENGTHS.get(kind, kind == DOMAIN)
        return 4 + address + 2 + cls.after_port


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
    after_port = 16
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
    after_port = 16
    fields_desc = [*Socks5Reply.fields_desc, UIntField("received", 0, 64), UIntField("sent", 0, 64)]

    def answers(self, other: Packet) -> int:
        return int(isinstance(other, MSOCKSReconnect))

    def mysummary(self) -> Any:
        reply = _replies.get(self.reply, self.reply)
        return f"MSOCKS reconnect reply {reply} received {self.received} sent {self.sent}"
