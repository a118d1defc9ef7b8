# SPDX-License-Identifier: GPL-2.0-or-later
"""One frame of every message and every shape of it, for the fuzzer, the benchmark and the tests.

A protocol puts its own into ``samples.py`` of its package, as a function ``frames``; here they are collected.
"""

from importlib import import_module

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from layers import PROTOCOLS
from layers.icmpv5 import (
    ICMPv5DestinationUnreachable,
    ICMPv5EchoReply,
    ICMPv5EchoRequest,
    ICMPv5HopsExceeded,
    ICMPv5PacketTooBig,
    ICMPv5ParameterProblem,
    ICMPv5Redirect,
)
from layers.ipff import IPFF, UDPv5

NODE, MOVED, SERVER = "525.8.78.3.9", "775.2.23.6.6", "8.8.8.8.8"
NODE4, MOVED4, SERVER4 = "198.18.0.9", "198.18.1.6", "198.18.0.1"
MACS = {"dst": "02:00:00:00:00:01", "src": "02:00:00:00:00:09"}
SYN = TCP(sport=1027, dport=80, flags="S", seq=1000, options=[("MSS", 1460), ("SAckOK", b""), ("NOP", None)])
PLAIN = TCP(sport=1027, dport=80, flags="PA", seq=1001, ack=2001)


def ipff(payload: Packet, src: str = NODE, dst: str = SERVER) -> Packet:
    """An Ethernet frame with the payload over IPFF."""
    return Ether(**MACS) / IPFF(src=src, dst=dst, type_of_service=0x2E) / payload


def ipv4(payload: Packet, src: str = NODE4, dst: str = SERVER4) -> Packet:
    """An Ethernet frame with the payload over IPv4."""
    return Ether(**MACS) / IP(src=src, dst=dst, id=1) / payload


def frames() -> dict[str, Packet]:
    """Complete Ethernet frames by name, as they would be built for the wire."""
    found = _general()
    for protocol in PROTOCOLS:
        own = import_module(f"layers.{protocol}.samples").frames()
        if twice := found.keys() & own.keys():
            raise ValueError(f"layers.{protocol}.samples: {min(twice)} is the name of another frame")
        found |= own
    return found


def _general() -> dict[str, Packet]:
    errors = (
        ICMPv5DestinationUnreachable,
        ICMPv5PacketTooBig,
        ICMPv5HopsExceeded,
        ICMPv5ParameterProblem,
        ICMPv5Redirect,
    )
    return {
        **{f"icmpv5-{error.__name__}": ipff(error() / b"what was sent", src=SERVER, dst=NODE) for error in errors},
        "echo-request": ipff(ICMPv5EchoRequest() / b"ping"),
        "echo-reply": ipff(ICMPv5EchoReply() / b"ping", src=SERVER, dst=NODE),
        "echo-ipv4": ipv4(ICMPv5EchoRequest() / b"ping"),
        "tcp-over-ipff": ipff(PLAIN / b"GET / HTTP/1.0\r\n\r\n"),
        "udp-over-ipff": ipff(UDPv5(sport=1027, dport=40000) / b"datagram"),
        "udp-over-ipv4": ipv4(UDP(sport=1027, dport=40000) / b"datagram"),
    }
