# SPDX-License-Identifier: GPL-2.0-or-later
"""The MSOCKS messages with their fields and their bytes, written out from RFC 1928 and the suite's own encoding."""

from hypothesis import strategies as st

from layers.msocks import (
    MSOCKSReconnect,
    MSOCKSReconnectReply,
    Socks5Greeting,
    Socks5Reply,
    Socks5Request,
    Socks5Selection,
    SocksAddressField,
)
from tests.layers.vector import Vector, Vectors

VECTORS = Vectors(
    vectors=[
        Vector(
            Socks5Greeting,
            {"methods": [0, 2]},
            "05 02 00 02",
            {"version": 5, "nmethods": 2},
            shaping=("nmethods",),
        ),
        Vector(Socks5Selection, {"method": 0xFF}, "05 ff", {"version": 5}),
        Vector(
            Socks5Request,
            {"address": "server.example", "port": 80},
            "05 01 00 03 0e 7365727665722e6578616d706c65 0050",
            {"version": 5, "cmd": 1, "reserved": 0, "address_type": 3},
            shaping=("address_type",),
        ),
        Vector(
            Socks5Reply,
            {"reply": 1, "bound_address": "2001:db8::1", "bound_port": 65535},
            "05 01 00 04 20010db8000000000000000000000001 ffff",
            {"version": 5, "reserved": 0, "address_type": 4},
            shaping=("address_type",),
        ),
        Vector(
            MSOCKSReconnect,
            {"address": "198.18.0.1", "port": 40000, "received": 1460, "sent": 1 << 33},
            "05 80 00 01 c6120001 9c40 00000000000005b4 0000000200000000",
            {"version": 5, "cmd": 0x80, "reserved": 0, "address_type": 1},
            shaping=("address_type",),
        ),
        Vector(
            MSOCKSReconnectReply,
            {"bound_address": "198.18.0.1", "bound_port": 40000, "received": 1, "sent": 2},
            "05 00 00 01 c6120001 9c40 0000000000000001 0000000000000002",
            {"version": 5, "reply": 0, "reserved": 0, "address_type": 1},
            shaping=("address_type",),
        ),
    ],
    refused=[
        (lambda: Socks5Greeting(methods=[256]), "field method: 256 is outside 0..255"),
        (lambda: bytes(Socks5Greeting(methods=[0] * 256)), "field nmethods: 256 is outside 0..255"),
        (lambda: Socks5Request(address="x" * 256), "field address: .* is no domain address"),
        (lambda: bytes(Socks5Request(address_type=4, address="198.18.0.1")), "field address: .* is no ipv6 address"),
    ],
    filters={
        Socks5Greeting: "msocks.greeting",
        Socks5Selection: "msocks.selection",
        Socks5Request: "msocks.request",
        Socks5Reply: "msocks.reply",
        MSOCKSReconnect: "msocks.reconnect",
        MSOCKSReconnectReply: "msocks.reconnect_reply",
    },
    lines=[("msocks-reconnect", "MSOCKS reconnect '198.18.0.1' port 40000 received 1460 sent 8589934592")],
    values={SocksAddressField: st.one_of(st.ip_addresses().map(str), st.text("abcxyz-.0", max_size=255))},
)
