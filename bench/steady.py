# SPDX-License-Identifier: GPL-2.0-or-later
"""Is a verdict the same every time? The reference is certified again and again, on a machine that is made worse.

Ten runs as it is, ten with a process on every processor that never rests and four test processes, ten in which test
processes and devices are stopped by a signal at random moments for up to 2.5 s. No verdict may differ from that of the
first run, and none may stay inconclusive. The table stands in docs/steady.md.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.processes import DEVICES, WORKERS, Looking
from bench.speed import commit, machine

TABLE = Path(__file__).parents[1] / "docs/steady.md"
RUNS = 10
_COMMAND = [
    "-m",
    "pytest",
    "conformance",
    "--dut",
    "profiles/reference.toml",
    "-q",
    "--tb=no",
    "-p",
    "no:cacheprovider",
]
_LONGEST_STALL_S = 2.5
_LONGEST_PAUSE_S = 3.0

Disturb = Callable[["subprocess.Popen[str]"], AbstractContextManager[object]]


@dataclass(frozen=True)
class Run:
    """One certification: how it went, and the verdict of every case."""

    condition: str
    wall_s: float
    verdict: str
    cases: dict[str, str]
    repeated: int

    def differing(self, first: "Run") -> dict[str, str]:
        """The cases whose verdict is not that of the first run."""
        return {case: verdict for case, verdict in self.cases.items() if first.cases.get(case) != verdict}


@contextmanager
def busy(_: "subprocess.Popen[str]") -> Iterator[None]:
    """A process for every processor that never rests."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


@contextmanager
def stalling(run: "subprocess.Popen[str]") -> Iterator[None]:
    """Stop a test process or a device now and then, and let it go on."""
    looking, ended = Looking(run.pid), threading.Event()

    def stall() -> None:
        while not ended.wait(random.uniform(0.2, _LONGEST_PAUSE_S)):
            if running := looking.running(WORKERS, DEVICES):
                pid = random.choice(running)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    ended.wait(random.uniform(0.05, _LONGEST_STALL_S))
                    os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=stall, name="stalls", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        looking.stop()


CONDITIONS: dict[str, tuple[Disturb, list[str]]] = {
    "as it is": (lambda _: nullcontext(), []),
    "busy, -n 4": (busy, ["-n", "4"]),
    "stalls": (stalling, []),
}


def certify(condition: str) -> Run:
    """One run under a condition. LookupError with the end of its output where it comes to no results."""
    disturb, options = CONDITIONS[condition]
    with tempfile.TemporaryDirectory(prefix="roamproof-steady-") as name:
        started, output = time.monotonic(), Path(name, "output.txt")
        command = [sys.executable, *_COMMAND, "--report", f"{name}/out", *options]
        with output.open("w") as stream:
            process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, text=True)
            with disturb(process):
                process.wait()
        wall_s = time.monotonic() - started
        try:
            results = json.loads(Path(name, "out/results.json").read_text())
        except (OSError, ValueError):
            raise LookupError(output.read_text()[-2000:]) from None
    cases = {case["id"]: case["verdict"] for case in results["cases"]}
    repeated = sum(case["attempts"] > 1 for case in results["cases"])
    return Run(condition, wall_s, results["verdict"], cases, repeated)


def main(*, runs: int = RUNS, write: bool = False) -> int:
    """Certify under every condition, print the table, and with `write` keep it; 1 where a verdict differs."""
    before, done = machine(), list[Run]()
    for condition in CONDITIONS:
        for _ in range(runs):
            done.append(certify(condition))
            sys.stderr.write(_row(len(done), done[-1], done[0]) + "\n")
    text = _page(before, done)
    sys.stdout.write(text)
    if write:
        TABLE.write_text(text)
    return int(any(run.differing(done[0]) or _undecided(run) for run in done))


def _undecided(run: Run) -> int:
    return sum(verdict == "INCONCLUSIVE" for verdict in run.cases.values())


def _page(before: str, runs: list[Run]) -> str:
    differing = sorted(
        {f"{case}: {verdict} ({run.condition})" for run in runs for case, verdict in run.differing(runs[0]).items()}
    )
    head = "| run | condition | wall, s | verdict | cases | repeated | inconclusive | differing |"
    sections = [
        "# Is it the same every time?",
        "Written by `make steady`: the reference certified again and again. `busy` has a process on every processor\n"
        "that never rests, `stalls` stops test processes and devices by a signal for up to 2.5 s. `repeated` cases\n"
        "needed more than one attempt; `differing` ones came to another verdict than in the first run.",
        f"Tree: {commit()}.\n\nMachine: {before}.",
        "\n".join(
            [
                head,
                "| --- | --- " + "| ---: | --- " + "| ---: " * 4 + "|",
                *(_row(number, run, runs[0]) for number, run in enumerate(runs, 1)),
            ]
        ),
        "\n".join(f"- {line}" for line in differing) or "No verdict differs.",
    ]
    return "\n\n".join(sections) + "\n"


def _row(number: int, run: Run, first: Run) -> str:
    figures = [len(run.cases), run.repeated, _undecided(run), len(run.differing(first))]
    words = [str(number), run.condition, f"{run.wall_s:.1f}", run.verdict, *map(str, figures)]
    return f"| {' | '.join(words)} |"
