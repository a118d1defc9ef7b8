# SPDX-License-Identifier: GPL-2.0-or-later
"""What a certification of the reference costs: processor time of each part, wall by processes, growth with the cases.

Beside it stands what empty cases cost under xdist in the same hour. Seconds are those of this machine; whoever compares
two trees measures both on one machine, one after the other.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import CONTROLLER, DEVICES, PARTS, WORKERS, Usage, measure

TABLE = Path(__file__).parents[1] / "docs/speed.md"
BY_HAND = "\n## A router between two wires\n"
"""What stands from here on is no table of this benchmark's."""
PROFILE = "profiles/reference.toml"
_WITHIN_S = 900
_LAST_LINES = 15
_EMPTY = 1000
_CHAIN_SHARE = 1.5
_PROCESSORS = 2
_GROWING = CONTROLLER, WORKERS, DEVICES


class RunFailed(Exception):
    """A run came to no results; its last lines."""


@dataclass(frozen=True)
class Size:
    """Which cases are run, in how many processes, and how many times for the growth."""

    cases: str
    processes: tuple[int, ...]
    times: tuple[int, ...]


FULL = Size("conformance", (1, 2, 4), (1, 2, 4))
SHORT = Size("conformance/legacy", (1, 2), (1, 2))


@dataclass(frozen=True)
class Run:
    """A certification: its usage and the figures of its results."""

    processes: int
    times: int
    usage: Usage
    figures: dict[str, Any]
    verdict: str

    @property
    def cases(self) -> int:
        """How many cases it had."""
        return int(self.figures["cases"])

    @property
    def bound_s(self) -> float:
        """What the wall may be on two processors: 1.5 times the longest chain of mandated waits, and half the work."""
        return _CHAIN_SHARE * float(self.figures["longest_chain_s"]) + self.usage.cpu_s / _PROCESSORS

    @property
    def ms_a_case(self) -> float:
        """Processor milliseconds a case."""
        return self.usage.cpu_s * 1000 / self.cases


def certify(cases: str, processes: int, times: int) -> Run:
    """One run of the reference's cases, all its processes measured."""
    with tempfile.TemporaryDirectory(prefix="roamproof-speed-") as name:
        folder = Path(name)
        repeat = ["-p", "bench.repeat", "--times", str(times)] if times > 1 else []
        chosen = ["--dut", PROFILE, "--report", str(folder / "out"), "-n", str(processes), "-q", "--tb=no"]
        command = [sys.executable, "-m", "pytest", cases, *chosen, "-p", "no:cacheprovider", *repeat]
        usage = measure(command, folder, _WITHIN_S)
        try:
            results = json.loads((folder / "out/results.json").read_text())
        except (OSError, ValueError):
            raise RunFailed("\n".join(usage.output.splitlines()[-_LAST_LINES:])) from None
        return Run(processes, times, usage, results["figures"], results["verdict"])


def empty(count: int, processes: int) -> Usage:
    """So many empty cases under xdist, of nothing but pytest."""
    with tempfile.TemporaryDirectory(prefix="roamproof-speed-") as name:
        folder = Path(name)
        body = "import pytest\n\n\n@pytest.mark.parametrize('number', range({}))\ndef test_empty(number):\n    pass\n"
        (folder / "test_empty.py").write_text(body.format(count))
        plugins = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:allure_pytest"]
        chosen = ["-c", os.devnull, "--rootdir", name, "-n", str(processes), "-q", *plugins]
        usage = measure([sys.executable, "-m", "pytest", str(folder / "test_empty.py"), *chosen], folder, _WITHIN_S)
    if usage.code:
        raise RunFailed("\n".join(usage.output.splitlines()[-_LAST_LINES:]))
    return usage


