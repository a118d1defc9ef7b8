# SPDX-License-Identifier: GPL-2.0-or-later
"""A handover of each protocol for hosts that move, in one run: how long it takes, and what is sent twice.

Both ends are the reference, on a wire of their own, with a connection of kernel TCP under full load. All that is told
is read from the frames on the mobile node's wire; the order is the call of the verb. What counts is the comparison.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.speed import commit, machine
from bench.wiretap import RECORD
from tests.lab.pair import ADDRESSES, Pair

TABLE = Path(__file__).parents[1] / "docs/handover.md"
ROUNDS, MOVES, BETWEEN_S = 2, 5, 1.0
PROTOCOLS: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {
    "MOPS": (("mops server", "mops mobile node"), {}),
    "TCP Rehash": (("rehash host", "rehash host"), {}),
    "TCP Migrate, insecure": (("migrate server", "migrate mobile node"), {"offers": "insecure"}),
    "TCP Migrate, secure": (("migrate server", "migrate mobile node"), {"offers": "secure"}),
    "SACIP": (("sacip server", "sacip mobile node"), {}),
}
"""The roles of both ends, the second of which moves, and what they are told."""

PORT = 5001
_SERVER, _CLIENT = "from the server", "from the mobile node"
DIRECTIONS = (_SERVER, _CLIENT)
_NUMBERS = 1 << 32
_BEFORE_NS = 500_000_000
_PATIENCE_S, _LOOK_AGAIN_S = 20.0, 0.1
_PROGRAM = """
import socket, sys, time
if sys.argv[1] == "server":
    listener = socket.create_server(("0.0.0.0", {port}))
    print("listening", file=sys.stderr, flush=True)
    connection = listener.accept()[0]
else:
    deadline = time.monotonic() + 20
    while True:
        try:
            connection = socket.create_connection((sys.argv[3], {port}), timeout=20)
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
if sys.argv[1] == sys.argv[2]:
    while True:
        connection.sendall(bytes(1 << 16))
while connection.recv(1 << 18):
    pass
"""


@dataclass(frozen=True)
class Segment:
    """A segment with payload in the direction of the load: when it was on the wire, and the mobile node's address."""

    ns: int
    address: str
    number: int
    length: int


@dataclass(frozen=True)
class Handover:
    """What one move cost: seconds and bytes."""

    first_data_s: float
    gap_s: float
    gap_before_s: float
    sent_twice: int
    bytes_a_second: float


