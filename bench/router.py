# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference as a NAT beside netfilter's masquerade, by turns in the same run: what passes, and how long it takes.

Client and server are kernel sockets in namespaces of their own; offloads are off on every wire, as the DUT contract has
it. What counts are the ratios: both have the same machine, with the same other load.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import router_ipff

ROOT = Path(__file__).parents[1]
ROUNDS, SECONDS = 3, 1.5
DEVICES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "masquerade": (["masquerade"], {}),
    "reference": ([], {}),
    "reference, by kernel": ([], {"nat": {"by_kernel": True}}),
}
"""The words after `python -m reference` for each device, and what it is told beside the rest."""

CONFIGURATION = {
    "protocol": "legacy",
    "role": "NAT",
    "networks": {
        "ipv4": {
            "inside": {"address": "10.0.0.1", "prefix_length": 16},
            "outside": {"address": "198.18.0.1", "prefix_length": 15},
        }
    },
}


OVER_IPFF = "reference, ipff"
"""No kernel speaks IPFF: there is no TCP of a kernel's, and no masquerade to compare with."""


def measured(words: list[str], configuration: dict[str, Any], seconds: float) -> dict[str, Any]:
    """One run with one device."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dut.json"
        path.write_text(json.dumps(configuration))
        command = [sys.executable, "-m", "bench.router_process", str(path), str(seconds), *words]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return dict(json.loads(done.stdout))


def figures(runs: list[dict[str, Any]]) -> dict[str, float]:
    """The median of each figure over the rounds."""
    trips = [sorted(run["round_trips"]) for run in runs]
    found = {name: statistics.median(run[name] for run in runs) for name in ("bytes", "packets", "connections")}
    return {
        **found,
        "p50": statistics.median(one[len(one) // 2] for one in trips),
        "p99": statistics.median(one[len(one) * 99 // 100] for one in trips),
    }


ROWS = {
    "bytes": ("TCP, over ipff datagrams of 1,300 bytes, Mbit/s", 8e-6),
    "packets": ("datagrams of 60 bytes, thousands a second", 1e-3),
    "connections": ("new connections a second", 1.0),
    "p50": ("round trip p50, ms", 1e3),
    "p99": ("round trip p99, ms", 1e3),
}


def main(rounds: int = ROUNDS, seconds: float = SECONDS) -> int:
    """Measure by turns, and print a table."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in DEVICES}
    for _ in range(rounds):
        for name, (words, told) in DEVICES.items():
            configuration = {**CONFIGURATION, "legacy": {"outside_mtu": 1500, **told}}
            runs[name].append(measured(words, configuration, seconds))
        runs.setdefault(OVER_IPFF, []).append(measured([], router_ipff.CONFIGURATION, seconds))
    found = {name: figures(some) for name, some in runs.items()}
    table = Table("", *runs, title="A NAT between two wires, and how it compares with masquerade")
    for key, (what, scale) in ROWS.items():
        numbers = [one[key] * scale for one in found.values()]
        ratios = [f"{number:.2f} (x {number / numbers[0]:.2f})" if number else "" for number in numbers[1:]]
        table.add_row(what, f"{numbers[0]:.2f}", *ratios)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
