# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps results.json true while a run goes on, and closes it: verdict, certificate, JUnit."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reports.certificate import write_certificate
from reports.junit import write_junit
from reports.model import CaseResult, Figures, Results, aggregate, judge

RESULTS = "results.json"
CERTIFICATE = "certificate.html"
JUNIT = "junit.xml"

_WRITE_INTERVAL_S = 0.5


class Keeper:
    """Collects the outcomes of one run in `folder`; what an earlier run left there is removed first."""

    def __init__(self, results: Results, folder: Path) -> None:
        self.results = results
        self.folder = folder
        self._catalogue = results.requirements
        self._started = time.monotonic()
        self._written = 0.0
        self._lost = ""
        self._figures = {"waits_sum_s": 0.0, "longest_chain_s": 0.0, "cpu_s": 0.0}
        for name in (RESULTS, CERTIFICATE, JUNIT):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "evidence", ignore_errors=True)
        self._write()

    def add(self, entry: dict[str, Any]) -> None:
        """Take in one case; the file is brought up to date at once, or with the next case if that comes quickly."""
        case = CaseResult.model_validate(entry, strict=False)
        self.results.cases = [*self.results.cases, case]
        if time.monotonic() - self._written > _WRITE_INTERVAL_S:
            self._write()

    def add_figures(self, figures: dict[str, Any]) -> None:
        """Take in one process's figures: waits and processor time add up, chains do not."""
        for name in ("waits_sum_s", "cpu_s"):
            self._figures[name] += figures[name]
        self._figures["longest_chain_s"] = max(self._figures["longest_chain_s"], figures["longest_chain_s"])
        self._lost = self._lost or figures["lost"]
        name, version = figures["device"]
        if version and not self.results.dut.version:
            self.results.dut = self.results.dut.model_copy(update={"version": version})

    def close(self, *, strict: bool, interrupted: str = "") -> int:
        """Judge the run and write everything; the exit code."""
        results = self.results
        results.finished = datetime.now(UTC).astimezone()
        if interrupted and not self._lost:
            results.reason = interrupted
        else:
            judgement = judge(results.cases, strict=strict, unreachable=self._lost)
            results.verdict, results.reason = judgement.verdict, judgement.reason
            results.exit_code = int(judgement.exit_code)
            results.state = "incomplete" if self._lost else "complete"
        self._write()
        write_certificate(results, self.folder)
        write_junit(results, self.folder / JUNIT)
        return results.exit_code or 0

    def _write(self) -> None:
        self.results.requirements = aggregate(self._catalogue, self.results.cases)
        self.results.figures = Figures(
            wall_s=time.monotonic() - self._started, cases=len(self.results.cases), **self._figures
        )
        self.results.write(self.folder / RESULTS)
        self._written = time.monotonic()
