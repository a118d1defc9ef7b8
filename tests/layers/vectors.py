# SPDX-License-Identifier: GPL-2.0-or-later
"""Every message with its fields and its bytes, written out from the specifications."""

from typing import Any, NamedTuple

from scapy.packet import Packet

from layers.ipff import (
    IPFF,
    ICMPv5,
    ICMPv5DestinationUnreachable,
    ICMPv5EchoReply,
    ICMPv5EchoRequest,
    ICMPv5HopsExceeded,
    ICMPv5PacketTooBig,
    ICMPv5ParameterProblem,
    ICMPv5Redirect,
)
from layers.migrate import MigrateOption, MigratePermittedOption
from layers.mops import MOPSAnycastAck, MOPSMigrate, MOPSNATAck
from layers.msocks import (
    MSOCKSReconnect,
    MSOCKSReconnectReply,
    Socks5Greeting,
    Socks5Reply,
    Socks5Request,
    Socks5Selection,
)
from layers.rehash import RehashOption
from layers.sacip import SACIP
from layers.tcp_options import MobileCapableOption, TimestampOption


class Vector(NamedTuple):
    cls: type[Packet]
    given: dict[str, Any]
    wire: str
    computed: dict[str, Any] = {}

    @property
    def data(self) -> bytes:
        return bytes.fromhex(self.wire)


VECTORS = [
    Vector(
        IPFF,
        {
            "traffic_class": 0x2E,
            "flow_label": 0xABCDE,
            "hop_limit": 63,
            "protocol": 6,
            "src": "525.8.78.3.9",
            "dst": "8.8.8.8.8",
        },
        # 6 << 50 | 525 << 40 | 8 << 30 | 78 << 20 | 3 << 10 | 9
        "52eabcde 0000 3f 00 001a0d0204e00c09 0000080200802008",
        {"version": 5, "payload_length": 0, "reserved": 0, "reserved2": 0},
    ),
    Vector(ICMPv5, {"type": 0xABCD}, "abcd 5432", {"checksum": 0x5432}),
    Vector(ICMPv5DestinationUnreachable, {}, "0001 fffe", {"type": 1, "checksum": 0xFFFE}),
    Vector(ICMPv5PacketTooBig, {}, "0002 fffd", {"type": 2, "checksum": 0xFFFD}),
    Vector(ICMPv5HopsExceeded, {}, "0003 fffc", {"type": 3, "checksum": 0xFFFC}),
    Vector(ICMPv5ParameterProblem, {}, "0004 fffb", {"type": 4, "checksum": 0xFFFB}),
    Vector(ICMPv5Redirect, {}, "0005 fffa", {"type": 5, "checksum": 0xFFFA}),
    Vector(ICMPv5EchoRequest, {}, "0080 ff7f", {"type": 128, "checksum": 0xFF7F}),
    Vector(ICMPv5EchoReply, {}, "0081 ff7e", {"type": 129, "checksum": 0xFF7E}),
    Vector(
        MOPSMigrate,
        {
            "code": 1,
            "protocol": 6,
            "previous_source": "525.8.78.3.9",
            "migrated_source": "775.2.23.6.6",
            "entries": [(1027, 2098, 0x12345678), (1028, 2099, 0x9ABCDEF0)],
        },
        "0064 454e 01 01 0000 001a0d0204e00c09 000b070081701806 0403 0832 12345678 0404 0833 9abcdef0",
        {"type": 100, "checksum": 0x454E, "version": 1, "reserved": 0, "count": 2},
    ),
    Vector(
        MOPSAnycastAck,
        {
            "protocol": 6,
            "anycast_destination": "8.8.8.8.8",
            "unicast_destination": "8.8.8.8.9",
            "source_port": 1027,
            "destination_port": 80,
        },
        "0065 a91a 01 00 0000 0018080200802008 0000080200802009 0403 0050",
        {"type": 101, "checksum": 0xA91A, "version": 1, "code": 0, "reserved": 0, "reserved2": 0},
    ),
    Vector(
        MOPSNATAck,
        {
            "nat_level": 2,
            "protocol": 6,
            "original_source": "10.0.0.0.1",
            "translated_source": "525.8.78.2.2",
            "entries": [(5050, 6050)],
        },
        "0066 ad3a 01 00 02 00 00180a0000000001 00060d0204e00802 13ba 17a2",
        {"type": 102, "checksum": 0xAD3A, "version": 1, "code": 0, "reserved": 0, "count": 1},
    ),
    Vector(MobileCapableOption, {}, "fe 04 4d4f", {"kind": 254, "length": 4, "exid": 0x4D4F}),
    Vector(TimestampOption, {"tsval": 1, "tsecr": 2}, "08 0a 00000001 00000002", {"kind": 8, "length": 10}),
    Vector(
        RehashOption,
        {"control": 0x0010, "nonce": 0x0BADCAFE, "old": "192.0.2.1", "new": "198.51.100.7"},
        "fd 10 0010 0badcafe c0000201 c6336407",
        {"kind": 253, "length": 16},
    ),
    Vector(MigratePermittedOption, {}, "0f 03 00", {"kind": 15, "length": 3, "curve": 0, "key": b""}),
    Vector(
        MigratePermittedOption,
        {"curve": 1, "key": bytes(range(1, 18))},
        "0f 14 01 0102030405060708090a0b0c0d0e0f1011",
        {"kind": 15, "length": 20},
    ),
    Vector(
        MigrateOption,
        {"reqno": 7, "token": bytes(range(8)), "request": bytes(range(8, 16))},
        "10 13 07 0001020304050607 08090a0b0c0d0e0f",
        {"kind": 16, "length": 19},
    ),
    Vector(Socks5Greeting, {"methods": [0, 2]}, "05 02 00 02", {"version": 5, "nmethods": 2}),
    Vector(Socks5Selection, {"method": 0xFF}, "05 ff", {"version": 5}),
    Vector(
        Socks5Request,
        {"address": "server.example", "port": 80},
        "05 01 00 03 0e 7365727665722e6578616d706c65 0050",
        {"version": 5, "cmd": 1, "reserved": 0, "address_type": 3},
    ),
    Vector(
        Socks5Reply,
        {"reply": 1, "bound_address": "2001:db8::1", "bound_port": 65535},
        "05 01 00 04 20010db8000000000000000000000001 ffff",
        {"version": 5, "reserved": 0, "address_type": 4},
    ),
    Vector(
        MSOCKSReconnect,
        {"address": "198.18.0.1", "port": 40000, "received": 1460, "sent": 1 << 33},
        "05 80 00 01 c6120001 9c40 00000000000005b4 0000000200000000",
        {"version": 5, "cmd": 0x80, "reserved": 0, "address_type": 1},
    ),
    Vector(
        MSOCKSReconnectReply,
        {"bound_address": "198.18.0.1", "bound_port": 40000, "received": 1, "sent": 2},
        "05 00 00 01 c6120001 9c40 0000000000000001 0000000000000002",
        {"version": 5, "reply": 0, "reserved": 0, "address_type": 1},
    ),
    Vector(SACIP, {"new_address": "192.168.1.2"}, "14 00 413e 0201a8c0", {"type": 20, "code": 0, "checksum": 0x413E}),
]
