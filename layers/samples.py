# SPDX-License-Identifier: GPL-2.0-or-later
"""One frame of every message and every shape of it, for the fuzzer, the benchmark and the tests."""

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from layers.ipff import (
    IPFF,
    ICMPv5DestinationUnreachable,
    ICMPv5EchoReply,
    ICMPv5EchoRequest,
    ICMPv5HopsExceeded,
    ICMPv5PacketTooBig,
    ICMPv5ParameterProblem,
    ICMPv5Redirect,
)
from layers.migrate import MigrateOption, put_permitted, request, token
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS, MOPSAnycastAck, MOPSMigrate, MOPSNATAck
from layers.msocks import (
    DEFAULT_PORT,
    MSOCKSReconnect,
    MSOCKSReconnectReply,
    Socks5Greeting,
    Socks5Reply,
    Socks5Request,
    Socks5Selection,
)
from layers.rehash import ADDR, INIT, RehashOption
from layers.sacip import NETWORK, SACIP
from layers.tcp_options import MobileCapableOption, put_option

NODE, MOVED, SERVER = "525.8.78.3.9", "775.2.23.6.6", "8.8.8.8.8"
NODE4, MOVED4, SERVER4 = "198.18.0.9", "198.18.1.6", "198.18.0.1"
MACS = {"dst": "02:00:00:00:00:01", "src": "02:00:00:00:00:09"}
PUBLIC_KEY = bytes(range(1, 26))


def ipff(payload: Packet, src: str = NODE, dst: str = SERVER) -> Packet:
    return Ether(**MACS) / IPFF(src=src, dst=dst, traffic_class=0x2E, flow_label=0xABCDE) / payload


def ipv4(payload: Packet, src: str = NODE4, dst: str = SERVER4) -> Packet:
    return Ether(**MACS) / IP(src=src, dst=dst, id=1) / payload


def migrate(node: str = NODE, moved: str = MOVED, count: int = 1, **fields: int) -> MOPSMigrate:
    entries = [(1027 + n, 2098 + n, 0x12345678 + n) for n in range(count)]
    return MOPSMigrate(previous_source=node, migrated_source=moved, entries=entries, **fields)


def nat_ack(count: int = 1, **fields: int) -> MOPSNATAck:
    entries = [(1027 + n, 5050 + n) for n in range(count)]
    return MOPSNATAck(original_source="10.2.0.0.1", translated_source="10.0.0.0.1", entries=entries, **fields)


def frames() -> dict[str, Packet]:
    """Complete Ethernet frames by name, as they would be built for the wire."""
    return {**_mops(), **_icmpv5(), **_options(), **_msocks(), **_sacip()}


def _mops() -> dict[str, Packet]:
    anycast = MOPSAnycastAck(
        anycast_destination=SERVER, unicast_destination="8.8.8.8.9", source_port=1027, destination_port=80
    )
    return {
        "migrate": ipff(migrate(), src=MOVED),
        "migrate-atomic": ipff(migrate(count=8, code=MIGRATE_ATOMIC, reserved=0xFFFF), src=MOVED),
        "migrate-success": ipff(migrate(code=SUCCESS), src=SERVER, dst=MOVED),
        "migrate-failed": ipff(migrate(code=FAILED, protocol=17, count=2), src=SERVER, dst=MOVED),
        "migrate-empty": ipff(migrate(count=0), src=MOVED),
        "migrate-ipv4": ipv4(migrate(NODE4, MOVED4, count=2), src=MOVED4),
        "anycast": ipff(anycast, src=SERVER, dst=NODE),
        "anycast-ipv4": ipv4(anycast.copy(), src=SERVER4, dst=NODE4),
        "nat": ipff(nat_ack(), src="10.2.0.0.99", dst="10.2.0.0.1"),
        "nat-level-2": ipff(nat_ack(count=3, nat_level=2, reserved=0xFF), src="10.2.0.0.99", dst="10.2.0.0.1"),
        "nat-ipv4": ipv4(nat_ack(count=2), src=SERVER4, dst=NODE4),
    }


def _icmpv5() -> dict[str, Packet]:
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
    }


def _options() -> dict[str, Packet]:
    syn = TCP(sport=1027, dport=80, flags="S", seq=1000, options=[("MSS", 1460), ("SAckOK", b""), ("NOP", None)])
    rehash = RehashOption(control=ADDR, nonce=0x0BADCAFE, old=NODE4, new=MOVED4)
    proof = MigrateOption(reqno=1, token=token(1000, 2000, b""), request=request(1000, 2000, b"", 3000, 1))
    plain = TCP(sport=1027, dport=80, flags="PA", seq=1001, ack=2001)
    return {
        "tcp-over-ipff": ipff(plain / b"GET / HTTP/1.0\r\n\r\n"),
        "udp-over-ipff": ipff(UDP(sport=1027, dport=40000) / b"datagram"),
        "mobile-capable": ipff(put_option(syn, MobileCapableOption())),
        "mobile-capable-ipv4": ipv4(put_option(syn, MobileCapableOption())),
        "mobile-capable-own-kind": ipv4(put_option(syn, MobileCapableOption(kind=77, length=2))),
        "rehash-init": ipv4(put_option(syn, RehashOption(control=INIT, nonce=0x01020304, new=NODE4))),
        "rehash-addr": ipv4(put_option(plain, rehash), src=MOVED4),
        "migrate-permitted": ipv4(put_permitted(syn)),
        "migrate-permitted-key": ipv4(put_permitted(syn, curve=1, public_key=PUBLIC_KEY)),
        "migrate-syn": ipv4(put_option(syn, proof), src=MOVED4),
    }


def _msocks() -> dict[str, Packet]:
    identifier = {"address": SERVER4, "port": 40000}
    bound = {"bound_address": SERVER4, "bound_port": 40000}
    counters = {"received": 1460, "sent": 1 << 33}
    to_proxy = {
        "greeting": Socks5Greeting(methods=[0, 2]),
        "connect": Socks5Request(**identifier),
        "connect-domain": Socks5Request(address="server.example", port=80),
        "connect-ipv6": Socks5Request(address="2001:db8::1", port=80),
        "reconnect": MSOCKSReconnect(**identifier, **counters),
    }
    from_proxy = {
        "selection": Socks5Selection(),
        "reply": Socks5Reply(**bound),
        "refusal": Socks5Reply(reply=5),
        "reconnect-reply": MSOCKSReconnectReply(**bound, **counters),
    }
    sent = {
        f"msocks-{name}": ipv4(TCP(sport=port, dport=DEFAULT_PORT, flags="PA") / message)
        for port, (name, message) in enumerate(to_proxy.items(), 1027)
    }
    received = {
        f"msocks-{name}": ipv4(TCP(sport=DEFAULT_PORT, dport=port, flags="PA") / message, src=SERVER4, dst=NODE4)
        for port, (name, message) in enumerate(from_proxy.items(), 2027)
    }
    return {**sent, **received}


def _sacip() -> dict[str, Packet]:
    return {
        "sacip": ipv4(SACIP(new_address=MOVED4)),
        "sacip-network": ipv4(SACIP(byte_order=NETWORK, new_address=MOVED4)),
    }
