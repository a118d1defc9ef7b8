# SPDX-License-Identifier: GPL-2.0-or-later
"""Build and dissect rates of the layers beside Scapy's own IP/TCP and SCTP, and the growth of entry tables.

Rates are those of this machine at this moment; the ratios are what to compare.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from scapy.layers.inet import IP, TCP
from scapy.layers.sctp import SCTP, SCTPChunkInit, SCTPChunkParamCookiePreservative, SCTPChunkParamIPv4Addr
from scapy.packet import Packet

from layers.ipff import IPFF, ICMPv5EchoRequest
from layers.migrate import MigrateOption, MigratePermittedOption, put_permitted
from layers.mops import MOPSAnycastAck
from layers.msocks import MSOCKSReconnect, Socks5Greeting, Socks5Reply, Socks5Request
from layers.rehash import RehashOption
from layers.sacip import SACIP
from layers.samples import MOVED4, NODE, NODE4, PUBLIC_KEY, SERVER, SERVER4, migrate, nat_ack
from layers.tcp_options import MobileCapableOption, get_option, put_option

WINDOW_S = 0.05
WINDOWS = 5
MOST = {"MOPSMigrate": (0xFFFF - 24) // 8, "MOPSNATAck": (0xFFFF - 24) // 4}
ALLOWED_GROWTH = 20
DRIFT = 4  # Caches and a busy machine; quadratic growth would be 8 or 16.
OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 2)), ("NOP", None), ("WScale", 7)]

Make = Callable[[], Packet]


def ip_tcp() -> Packet:
    return IP(src=NODE4, dst=SERVER4) / TCP(sport=1027, dport=80, options=OPTIONS)


def sctp() -> Packet:
    parameters = [SCTPChunkParamIPv4Addr(addr=NODE4), SCTPChunkParamCookiePreservative()]
    return IP(src=NODE4, dst=SERVER4) / SCTP(sport=1027, dport=80) / SCTPChunkInit(params=parameters)


def anycast() -> Packet:
    return MOPSAnycastAck(
        anycast_destination=SERVER, unicast_destination="8.8.8.8.9", source_port=1, destination_port=2
    )


MESSAGES: dict[str, Make] = {
    "IPFF": lambda: IPFF(src=NODE, dst=SERVER),
    "IPFF/TCP, 5 options": lambda: IPFF(src=NODE, dst=SERVER) / TCP(sport=1027, dport=80, options=OPTIONS),
    "IPFF/MOPSMigrate, 1 entry": lambda: IPFF(src=NODE, dst=SERVER) / migrate(),
    "ICMPv5EchoRequest": lambda: ICMPv5EchoRequest() / b"ping",
    "MOPSMigrate, 1 entry": migrate,
    "MOPSAnycastAck": anycast,
    "MOPSNATAck, 1 entry": nat_ack,
    "MobileCapableOption": MobileCapableOption,
    "RehashOption": lambda: RehashOption(nonce=1, old=NODE4, new=MOVED4),
    "MigratePermittedOption": lambda: MigratePermittedOption(curve=1, key=bytes(17)),
    "MigrateOption": lambda: MigrateOption(reqno=1),
    "Socks5Greeting": Socks5Greeting,
    "Socks5Request": lambda: Socks5Request(address=SERVER4, port=80),
    "Socks5Reply": lambda: Socks5Reply(bound_address=SERVER4, bound_port=40000),
    "MSOCKSReconnect": lambda: MSOCKSReconnect(address=SERVER4, port=40000, received=1, sent=2),
    "SACIP": lambda: SACIP(new_address=MOVED4),
}
SYN = IP(src=NODE4, dst=SERVER4) / put_option(TCP(flags="S"), RehashOption(new=NODE4))
OPTION_WORK: dict[str, Callable[[], Any]] = {
    "put_option": lambda: put_option(SYN, MobileCapableOption()),
    "get_option": lambda: get_option(SYN, RehashOption),
    "put_permitted, with key": lambda: put_permitted(TCP(), 1, PUBLIC_KEY),
}


def cost(work: Callable[[], Any]) -> float:
    """Seconds of one call, the best of a few windows."""
    work()
    best = float("inf")
    for _ in range(WINDOWS):
        calls, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < WINDOW_S or not calls:
            work()
            calls += 1
        best = min(best, spent / calls)
    return best


def build_and_dissect(make: Make) -> tuple[float, float]:
    cls, data = type(make()), bytes(make())
    return cost(lambda: bytes(make())), cost(lambda: cls(data))


def message_table() -> list[str]:
    tcp, other = build_and_dissect(ip_tcp), build_and_dissect(sctp)
    lines = [
        f"{'':28}{'build':>10}{'dissect':>10}   {'as fast as IP/TCP':>19}   {'as fast as SCTP':>19}",
        f"{'':28}{'us':>10}{'us':>10}   {'build':>9}{'dissect':>10}   {'build':>9}{'dissect':>10}",
    ]
    for name, (build, dissect) in [
        ("Scapy IP/TCP, 5 options", tcp),
        ("Scapy IP/SCTP INIT", other),
        *((name, build_and_dissect(make)) for name, make in MESSAGES.items()),
    ]:
        ratios = [
            f"{tcp[0] / build:8.1f}x{tcp[1] / dissect:9.1f}x",
            f"{other[0] / build:8.1f}x{other[1] / dissect:9.1f}x",
        ]
        lines.append(f"{name:28}{build * 1e6:10.1f}{dissect * 1e6:10.1f}   {'   '.join(ratios)}")
    lines.extend(f"{name:28}{cost(work) * 1e6:10.1f}" for name, work in OPTION_WORK.items())
    return lines


def growth_table() -> tuple[list[str], bool]:
    lines = [f"{'entries':28}{'build':>10}{'dissect':>10}   {'times one entry':>19}   {'us an entry':>19}"]
    linear = True
    for make in (migrate, nat_ack):
        name = type(make()).__name__
        one = build_and_dissect(make)
        costs = {count: build_and_dissect(lambda: make(count=count)) for count in (100, 1000, MOST[name])}  # noqa: B023
        for count, spent in {1: one, **costs}.items():
            times = [now / first for now, first in zip(spent, one, strict=True)]
            each = [(now - first) / max(count - 1, 1) for now, first in zip(spent, one, strict=True)]
            lines.append(
                f"{f'{name}, {count}':28}{spent[0] * 1e6:10.1f}{spent[1] * 1e6:10.1f}"
                f"   {times[0]:8.1f}x{times[1]:9.1f}x   {each[0] * 1e6:9.3f}{each[1] * 1e6:10.3f}"
            )
        linear &= max(now / first for now, first in zip(costs[1000], one, strict=True)) < ALLOWED_GROWTH
        most = MOST[name]
        linear &= all(costs[most][way] / most < DRIFT * costs[1000][way] / 1000 for way in (0, 1))
    verdict = "linear" if linear else "NOT linear"
    lines.append(
        f"growth is {verdict}: 1000 entries under {ALLOWED_GROWTH} times one, and no dearer an entry at the most"
    )
    return lines, linear


def main() -> int:
    lines, linear = growth_table()
    sys.stdout.write("\n".join([*message_table(), "", *lines]) + "\n")
    return 0 if linear else 1


if __name__ == "__main__":
    sys.exit(main())
