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

from layers import samples
from layers.fields import TableField
from layers.ipff import IPFF, IPFF24
from layers.packet import TolerantPacket
from layers.samples import NODE, NODE4, SERVER, SERVER4
from layers.tcp_options import get_option, put_option, recognised, registered

WINDOW_S = 0.05
WINDOWS = 5
LARGEST = 0xFFFF  # bytes of a message
ALLOWED_GROWTH = 20
DRIFT = 4  # Caches and a busy machine; quadratic growth would be 8 or 16.
OPTIONS = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 2)), ("NOP", None), ("WScale", 7)]

Make = Callable[[], Packet]


def ip_tcp() -> Packet:
    return IP(src=NODE4, dst=SERVER4) / TCP(sport=1027, dport=80, options=OPTIONS)


def sctp() -> Packet:
    parameters = [SCTPChunkParamIPv4Addr(addr=NODE4), SCTPChunkParamCookiePreservative()]
    return IP(src=NODE4, dst=SERVER4) / SCTP(sport=1027, dport=80) / SCTPChunkInit(params=parameters)


def again(message: Packet) -> Make:
    """Makes the message anew from the fields that are set in it."""
    cls, fields = type(message), {name: getattr(message, name) for name in message.fields}
    return lambda: cls(**fields)


def messages() -> dict[str, Packet]:
    """One sample of every message and of every TCP option, by the name of its class."""
    found: dict[str, Packet] = {}
    for frame in samples.frames().values():
        options = recognised(frame) if TCP in frame else ()
        for message in (*frame.iterpayloads(), *options):
            if isinstance(message, TolerantPacket):
                found.setdefault(type(message).__name__, message)
    return found


MESSAGES: dict[str, Make] = {
    "IPFF/TCP, 5 options": lambda: IPFF(src=NODE, dst=SERVER) / TCP(sport=1027, dport=80, options=OPTIONS),
    "IPFF24": lambda: IPFF24(src=NODE, dst=SERVER, protocol=6),
    **{name: again(message) for name, message in messages().items()},
}
OPTION = registered()[0]
SYN = IP(src=NODE4, dst=SERVER4) / put_option(TCP(flags="S"), OPTION())
OPTION_WORK: dict[str, Callable[[], Any]] = {
    "put_option": lambda: put_option(SYN, registered()[-1]()),
    "get_option": lambda: get_option(SYN, OPTION),
}


def tables() -> dict[str, tuple[Callable[[int], Make], int]]:
    """For every message with a table: what makes one with so many entries, and how many the largest one has."""
    found = {}
    for name, message in messages().items():
        for field in message.fields_desc:
            if isinstance(field, TableField):
                fields = {one: getattr(message, one) for one in message.fields}
                found[name] = (_with_entries(type(message), fields, field), _most(message, field))
    return found


def _with_entries(cls: type[Packet], fields: dict[str, Any], table: TableField) -> Callable[[int], Make]:
    entry = fields[table.name][0]
    return lambda count: lambda: cls(**(fields | {table.name: [entry] * count}))


def _most(message: Packet, table: TableField) -> int:
    return int((LARGEST - type(message).minimum) // table.row.size)


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
    for name, (entries, most) in tables().items():
        one = build_and_dissect(entries(1))
        costs = {count: build_and_dissect(entries(count)) for count in (100, 1000, most)}
        for count, spent in {1: one, **costs}.items():
            times = [now / first for now, first in zip(spent, one, strict=True)]
            each = [(now - first) / max(count - 1, 1) for now, first in zip(spent, one, strict=True)]
            lines.append(
                f"{f'{name}, {count}':28}{spent[0] * 1e6:10.1f}{spent[1] * 1e6:10.1f}"
                f"   {times[0]:8.1f}x{times[1]:9.1f}x   {each[0] * 1e6:9.3f}{each[1] * 1e6:10.3f}"
            )
        linear &= max(now / first for now, first in zip(costs[1000], one, strict=True)) < ALLOWED_GROWTH
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