class Sent:
    """The bytes of a stream that were on the wire, however often its numbers have wrapped."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []
        self._last: int | None = None

    def add(self, number: int, length: int) -> tuple[int, int]:
        """Note a segment: how many of its bytes are new, how many were on the wire before."""
        if self._last is None:
            self._last = number
        start = self._last + (number - self._last + _NUMBERS // 2) % _NUMBERS - _NUMBERS // 2
        end = start + length
        self._last = max(self._last, end)
        touching = [one for one in self._ranges if one[0] <= end and one[1] >= start]
        twice = sum(min(end, last) - max(start, first) for first, last in touching)
        joined = min([start, *(one[0] for one in touching)]), max([end, *(one[1] for one in touching)])
        self._ranges = [*(one for one in self._ranges if one not in touching), joined]
        return length - twice, twice


def read(file: Path, *, from_server: bool) -> list[Segment]:
    """The segments with payload in one direction."""
    whole = file.read_bytes()
    found = []
    for ns, source, destination, here, there, number, length in RECORD.iter_unpack(
        whole[: len(whole) // RECORD.size * RECORD.size]
    ):
        if length and (here if from_server else there) == PORT:
            found.append(Segment(ns, str(IPv4Address(destination if from_server else source)), number, length))
    return found


def handovers(segments: Iterable[Segment], orders: list[tuple[int, str]], end_ns: int) -> list[Handover]:
    """What each order (its time, the new address) cost until the next one, or the end, and what was before it.

    Raises ValueError where no data came from or to a new address.
    """
    sent = Sent()
    seen = [(one, *sent.add(one.number, one.length)) for one in segments]
    news = [one.ns for one, new, _ in seen if new]
    found = []
    for (ns, address), until in zip(orders, [*(ns for ns, _ in orders[1:]), end_ns], strict=True):
        first = next((one.ns for one, _, _ in seen if ns < one.ns <= until and one.address == address), None)
        if first is None:
            raise ValueError(f"no data at {address}")
        before = ns - _BEFORE_NS
        found.append(
            Handover(
                (first - ns) / 1e9,
                _longest(news, ns, until),
                _longest(news, before, ns),
                sum(twice for one, _, twice in seen if ns < one.ns <= until),
                sum(new for one, new, _ in seen if before < one.ns < ns) / (_BEFORE_NS / 1e9),
            )
        )
    return found


def _longest(times: list[int], start: int, end: int) -> float:
    """The longest silence between two of these moments that touches a span of time, in seconds."""
    pairs = pairwise(times)
    return max((late - early for early, late in pairs if late > start and early < end), default=end - start) / 1e9


def measured(protocol: str, direction: str, moves: int = MOVES) -> list[Handover]:
    """A pair of hosts, a connection under full load, and so many moves of the node."""
    roles, settings = PROTOCOLS[protocol]
    with tempfile.TemporaryDirectory(prefix="roamproof-handover-") as name:
        folder = Path(name)
        (folder / "load.py").write_text(_PROGRAM.format(port=PORT))
        sends = "server" if direction == _SERVER else "client"
        server, client = (
            [[sys.executable, "{folder}/load.py", end, sends, ADDRESSES[0]]] for end in ("server", "client")
        )
        taps: tuple[list[str], list[str]] = ([], [sys.executable, "-m", "bench.wiretap", str(folder / "wire"), "wire0"])
        orders: list[tuple[int, str]] = []

        def segments() -> list[Segment]:
            tapped = folder / "wire"
            return read(tapped, from_server=sends == "server") if tapped.exists() else []

        with Pair(folder, server, client, roles=roles, before=taps, **settings) as both:
            for number in range(moves + 1):
                address, deadline = both.ends[1].address, time.monotonic() + _PATIENCE_S
                while not any(one.address == address for one in segments()):
                    if time.monotonic() > deadline:
                        raise SystemExit(f"{protocol}: no data {direction} at {address}\n{both.ends[0].log()}")
                    time.sleep(_LOOK_AGAIN_S)
                time.sleep(BETWEEN_S)
                if number < moves:
                    orders.append(_move(both, number))
            end_ns = time.time_ns()
        return handovers(segments(), orders, end_ns)


def _move(both: Pair, number: int) -> tuple[int, str]:
    """Order the node to go elsewhere; when that was, and where to."""
    end, old = both.ends[1], both.ends[1].address
    new = f"{old.rpartition('.')[0]}.{10 + number}"
    if end.protocol == "sacip":
        end.call("add_address", address=new)
        ns = time.time_ns()
        end.call("delete_address", address=old)
        end.address = new
    else:
        ns = time.time_ns()
        end.move(new)
    return ns, new


def main(rounds: int = ROUNDS, *, write: bool = False) -> int:
    """Measure by turns, print a table a direction, and with `write` keep them in docs/handover.md."""
    before = machine()
    found: dict[str, dict[str, list[Handover]]] = {way: {name: [] for name in PROTOCOLS} for way in DIRECTIONS}
    for _ in range(rounds):
        for way in DIRECTIONS:
            for name in PROTOCOLS:
                found[way][name] += measured(name, way)
    for way, each in found.items():
        table = Table(*_COLUMNS, title=f"Handover under full load {way}, {rounds * MOVES} moves each")
        for name, some in each.items():
            table.add_row(name, *_cells(some))
        Console().print(table)
    if write:
        TABLE.write_text(_page(found, before, rounds * MOVES))
    return 0


_COLUMNS = (
    "protocol",
    "order to first data, ms",
    "longest, ms",
    "gap, ms",
    "longest, ms",
    "gap without a move, ms",
    "bytes sent twice",
    "most",
    "load before, Mbit/s",
)


def _cells(some: list[Handover]) -> list[str]:
    firsts, gaps = [one.first_data_s * 1e3 for one in some], [one.gap_s * 1e3 for one in some]
    twice = [one.sent_twice for one in some]
    milliseconds = [statistics.median(firsts), max(firsts), statistics.median(gaps), max(gaps)]
    before = statistics.median(one.gap_before_s for one in some) * 1e3
    load = statistics.median(one.bytes_a_second for one in some) * 8e-6
    counts = [f"{statistics.median(twice):.0f}", str(max(twice))]
    return [*(f"{one:.1f}" for one in (*milliseconds, before)), *counts, f"{load:.0f}"]


def _page(found: dict[str, dict[str, list[Handover]]], before: str, moves: int) -> str:
    lines = [
        "# What a handover costs",
        "",
        "Written by `python -m bench handover --write`. Both ends are the reference, and the connection is one of",
        "kernel TCP that is never idle. The order is the call of `move`, or of `delete_address` for SACIP. Data is",
        "first at the new address when a segment with payload has it on the wire. The gap is the longest time without",
        "bytes that are new until the next order, a second later, and beside it what it is in the half second before.",
        "Bytes sent twice are those that were on the wire before.",
        f"Medians of {moves} moves by turns in one run, and the worst. What counts is the comparison.",
        "",
        f"Tree: {commit()}. Machine: {before}.",
    ]
    for way, each in found.items():
        lines += ["", f"## Load {way}", "", _row(_COLUMNS), _row(["---", *["---:"] * (len(_COLUMNS) - 1)])]
        lines += [_row([name, *_cells(some)]) for name, some in each.items()]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
