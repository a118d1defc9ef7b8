# SPDX-License-Identifier: GPL-2.0-or-later
"""What a case costs the process that keeps the results, beyond an empty test of pytest in the same minute.

`python -m bench.journal 1000 10000 50000` measures these numbers of made-up cases; of what grows from one number to the
next each case has its part, so that what every run costs once is left out.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
FEW, SIZES = 10, (1000, 2000)
MOST_CPU_MS = 2.0
MOST_MEMORY_KB = 3.0
DRIFT = 1.5
"""How much dearer a case may be among the most of them: linear is 1, and no machine is quiet."""

_TESTS = "import pytest\n\n@pytest.mark.parametrize('number', range({count}))\ndef test_made_up(number):\n    pass\n"


class Cost(NamedTuple):
    """Processor time and greatest memory of the process that keeps the results."""

    cpu_s: float
    memory_kb: float


def cost(folder: Path, count: int, *, cases: bool) -> Cost:
    """The cost of a run in two processes, of made-up cases or of empty tests."""
    (folder / "test_made_up.py").write_text(_TESTS.format(count=count))
    (folder / "pytest.ini").write_text("[pytest]\n")
    figures = folder / "figures.json"
    common = ["test_made_up.py", "-n", "2", "-q", "-p", "no:cacheprovider", "-p", "bench.made_up"]
    profile = ["--dut", str(ROOT / "profiles/reference.toml"), "--report", str(folder / "report")]
    ours = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "conftest", *profile]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "FIGURES": str(figures)} | ({"MADE_UP": "1"} if cases else {})
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *common, *(ours if cases else [])],
        cwd=folder, env=environment, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode != int(cases):  # some of the made-up cases fail
        raise RuntimeError(done.stdout[-2000:])
    return Cost(**json.loads(figures.read_text()))


def main(sizes: Sequence[int] = SIZES) -> int:
    """Print the table; 1 if a case costs more than is allowed, or more the more there are."""
    table = Table(title="The process that keeps the results, for each case")
    for column in ("cases", "CPU ms", "empty test", "beyond", "memory kB", "empty test", "beyond", "results.json MB"):
        table.add_column(column, justify="right")
    beyond = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = []
        for count in (FEW, *sizes):
            found.append((count, cost(folder, count, cases=False), cost(folder, count, cases=True)))
        written = (folder / "report/results.json").stat().st_size / 1e6
    for (few, *less), (count, *more) in itertools.pairwise(found):
        each = [
            ((now.cpu_s - before.cpu_s) * 1000 / (count - few), (now.memory_kb - before.memory_kb) / (count - few))
            for before, now in zip(less, more, strict=True)
        ]
        (empty_cpu, empty_memory), (cpu, memory) = each
        beyond.append((cpu - empty_cpu, memory - empty_memory))
        numbers = (cpu, empty_cpu, cpu - empty_cpu, memory, empty_memory, memory - empty_memory)
        size = f"{written:.1f}" if count == sizes[-1] else ""
        table.add_row(f"{count:,}", *(f"{number:.2f}" for number in numbers), size)
    Console(width=120).print(table)
    # The first row also has what a run costs once with its first cases: templates, tables, caches.
    later = beyond[1:] or beyond
    cheap = all(cpu <= MOST_CPU_MS and memory <= MOST_MEMORY_KB for cpu, memory in later)
    linear = later[-1][0] <= DRIFT * max(later[0][0], 0.1)
    Console().print(
        f"{'within' if cheap else 'NOT within'} {MOST_CPU_MS} ms and {MOST_MEMORY_KB} kB beyond an empty test; "
        f"{'linear' if linear else 'NOT linear'}"
    )
    return 0 if cheap and linear else 1


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]] or SIZES))
