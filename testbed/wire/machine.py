# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine that is busy takes from the devices on it without a word: neighbours and frames.

The table of ARP neighbours is one for all namespaces: when it is full a device whose kernel routes resolves nobody, and
drops what it was to send (`/proc/net/stat/arp_cache`). Frames between two namespaces wait in a queue of each processor
that holds a thousand of them, from all wires of the machine: what does not fit is gone (`/proc/net/softnet_stat`). Both
were seen while several runs were on one machine. Each file has a row a processor, in hexadecimal; where one cannot be
read nothing is known.
"""

from pathlib import Path

_NEIGHBOURS, _QUEUES = Path("/proc/net/stat/arp_cache"), Path("/proc/net/softnet_stat")
_TABLE_FULLS = "table_fulls"
_DROPPED = 1


def overflows() -> int:
    """How often since the machine has started the table had no room for another neighbour."""
    try:
        return read_overflows(_NEIGHBOURS.read_text())
    except OSError:
        return 0


def read_overflows(text: str) -> int:
    """Read the kernel's statistics, of all processors together."""
    heads, *rows = (line.split() for line in text.splitlines())
    return sum(int(dict(zip(heads, row, strict=False)).get(_TABLE_FULLS, "0"), 16) for row in rows)


def dropped_frames() -> int:
    """How many frames the machine's queues have dropped since it has started."""
    try:
        return read_dropped(_QUEUES.read_text())
    except OSError:
        return 0


def read_dropped(text: str) -> int:
    """Read the kernel's statistics, of all processors together."""
    return sum(int(line.split()[_DROPPED], 16) for line in text.splitlines())
