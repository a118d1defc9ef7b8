# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a module: what 100,000 mappings take of a process, and of the kernel where it carries their flows.

Prints one JSON object: `process` and `kernel` are the bytes and the seconds of one, or why there is none. To be run in
a network namespace of its own.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from reference.middlebox.nat.mappings import Mappings
from reference.middlebox.packet import TCP, UDP
from reference.system.conntrack import Conntrack, Entry

COUNT = 100_000
_INSIDE, _OUTSIDE, _REMOTE = 0x0A000101, 0xC6120001, 0xC6130001
_FIRST_PORT, _HOSTS, _LASTS_S = 1024, 50, 3600.0
_KB = 1024
_STEP = 10_000
"""Entries between two looks: what others do meanwhile is in few of the ten differences, whose median counts."""


def _ends() -> list[tuple[int, tuple[int, int], int]]:
    """Protocol, inside endpoint and outside port of each mapping: half are of TCP, half of UDP, of fifty hosts."""
    each = COUNT // 2
    return [
        (protocol, (_INSIDE + number % _HOSTS, _FIRST_PORT + number), _FIRST_PORT + number)
        for protocol in (TCP, UDP)
        for number in range(each)
    ]


def of_the_process() -> tuple[float, float]:
    """Bytes and seconds of a mapping with a flow."""
    ends, before = _ends(), _resident()
    start, mappings = time.monotonic(), Mappings(_OUTSIDE, 2 * COUNT)
    for protocol, inside, port in ends:
        mapping = mappings.make(protocol, inside, lambda _, __, port=port: port, 0.0)  # type: ignore[misc]
        assert mapping is not None
        mappings.open(mapping, (_REMOTE, 80), _LASTS_S)
    spent = time.monotonic() - start
    assert len(mappings) == COUNT
    return (_resident() - before) * _KB / COUNT, spent / COUNT


def of_the_kernel() -> tuple[float, float]:
    """Bytes and seconds of an entry of this namespace's connection tracking; OSError where the kernel refuses."""
    tracking, ends, sizes, start = Conntrack(), _ends(), [], time.monotonic()
    for first in range(0, COUNT, _STEP):
        before = _slab()
        for protocol, inside, port in ends[first : first + _STEP]:
            tracking.add(Entry(protocol, inside, (_REMOTE, 80), (_OUTSIDE, port)), _LASTS_S)
        sizes.append(_slab() - before)
    spent = time.monotonic() - start
    return statistics.median(sizes) * _KB / _STEP, spent / COUNT


def _resident() -> int:
    """Resident memory of this process in kB."""
    return _field(Path("/proc/self/status"), "VmRSS")


def _slab() -> int:
    """What the kernel's caches of objects take, in kB, all of the machine's together."""
    return _field(Path("/proc/meminfo"), "Slab")


def _field(file: Path, name: str) -> int:
    return next(int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith(f"{name}:"))


def main() -> int:
    """Measure and print."""
    found: dict[str, object] = {"count": COUNT, "process": of_the_process()}
    try:
        found["kernel"] = of_the_kernel()
    except OSError as error:
        found["kernel"] = error.strerror
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
