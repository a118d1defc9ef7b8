# SPDX-License-Identifier: GPL-2.0-or-later
"""Pytest side of the testbed: options, cases that run ahead, verdicts in pytest's words."""

import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from profiles import Profile, ProfileError, load
from testbed.case.case import Case, CaseSpec
from testbed.case.verdict import Finding, Verdict
from testbed.device import linux
from testbed.device.occupied import ALLOW, Occupation
from testbed.interruptions import Inconclusive, cannot_write
from testbed.run import fixtures, order
from testbed.run.attempts import Outcome, without_verdict
from testbed.run.completeness import END_EARLY, Completeness, Plan
from testbed.run.marks import MARKERS
from testbed.run.processes import default_processes, has_one_device, occupy, refusal
from testbed.run.record import failure_text, record, told
from testbed.run.session import TestSession
from testbed.run.shares import share, whole_shares
from testbed.run.signals import ignore_interrupts, take_interrupts

SPEC = pytest.StashKey[CaseSpec]()
"""On an item: the case it stands for; set by the project's conftest from marks and catalogue."""

PROFILE = pytest.StashKey[Profile]()
"""On the configuration: the profile of the device, absent where no case was asked for."""

_ENTRY = pytest.StashKey[dict[str, Any]]()
"""On an item: its entry of the results, from its outcome to its report; then empty."""

_OCCUPATION = pytest.StashKey[Occupation]()

_SESSION = pytest.StashKey[TestSession]()

_PYTEST = pytest.StashKey[pytest.Session]()

_SHORT = {
    Verdict.PASS: ".",
    Verdict.FAIL: "F",
    Verdict.DEVIATION: "D",
    Verdict.INFO: "i",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.INCONCLUSIVE: "?",
    Verdict.ERROR: "E",
    Verdict.NOT_RUN: "x",
}
_CATEGORY = {Verdict.PASS: "passed", Verdict.FAIL: "failed", Verdict.ERROR: "error", Verdict.NOT_APPLICABLE: "skipped"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("roamproof", "device under test")
    group.addoption("--dut", metavar="PROFILE", help="profile of the device, a TOML file (see docs/profile.md)")
    group.addoption(
        "--dut-arg", action="append", default=[], metavar="ARGUMENT", help="further argument of the device's command"
    )
    group.addoption(
        "--role",
        action="append",
        default=[],
        metavar="ROLE",
        help="certify this role alone, named as in a certificate: its protocol in front",
    )
    group.addoption(
        "--seed", type=int, metavar="NUMBER", help="of the random values of an earlier run (see its results)"
    )
    group.addoption(
        ALLOW, action="append", default=[], metavar="NAME", help="use this interface of the profile though others do"
    )
    group.addoption("--report", default="out", metavar="DIR", help="folder for results, certificate and evidence")


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """Read the profile, and choose the number of processes before xdist looks at it, where the user has not."""
    if path := config.getoption("--dut"):
        try:
            config.stash[PROFILE] = profile = load(
                Path(path), config.getoption("--dut-arg"), config.getoption("--role")
            )
        except ProfileError as error:
            raise pytest.UsageError(str(error)) from None
        if config.option.seed is None:
            config.option.seed = secrets.randbits(32)  # xdist hands it to every process
        if config.getoption("numprocesses", 0) is None and not config.getoption("tx", None):
            config.option.numprocesses = default_processes(config, profile)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if PROFILE not in config.stash:
        return
    profile = config.stash[PROFILE]
    take_interrupts()
    if _is_worker(config):
        signal.signal(END_EARLY, lambda *_: _end_early(config))
        linux.die_with_parent(os.getppid())
        # Ctrl-C at the terminal reaches every process: the controller alone decides, and sends SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        config.pluginmanager.register(Plan(SPEC), "roamproof plan")
    else:
        several = config.getoption("numprocesses", None) or config.getoption("tx", None)
        if several and (reason := refusal(profile)):
            raise pytest.UsageError(reason)
        if not config.option.collectonly:
            config.stash[_OCCUPATION] = occupy(profile, config.getoption(ALLOW))
            config.pluginmanager.register(Completeness(config, SPEC), "roamproof completeness")


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_PYTEST] = session


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=order.collected)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give every worker its part of the cases at once, so that it can start them all ahead."""
    if PROFILE not in config.stash:
        return None
    return whole_shares(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Once no case runs any more it is too late to interrupt the run: pytest would end without its results."""
    try:
        return (yield)
    finally:
        if PROFILE in session.config.stash:
            ignore_interrupts()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start this process's cases when the first of them comes up; keep pytest from setting their fixtures up."""
    if SPEC not in item.stash:
        return
    assert isinstance(item, pytest.Function)
    item.funcargs.update(dict.fromkeys(item.fixturenames))
    session = _test_session(item.config)
    if not session.knows(item.stash[SPEC].id):
        count = _processes(item.config)
        part = share(item.nodeid, count)
        mine = [one for one in item.session.items if SPEC in one.stash and share(one.nodeid, count) == part]
        key = order.starting_at_one_device if has_one_device(item.config.stash[PROFILE]) else order.starting
        session.start((one.stash[SPEC], _body(one)) for one in sorted(mine, key=key))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Wait for the outcome of the case and say it in pytest's words."""
    if SPEC not in pyfuncitem.stash:
        return None
    session = _test_session(pyfuncitem.config)
    outcome = session.outcome(pyfuncitem.stash[SPEC])
    try:
        with session.clock.announced():
            entry = record(outcome, Path(pyfuncitem.config.getoption("--report")), session.room)
    except OSError as error:
        session.lost = session.lost or cannot_write(error)
        outcome = without_verdict(outcome.spec, session.lost)
        entry = record(outcome, Path("."))
    pyfuncitem.stash[_ENTRY] = entry
    _attach_to_allure(pyfuncitem.config, entry)
    if outcome.verdict is Verdict.FAIL:
        raise AssertionError(outcome.finding.reason)
    if outcome.verdict in (Verdict.NOT_APPLICABLE, Verdict.NOT_RUN):
        pytest.skip(outcome.finding.reason)
    if outcome.verdict is Verdict.INCONCLUSIVE:
        raise Inconclusive(outcome.finding.reason)
    if outcome.verdict is Verdict.ERROR:
        raise outcome.error or RuntimeError(outcome.finding.reason)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if SPEC not in item.stash:
        return report  # type: ignore[no-any-return]  # pluggy's wrappers return what they were sent
    entry = item.stash.get(_ENTRY, None)
    if report.failed and entry is None:
        # Whatever went wrong around the case: it must not be missing from the results.
        entry = record(Outcome(item.stash[SPEC], Verdict.ERROR, Finding(report.longreprtext)), Path("."))
    elif call.when == "call" and entry and report.failed:
        quotes = [(one.id, one.quote) for one in item.stash[SPEC].requirements]
        report.longrepr = failure_text(entry, quotes)
    if entry:
        report.case = told(entry)
        item.stash[_ENTRY] = {}
        running = item.config.stash.get(_SESSION, None)
        report.gave_out = running.gave_out() if running else {}
    return report  # type: ignore[no-any-return]


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    entry = getattr(report, "case", None)
    if entry is None:
        return None
    verdict = Verdict(entry["verdict"])
    return _CATEGORY.get(verdict, verdict.lower()), _SHORT[verdict], verdict.value


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Take the device down; a worker hands its figures to the controller. It is too late to interrupt the run."""
    config = session.config
    if PROFILE in config.stash:
        ignore_interrupts()
    running = config.stash.get(_SESSION, None)
    if running is None:
        return
    running.close(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
    figures: dict[str, Any] = {**running.figures(), "device": running.device(), "gave_out": running.gave_out()}
    if _is_worker(config):
        config.workeroutput["roamproof"] = figures  # type: ignore[attr-defined]  # xdist's own way to hand over
    else:
        config.hook.pytest_roamproof_figures(config=config, figures=figures)


class Hooks:
    """Hooks that the testbed calls."""

    def pytest_roamproof_figures(self, config: pytest.Config, figures: dict[str, Any]) -> None:
        """Figures of one process: waits_sum_s, longest_chain_s, cpu_s, device (name, version), gave_out."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Pass a worker's figures on."""
    if figures := getattr(node, "workeroutput", {}).get("roamproof"):
        node.config.hook.pytest_roamproof_figures(config=node.config, figures=figures)


