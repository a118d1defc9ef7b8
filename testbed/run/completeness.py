# SPDX-License-Identifier: GPL-2.0-or-later
"""No case is ever missing: what was collected and never reported is reported as NOT RUN, with the reason."""

import contextlib
import json
import os
import signal
import zlib
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import pytest

from testbed.case.case import CaseSpec
from testbed.case.verdict import Finding, Verdict
from testbed.run.attempts import Outcome
from testbed.run.record import as_line, record, told

PLAN = "roamproof plan"
"""Key under which a worker hands over its plan: the number of all cases, and their lines, deflated."""

WRONG = "roamproof usage error"
"""Key under which it hands over what is wrong with a case or an option."""


END_EARLY = signal.SIGUSR1
"""Asks a worker to end in order, at once."""

ENDED = pytest.StashKey[str]()
"""On the configuration: why the suite itself ended the run early, where it did."""


class Plan:
    """In a worker: tells the controller at the end what all the cases are, or what is wrong with them.

    The controller itself collects nothing.
    """

    def __init__(self, spec: pytest.StashKey[CaseSpec]) -> None:
        self._spec = spec

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
        """Leave it to the controller to say that a case or an option is wrong: a worker cannot say it in one line."""
        try:
            return (yield)
        except pytest.UsageError as error:
            config.workeroutput[WRONG] = str(error)  # type: ignore[attr-defined]
            items.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the plan over, packed: it is looked into only where a case is missing."""
        lines = [as_line(entry) for entry in planned(session, self._spec, frozenset())]
        plan = len(lines), zlib.compress(b"\n".join(lines), 1)
        session.config.workeroutput[PLAN] = plan  # type: ignore[attr-defined]


class Completeness:
    """In the process that keeps the results: compares what was to run with what has been reported."""

    def __init__(self, config: pytest.Config, spec: pytest.StashKey[CaseSpec]) -> None:
        self._config = config
        self._spec = spec
        self._session: pytest.Session | None = None
        self._failed = 0
        self._reported: set[str] = set()
        self._plan: tuple[int, bytes] = (0, b"")
        self._workers: dict[str, int] = {}
        self._trouble = "the run ended before this case"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a case's report. A case counts once, also where a worker died between its report and its end."""
        if not getattr(report, "case", None):
            return
        if report.nodeid in self._reported:
            del report.case
        self._reported.add(report.nodeid)
        self._failed += report.failed
        if gave_out := getattr(report, "gave_out", None):
            self.end(gave_out["why"])
        elif 0 < (self._config.option.maxfail or 0) <= self._failed:
            self.end("the run was to end at the first failure (-x, --maxfail)")

    def end(self, why: str) -> None:
        """Let every process end in order, now; the first reason stays."""
        if ENDED in self._config.stash:
            return
        self._config.stash[ENDED] = self._trouble = why
        if self._session:
            self._session.shouldstop = "the run has come to an early end, see above"
        self._signal(END_EARLY)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._workers.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Note what can be told to stop."""
        self._session = session

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        """A worker has started; of one that execnet has not started on this machine the process is not known."""
        if popen := getattr(node.gateway._io, "popen", None):
            self._workers[node.gateway.id] = popen.pid

    def pytest_keyboard_interrupt(self) -> None:
        """Let the workers end in order at once; xdist would let them go on for five seconds."""
        self._signal(signal.SIGTERM)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        """A worker has ended; if it did so in order it has left the plan. UsageError with what it could not say."""
        self._workers.pop(node.gateway.id, None)
        left = getattr(node, "workeroutput", {})
        if WRONG in left:
            raise pytest.UsageError(left[WRONG])
        if error and ENDED not in self._config.stash:
            self._trouble = f"the test process {node.gateway.id} has died: {error}"
        self._plan = max(self._plan, left.get(PLAN, self._plan))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Report what is left; an interrupted run is marked incomplete as a whole."""
        unfinished = exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
        if unfinished and ENDED not in self._config.stash:
            return
        for entry in (*planned(session, self._spec, self._reported), *self._left_of_the_plan()):
            node, path = entry["node"], entry["node"].partition("::")[0]
            report = pytest.TestReport(
                nodeid=node,
                location=(path, None, node),
                keywords={},
                outcome="skipped",
                longrepr=(path, 0, self._trouble),
                when="call",
            )
            report.case = told(entry | {"reason": self._trouble})  # type: ignore[attr-defined]
            session.config.hook.pytest_runtest_logreport(report=report)

    def _left_of_the_plan(self) -> list[dict[str, Any]]:
        count, packed = self._plan
        if count <= len(self._reported):
            return []
        entries = map(json.loads, zlib.decompress(packed).splitlines())
        return [entry for entry in entries if entry["node"] not in self._reported]


def planned(session: pytest.Session, spec: pytest.StashKey[CaseSpec], but: Set[str]) -> Iterator[dict[str, Any]]:
    """The entries, verdict NOT RUN, of the cases that this process has collected, `but` for these node ids."""
    for item in getattr(session, "items", []):
        if spec in item.stash and item.nodeid not in but:
            yield record(Outcome(item.stash[spec], Verdict.NOT_RUN, Finding("")), Path("."))
