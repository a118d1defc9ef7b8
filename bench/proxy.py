# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference proxy of MSOCKS beside microsocks and danted, by turns in the same run: what passes, and how soon.

Client and server are kernel sockets in namespaces of their own; offloads are off on every wire, as the DUT contract has
it. What counts are the ratios: all have the same machine, with the same other load.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
ROUNDS, SECONDS, MOVES = 3, 1.0, 10
NUMBERS = ("1", "100", "1000")
DEVICES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "reference": ([], {}),
    "reference, splicing": ([], {"splicing": True}),
    "microsocks": (["microsocks"], {}),
    "danted": (["danted"], {}),
}
"""The words after `python -m reference` for each proxy, and what it is told beside the rest."""
_DAEMONS = "/usr/sbin:/usr/local/sbin"

CONFIGURATION = {
    "protocol": "msocks",
    "role": "proxy",
    "networks": {
        "ipv4": {
            "inside": {"address": "10.0.0.1", "prefix_length": 16},
            "outside": {"address": "198.18.0.1", "prefix_length": 15},
        }
    },
}
TOLD = {"port": 1080, "replay_bytes": 65536}


def measured(name: str, seconds: float) -> dict[str, Any]:
    """One run with one proxy."""
    words, told = DEVICES[name]
    moves = 0 if words else MOVES  # only ours know how
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dut.json"
        path.write_text(json.dumps({**CONFIGURATION, "msocks": {**TOLD, **told}}))
        command = [sys.executable, "-m", "bench.proxy_process", str(path), str(seconds), str(moves), *words]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


def _p50(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


ROWS: dict[str, tuple[Callable[[dict[str, Any]], float], float]] = {
    **{f"Mbit/s, {number} connections": (lambda run, number=number: run["bytes"][number], 8e-6) for number in NUMBERS},
    **{
        f"round trip p50 of {number}, ms": (lambda run, number=number: _p50(run["round_trips"][number]), 1e3)
        for number in NUMBERS
    },
    **{
        f"to open {number}, one after the other, ms each": (
            lambda run, number=number: run["opening"][number] / int(number),
            1e3,
        )
        for number in NUMBERS
    },
    "resident memory, MB": (lambda run: run["memory_kb"], 1e-3),
}
"""What is told of a run, and how it is scaled."""


def beside(ours: float, other: float) -> str:
    """A figure, and how ours compares."""
    return f"{other:.2f} (x {ours / other:.2f})" if other else "none"


def main(rounds: int = ROUNDS, seconds: float = SECONDS) -> int:
    """Measure by turns, and print a table."""
    path = f"{os.environ.get('PATH', '')}:{_DAEMONS}"
    names = [name for name, (words, _) in DEVICES.items() if not words or shutil.which(words[0], path=path)]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            runs[name].append(measured(name, seconds))
    table = Table("", *names, title="A SOCKS proxy between two wires, and how the reference compares with others")
    for what, (figure, scale) in ROWS.items():
        numbers = [statistics.median(figure(run) for run in runs[name]) * scale for name in names]
        table.add_row(what, f"{numbers[0]:.2f}", *(beside(numbers[0], one) for one in numbers[1:]))
    silences = {name: [gap for run in some for gap in run["gaps"]] for name, some in runs.items()}
    what = f"longest silence at the receiver in each of {rounds * MOVES} moves of a full stream, p50 and most, ms"
    table.add_row(what, *(f"{_p50(one) * 1e3:.1f}, {max(one) * 1e3:.1f}" if one else "" for one in silences.values()))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