def _test_session(config: pytest.Config) -> TestSession:
    if _SESSION not in config.stash:
        config.stash[_SESSION] = TestSession(config.stash[PROFILE], _processes(config), config.option.seed)
    return config.stash[_SESSION]


def _body(item: pytest.Item) -> Any:
    assert isinstance(item, pytest.Function)

    def body(case: Case) -> None:
        fixtures.call(item, {"case": case})

    return body


def _end_early(config: pytest.Config) -> None:
    """End this worker in order: the run has come to its end in another one."""
    config.stash[_PYTEST].shouldstop = "the run ends early"
    if running := config.stash.get(_SESSION, None):
        running.give_up("the run ended before this case")


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _processes(config: pytest.Config) -> int:
    """How many share the cases of this run; the environment may be that of another run, which has started this one."""
    return int(getattr(config, "workerinput", {}).get("workercount", 1))


def _attach_to_allure(config: pytest.Config, entry: dict[str, Any]) -> None:
    if not config.getoption("allure_report_dir", None):
        return
    import allure

    allure.dynamic.description(entry["purpose"])
    allure.dynamic.epic(entry["section"].split()[0] if entry["section"] else "")
    allure.dynamic.label("verdict", entry["verdict"])
    for identifier in entry["requirements"]:
        allure.dynamic.tag(identifier)
    allure.attach(failure_text(entry, []), "case", allure.attachment_type.TEXT)
    if evidence := entry.get("evidence"):
        path = Path(config.getoption("--report")) / evidence
        allure.attach.file(str(path), path.name, "application/vnd.tcpdump.pcap", "pcapng")
