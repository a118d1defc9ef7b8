# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine's table of ARP neighbours, which all namespaces and all runs on it share.

When it is full a device in a namespace whose kernel routes resolves nobody, and drops what it was to send: masquerade
was seen to do so while several runs were on one machine. Read from `/proc/net/stat/arp_cache` (one row a processor, in
hexadecimal); where that cannot be read, in another namespace than the machine's own, nothing is known.
"""

from pathlib import Path
from typing import NamedTuple

_STATISTICS = Path("/proc/net/stat/arp_cache")
_ENTRIES, _TABLE_FULLS = "entries", "table_fulls"


class Neighbours(NamedTuple):
    """Entries of the table, and how often since the machine has started there was no room for another one."""

    entries: int
    overflows: int


def neighbours() -> Neighbours:
    """What the table is like now."""
    try:
        return read(_STATISTICS.read_text())
    except OSError:
        return Neighbours(0, 0)


def read(text: str) -> Neighbours:
    """Read the kernel's statistics."""
    heads, *rows = (line.split() for line in text.splitlines())
    columns = [dict(zip(heads, (int(word, 16) for word in row), strict=False)) for row in rows]
    return Neighbours(
        max((one.get(_ENTRIES, 0) for one in columns), default=0), sum(one.get(_TABLE_FULLS, 0) for one in columns)
    )
