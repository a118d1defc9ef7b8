# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps the journal of a run while it goes on, and closes it: verdict, results.json, certificate, JUnit."""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reports.certificate import write_certificate
from reports.expected import against
from reports.folder import CERTIFICATE, JUNIT, OFFICIAL, RESULTS
from reports.journal import JOURNAL, Journal
from reports.junit import write_junit
from reports.model import Figures, Results, aggregate, judge
from reports.scope import scoped
from reports.seal import Seal

NO_SEAL = Seal()
CHANGED = "has changed since it was written, and not by this run"


class Keeper:
    """Collects the outcomes of one run in `folder`, which is empty; `already_s` is time that it took before.

    `earlier` are the cases that an earlier part of the same run has told, which lie in the folder.
    """

    def __init__(
        self, results: Results, folder: Path, already_s: float = 0.0, earlier: Sequence[dict[str, Any]] = ()
    ) -> None:
        self.results = results
        self.folder = folder
        self._started = time.monotonic() - already_s
        self._lost, self._limit = "", ""
        self._figures = {"waits_sum_s": 0.0, "longest_chain_s": 0.0, "cpu_s": 0.0}
        self.cases = Journal(folder / JOURNAL, results, earlier)
        self._captures: dict[str, str] = {one["evidence"]: one["evidence_sha256"] for one in earlier if one["evidence"]}

    def add(self, told: dict[str, Any]) -> None:
        """Take in one case: its `line`, and beside it `id`, `verdict` and `requirements`. It is on disk at once.

        `evidence` and `evidence_sha256` name the capture, where there is one, and its digest as it was written.
        """
        self.cases.add(told)
        if told.get("evidence"):
            self._captures[told["evidence"]] = told["evidence_sha256"]

    def add_figures(self, figures: dict[str, Any]) -> None:
        """Take in one process's figures: waits and processor time add up, chains do not."""
        for name in ("waits_sum_s", "cpu_s"):
            self._figures[name] += figures[name]
        self._figures["longest_chain_s"] = max(self._figures["longest_chain_s"], figures["longest_chain_s"])
        name, version = figures["device"]
        if version and not self.results.dut.version:
            self.results.dut = self.results.dut.model_copy(update={"version": version})

    def give_out(self, why: str, *, limit: bool) -> None:
        """The device, or with `limit` what the tester's machine gives, is gone; the first reason stays."""
        if limit:
            self._limit = self._limit or why
        else:
            self._lost = self._lost or why

    def close(self, *, strict: bool, interrupted: str = "", seal: Seal = NO_SEAL) -> int:
        """Judge the run and write everything; the exit code. OSError if anything cannot be written, or if
        something else has written to the journal: then all is gone.

        What is left is the journal, as of a run that has died: no file says more than another.
        """
        if not self.cases.is_as_written():
            self.cases.index.clear()  # nothing in it counts any more
            raise OSError(errno.EIO, CHANGED, str(self.folder / JOURNAL))
        if changed := self._changed_capture():
            self.give_out(f"{changed} {CHANGED}", limit=True)
            seal = NO_SEAL
        self.results.finished = datetime.now(UTC).astimezone()
        code = self.judge(strict=strict, interrupted=interrupted)
        try:
            write_certificate(self.results, self.folder, cases=self.cases, signature=seal.line)
            write_junit(self.results, self.folder / JUNIT, self.cases)
            self.results.write(self.folder / RESULTS, map(self.cases.line, self.cases.index))
            self.cases.write_head(self.results)
            seal.close(self.folder, self.results, self.cases)
        except OSError:
            for name in (CERTIFICATE, JUNIT, RESULTS, *OFFICIAL):
                (self.folder / name).unlink(missing_ok=True)
            raise
        return code

    def _changed_capture(self) -> str:
        """The first capture that something else has changed, or removed, while the run went on."""
        for name, digest in self._captures.items():
            try:
                content = (self.folder / name).read_bytes()
            except OSError:
                return name
            if digest and hashlib.sha256(content).hexdigest() != digest:
                return name
        return ""

    def judge(self, *, strict: bool, interrupted: str = "") -> int:
        """Verdict and reason of the run as far as it has come, requirement by requirement; the exit code."""
        results, index = self.results, self.cases.index
        if interrupted and not self._lost and not self._limit:
            results.reason = interrupted
        else:
            judgement = judge(index, strict=strict, unreachable=self._lost, limit=self._limit)
            found = aggregate(results.requirements, index)
            judgement = scoped(against(judgement, results.expected, found), results, found)
            results.verdict, results.reason = judgement.verdict, judgement.reason
            results.exit_code = int(judgement.exit_code)
            results.state = "incomplete" if self._lost or self._limit else "complete"
        results.requirements = aggregate(results.requirements, index)
        results.figures = Figures(wall_s=time.monotonic() - self._started, cases=len(index), **self._figures)
        return results.exit_code or 0
