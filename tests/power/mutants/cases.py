# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite's cases in a warm process: collected once, run in forks, each run against a reference of its own.

A run ends at the first finding. What is left of it ends with its process: the supervisor, and with it every device.
"""

import json
import os
import queue
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pytest

from profiles import Profile, load
from testbed.case.case import Case, CaseSpec
from testbed.case.verdict import Verdict
from testbed.device import linux
from testbed.interruptions import DeviceLost
from testbed.run import fixtures
from testbed.run.attempts import Outcome
from testbed.run.plugin import SPEC
from testbed.run.session import TestSession

ROOT = Path(__file__).resolve().parents[3]
_PROFILE = ROOT / "tests/profiles/short-end-hosts.toml"
_HURTS = (Verdict.INCONCLUSIVE, Verdict.ERROR)


@dataclass(frozen=True)
class Ended:
    """How a run ended. `found` is FAIL, DEVIATION, "lost" where the device is, "late" where the run was, or nothing.

    `case`, `requirement` and `reason` are those of what was found; `hurt` are the cases without a verdict, `names` what
    each case's devices called themselves.
    """

    found: str = ""
    case: str = ""
    requirement: str = ""
    reason: str = ""
    hurt: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_noticed(self) -> bool:
        """Whether a case has judged the device wrong."""
        return self.found in (Verdict.FAIL, Verdict.DEVIATION)


class Cases:
    """All cases of every role, by id."""

    def __init__(self, items: Iterable[pytest.Item]) -> None:
        self._items = {item.stash[SPEC].id: item for item in items if SPEC in item.stash}

    def ids(self) -> list[str]:
        """Those that the profile does not rule out."""
        return [name for name, item in self._items.items() if not item.stash[SPEC].not_applicable]

    def spec(self, identifier: str) -> CaseSpec:
        """What a case is."""
        return self._items[identifier].stash[SPEC]

    def run(
        self, order: Path, identifiers: Sequence[str], *, alone: bool = False, to_the_end: bool = False, limit_s: int
    ) -> Ended:
        """Run cases, in a process of their own, against the reference that `order` describes (launcher).

        `alone` gives each a device of its own; `to_the_end` goes on after a finding.
        """
        reader, writer = os.pipe()
        owner = os.getpid()
        with tempfile.TemporaryDirectory(prefix="mutants-", dir=order.parent) as folder:
            pid = os.fork()
            if pid == 0:
                os.close(reader)
                self._child(owner, writer, order, identifiers, Path(folder), alone, to_the_end, limit_s)
            os.close(writer)
            with os.fdopen(reader) as told:
                said = told.read()
            os.waitpid(pid, 0)
        return Ended(**json.loads(said)) if said else Ended("late", reason=f"no end within {limit_s} s")

    def _child(
        self,
        owner: int,
        writer: int,
        order: Path,
        identifiers: Sequence[str],
        folder: Path,
        alone: bool,
        to_the_end: bool,
        limit_s: int,
    ) -> None:
        try:
            linux.die_with_parent(owner)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(limit_s)
            tempfile.tempdir = str(folder)
            for stream in (1, 2):
                os.dup2(os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
            session = _Session(_profile(order), order)
            cases = [self._runnable(one, session, alone) for one in identifiers]
            ended = session.run(cases, to_the_end)
            os.write(writer, json.dumps(asdict(ended)).encode())
        except BaseException:
            sys.excepthook(*sys.exc_info())
            (order.parent.parent / "trouble.txt").write_bytes((folder / "said").read_bytes())
        finally:
            os._exit(0)

    def _runnable(self, identifier: str, session: "_Session", alone: bool) -> tuple[CaseSpec, Callable[[Case], None]]:
        item = self._items[identifier]
        assert isinstance(item, pytest.Function)

        def body(case: Case) -> None:
            session.names.setdefault(identifier, set()).add(case.setup.dut.name)
            fixtures.call(item, {"case": case})

        spec = item.stash[SPEC]
        return replace(spec, exclusive=spec.exclusive or alone), body


class _Session(TestSession):
    """Tells each outcome as it comes."""

    __test__ = False

    def __init__(self, profile: Profile, order: Path) -> None:
        super().__init__(profile, 1, int.from_bytes(os.urandom(4)))
        self._told: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.names: dict[str, set[str]] = {}

    def run(self, cases: list[tuple[CaseSpec, Callable[[Case], None]]], to_the_end: bool) -> Ended:
        """Start the cases and see what comes of them."""
        hurt: list[str] = []
        found = Ended()
        self.start(cases)
        for _ in cases:
            outcome = self._told.get()
            one = _ended(outcome)
            if one.found and not found.found:
                found = one
            if outcome.verdict in _HURTS:
                hurt.append(f"{outcome.spec.id}: {outcome.verdict}: {outcome.finding.reason[-300:]}")
            if one.found and not to_the_end:
                return replace(found, hurt=hurt)
            if one.found:
                hurt.append(f"{outcome.spec.id}: {one.found}: {one.reason[:300]}")
        self.close()
        if self.lost and not found.found:
            found = Ended("lost", reason=str(self.lost)[:300])
        return replace(found, hurt=hurt, names={name: sorted(said) for name, said in self.names.items()})

    def _runner(self, spec: CaseSpec, body: Callable[[Case], None]) -> Callable[[], Outcome]:
        run = super()._runner(spec, body)

        def telling() -> Outcome:
            outcome = run()
            self._told.put(outcome)
            return outcome

        return telling


def _ended(outcome: Outcome) -> Ended:
    """What one outcome means for the run."""
    if outcome.verdict in (Verdict.FAIL, Verdict.DEVIATION):
        requirement = outcome.spec.requirements[0].id
        return Ended(outcome.verdict.value, outcome.spec.id, requirement, outcome.finding.reason[:300])
    if isinstance(outcome.error, DeviceLost) or outcome.verdict is Verdict.NOT_RUN:
        return Ended("lost", outcome.spec.id, reason=str(outcome.error)[:300])
    return Ended()


def _profile(order: Path) -> Profile:
    """Every role at short timers; the device is the launcher's."""
    profile = load(_written(order.parent))
    command = ["{python}", "-m", "tests.power.mutants.launcher", str(order)]
    update = {"command": command, "fork_server": [*command, "--fork-server"]}
    return profile.model_copy(update={"dut": profile.dut.model_copy(update=update)})


def _written(folder: Path) -> Path:
    """The profile of the end hosts, with the legacy host beside them."""
    path = folder / "every-role.toml"
    if not path.exists():
        text = _PROFILE.read_text()
        path.write_text(text.replace("[ics.rehash]", '[ics.legacy]\nroles = ["host"]\n\n[ics.rehash]'))
    return path


def with_cases(folder: Path, work: Callable[[Cases], None]) -> None:
    """Collect the cases of every role and do the work with them. RuntimeError where they cannot be collected."""
    done = []

    class Work:
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self, session: pytest.Session) -> bool:
            work(Cases(session.items))
            done.append(True)
            return True

    arguments = [str(ROOT / "conformance"), "--collect-only", "-s", "-p", "no:terminal", "-p", "no:cacheprovider"]
    code = pytest.main([*arguments, "-n0", "--dut", str(_written(folder))], plugins=[Work()])
    if not done:
        raise RuntimeError(f"the cases could not be collected: pytest ended with {code}")
