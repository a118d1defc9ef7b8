# SPDX-License-Identifier: GPL-2.0-or-later
"""Every message with its fields and its bytes, written out from the specifications.

What belongs to a protocol stands in ``tests/<protocol>/vectors.py``, as `VECTORS`; here is what is nobody's, and the
collection of all.
"""

from importlib import import_module

from layers import PROTOCOLS
from layers.icmpv5 import (
    ICMPv5,
    ICMPv5DestinationUnreachable,
    ICMPv5EchoReply,
    ICMPv5EchoRequest,
    ICMPv5HopsExceeded,
    ICMPv5PacketTooBig,
    ICMPv5ParameterProblem,
    ICMPv5Redirect,
)
from layers.ipff import IPFF, IPFF24, UDPv5
from layers.tcp_options import TimestampOption
from tests.layers.vector import Vector, Vectors

GENERAL = Vectors(
    vectors=[
        Vector(
            IPFF,
            {
                "hops_to_live": 63,
                "type_of_service": 0x2E,
                "protocol": 6,
                "src": "525.8.78.3.9",
                "dst": "8.8.8.8.8",
            },
            # 5 << 60 | 525 << 40 | 8 << 30 | 78 << 20 | 3 << 10 | 9, and 6 << 50 | 8 << 40 | ...
            "50020d0204e00c09 0018080200802008 3f 2e 0000",
            {"version": 5, "payload_length": 0, "reserved": 0},
        ),
        Vector(
            UDPv5,
            {"sport": 1027, "dport": 7, "chksum": 0xBEEF},
            "0403 0007 beef",
            {},
        ),
        Vector(
            IPFF24,
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
        Vector(TimestampOption, {"tsval": 1, "tsecr": 2}, "08 0a 00000001 00000002", {"kind": 8, "length": 10}),
    ],
    refused=[
        (lambda: IPFF(hops_to_live=256), "field hops_to_live: 256 is outside 0..255"),
        (lambda: IPFF(hops_to_live=-1), "field hops_to_live: -1 is outside 0..255"),
        (lambda: IPFF(reserved=1 << 10), "field reserved: 1024 is outside 0..1023"),
        (lambda: IPFF24(hop_limit=256), "field hop_limit: 256 is outside 0..255"),
        (lambda: UDPv5(sport=65536), "field sport: 65536 is outside 0..65535"),
        (lambda: IPFF(protocol=1 << 14), "field protocol: 16384 is outside 0..16383"),
        (lambda: IPFF(protocol="sctp"), "field protocol: 'sctp' is none of .*0..16383"),
        (lambda: IPFF(payload_length=1.5), "field payload_length: 'float' object"),
        (lambda: IPFF(hops_to_live=[0, 256]), "field hops_to_live: 256 is outside"),
        (lambda: IPFF(src="525.8.78.3.1024"), "field src: .* part 1024 outside 0..1023"),
        (lambda: IPFF(src=(1, 2, 3, 4, -5)), "field src: .* part -5 outside 0..1023"),
        (lambda: IPFF(src=1 << 50), "field src: 1125899906842624 is outside"),
        (lambda: IPFF(src="198.18.0.256"), "field src: .* part 256 outside 0..255"),
        (lambda: IPFF(src="8.8.8"), "field src: '8.8.8' has 3 parts, not 5"),
        (lambda: IPFF(src="server.example.com"), "field src: .* is not 5 numbers"),
        (lambda: IPFF(src="8.8.8.8.٣"), "field src: .* is not 5 numbers"),
        (lambda: bytes(IPFF() / bytes(65536)), "field payload_length: 65536 is outside 0..65535"),
    ],
    filters={IPFF: "ipff", UDPv5: "udpv5"},
    lines=[
        ("tcp-over-ipff", "525.8.78.3.9:1027 > 8.8.8.8.8:80 TCP  PA seq 1001 ack 2001  18 bytes"),
        ("udp-over-ipff", "525.8.78.3.9:1027 > 8.8.8.8.8:40000 UDPv5  8 bytes"),
    ],
)
ALL: list[Vectors] = [GENERAL, *(import_module(f"tests.{protocol}.vectors").VECTORS for protocol in PROTOCOLS)]

VECTORS = [vector for one in ALL for vector in one.vectors]
REFUSED = [refused for one in ALL for refused in one.refused]
FILTERS = {cls: name for one in ALL for cls, name in one.filters.items()}
LINES = [line for one in ALL for line in one.lines]
VALUES = {cls: values for one in ALL for cls, values in one.values.items()}