def machine() -> str:
    """The machine in one line."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.machine()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    processors = len(os.sched_getaffinity(0))
    system = f"{platform.system()} {platform.release()}"
    return f"{model}, {processors} processors, {system}, Python {platform.python_version()}, load before {load}"


def commit() -> str:
    """The tree that was measured."""
    said = subprocess.run(["git", "describe", "--always", "--dirty"], text=True, capture_output=True, check=False)
    return said.stdout.strip() or "no repository"


def main(*, short: bool = False, write: bool = False) -> int:
    """Measure, print the tables, and with `write` keep them in docs/speed.md; 1 where a run came to nothing."""
    size, before = SHORT if short else FULL, machine()
    try:
        walls = [_told(certify(size.cases, processes, 1)) for processes in size.processes]
        most_alike = next(run for run in walls if run.processes == _PROCESSORS)
        growth = [most_alike] + [_told(certify(size.cases, _PROCESSORS, times)) for times in size.times[1:]]
        nothing = [(count, empty(count, _PROCESSORS)) for count in (_EMPTY, _EMPTY * size.times[-1])]
    except (RunFailed, subprocess.TimeoutExpired) as error:
        sys.stdout.write(f"a run came to no results:\n{error}\n")
        return 1
    text = _page(size, before, walls, growth, nothing)
    sys.stdout.write(text)
    if write:
        TABLE.write_text(text + "".join(TABLE.read_text().partition(BY_HAND)[1:]))
    return 0


def _told(run: Run) -> Run:
    sys.stderr.write(f"-n {run.processes}, {run.cases} cases: {run.usage.wall_s:.1f} s, {run.verdict}\n")
    return run


def _page(size: Size, before: str, walls: list[Run], growth: list[Run], nothing: list[tuple[int, Usage]]) -> str:
    alike = growth[0]
    (few, first), (many, last) = nothing
    each = (last.cpu_s - first.cpu_s) * 1000 / (many - few)
    more = (growth[-1].usage.cpu_s - alike.usage.cpu_s) * 1000 / (growth[-1].cases - alike.cases)
    sections = [
        "# How fast it is",
        "Written by `python -m bench speed --write`; `--short` takes a part of the cases. Seconds are those of one\n"
        "machine: compare two trees on one machine, one after the other.",
        f"Cases: `{size.cases}` of the reference, {alike.cases} of them. Tree: {commit()}.\n\nMachine: {before}.",
        "## Processor time by part",
        "\n".join(_parts(walls)),
        "`rest` is what ended between two looks at the processes, of which there are ten a second.",
        "## Wall by processes",
        "\n".join(_walls(walls)),
        "`bound` is 1.5 times the longest chain of mandated waits and half the processor time: two busy processors.",
        "## Growth",
        "\n".join(_growth(growth)),
        f"The same cases again, in {_PROCESSORS} processes: {more:.1f} ms of processor time for each case more.\n"
        f"An empty case of pytest under xdist costs {each:.2f} ms more in the same hour: {few} of them\n"
        f"{first.cpu_s:.1f} s, {many} of them {last.cpu_s:.1f} s.",
    ]
    return "\n\n".join(sections) + "\n"


def _parts(runs: list[Run]) -> list[str]:
    names = [f"-n {run.processes}, {what}" for what in ("s", "ms a case") for run in runs]
    lines = _head("part", *names)
    for part in PARTS:
        spent = [run.usage.parts[part] for run in runs]
        each = [seconds * 1000 / run.cases for seconds, run in zip(spent, runs, strict=True)]
        lines.append(_row(part, *(f"{one:.2f}" for one in spent), *(f"{one:.2f}" for one in each)))
    totals = [f"{run.usage.cpu_s:.2f}" for run in runs]
    return [*lines, _row("all", *totals, *(f"{run.ms_a_case:.2f}" for run in runs))]


def _walls(runs: list[Run]) -> list[str]:
    lines = _head("processes", "wall, s", "processor, s", "bound, s", "longest chain, s", "sum of waits, s", "verdict")
    for run in runs:
        waits = [f"{run.figures[name]:.1f}" for name in ("longest_chain_s", "waits_sum_s")]
        seconds = [f"{one:.1f}" for one in (run.usage.wall_s, run.usage.cpu_s, run.bound_s)]
        lines.append(_row(f"-n {run.processes}", *seconds, *waits, run.verdict))
    return lines


def _growth(runs: list[Run]) -> list[str]:
    names = [f"{part}, ms a case" for part in _GROWING]
    lines = _head("cases", "wall, s", "processor, s", "ms a case", *names, "controller's memory, MB", "verdict")
    for run in runs:
        each = [f"{run.usage.parts[part] * 1000 / run.cases:.1f}" for part in _GROWING]
        seconds = [f"{run.usage.wall_s:.1f}", f"{run.usage.cpu_s:.1f}", f"{run.ms_a_case:.1f}"]
        lines.append(_row(f"{run.cases}", *seconds, *each, f"{run.usage.most_memory_mb:.0f}", run.verdict))
    return lines


def _head(*names: str) -> list[str]:
    return [_row(*names), _row("---", *["---:"] * (len(names) - 1))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
