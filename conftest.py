# SPDX-License-Identifier: GPL-2.0-or-later
"""Joins the parts for pytest: cases from marks and catalogue, results from verdicts, reports from results."""

import hashlib
import os
import platform
import shlex
import sys
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import catalogue
from conformance.applicability import unclaimed
from conformance.plugin import program, started_by
from conformance.selection import case_folders, no_role, roles_left_out, suite
from profiles import Profile
from testbed.interruptions import cannot_write
from testbed.run.completeness import ENDED, Completeness
from testbed.run.narrowing import narrowing
from testbed.run.origin import user
from testbed.run.plugin import PROFILE, SPEC

if TYPE_CHECKING:  # workers load nothing of the reports
    from reports.model import RequirementResult, Results, Specification
    from reports.official import Official

Status = tuple[str, str, str]
REPORT = pytest.StashKey["ReportFolder"]()
"""On the configuration: the folder that the run's results go to, where it has any."""

DECIDED = "roamproof_decided"
"""Option of a run that goes on: the ids of the cases that it has decided before."""

ROOT = Path(__file__).parent

INTERRUPTED = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("roamproof")
    group.addoption("--strict-verdict", action="store_true", help="a broken should makes the device not conformant")
    group.addoption("--brief", action="store_true", help="no letter a case; a line every ten seconds, then the summary")
    group.addoption("--resume", action="store_true", help="go on with the run in the folder of --report")
    group.addoption("--official", action="store_true", help="a whole run of a clean suite, with declaration and report")
    group.addoption("--bundle", default="", metavar="FILE", help="put the evidence of the run into one archive")
    group.addoption("--sign-key", default="", metavar="FILE", help="sign the bundle with this SSH private key")
    group.addoption("--tested-by", metavar="NAME", help="who tests: stands in the certificate (default: the user)")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """Take the report's folder before anything can be wrong with the run: what lies there is of this run or of none."""
    if config.getoption("--dut") and not hasattr(config, "workerinput") and not config.option.collectonly:
        from reports.folder import FolderError, ReportFolder
        from reports.verdicts import ExitCode

        try:
            path, resume = Path(config.getoption("--report")), config.getoption("--resume")
            config.stash[REPORT] = ReportFolder(path, goes_on=resume)
        except FolderError as error:
            raise pytest.UsageError(str(error)) from None
        except OSError as error:
            sys.stderr.write(f"{cannot_write(error)}\n")
            raise SystemExit(ExitCode.MACHINE) from None
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep results where a device is judged; workers leave that to the controller."""
    if REPORT in config.stash:
        from reports.verdicts import ExitCode

        profile = config.stash[PROFILE]
        if not profile.claimed:
            pytest.exit(no_role(profile), ExitCode.NOTHING_SELECTED)
        try:
            config.pluginmanager.register(ResultsPlugin(config))
        except ValueError as error:  # of the reports, one line each
            raise pytest.UsageError(str(error)) from None
        except OSError as error:
            pytest.exit(str(cannot_write(error)), ExitCode.MACHINE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A run that goes on leaves out what it has decided."""
    if decided := set(getattr(config.option, DECIDED, ())):
        gone = {item: None for item in items if SPEC in item.stash and item.stash[SPEC].id in decided}
        config.hook.pytest_deselected(items=list(gone))
        items[:] = [item for item in items if item not in gone]


class ResultsPlugin:
    """The journal from the first case on, results.json and reports at the end."""

    def __init__(self, config: pytest.Config) -> None:
        from reports.keeper import Keeper
        from reports.progress import Progress
        from reports.run_options import seal, taken_up

        self._completeness: Completeness = config.pluginmanager.get_plugin("roamproof completeness")
        folder, option = config.stash[REPORT].path, config.option
        profile = config.stash[PROFILE]
        self._seal = seal(
            folder, option.bundle, option.sign_key, profile.path, ROOT / "requirements.lock", _official(config)
        )
        head = _empty_results(config)
        before = taken_up(folder, resume=option.resume)
        if before:
            before.check(head, folder)
            head.started, head.command = before.results.started, before.results.command
            setattr(option, DECIDED, before.ids)  # xdist hands it to every process
        already_s = before.results.figures.wall_s if before else 0.0
        self.keeper = Keeper(head, folder, already_s, before.told if before else ())
        self.progress = Progress(brief=option.brief)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionstart(self) -> Iterator[None]:
        """Start the test processes, where there are several."""
        from reports.verdicts import ExitCode

        try:
            return (yield)
        except EOFError:
            why = "a test process has ended while it was started; run it again, with fewer of them (-n)"
            pytest.exit(f"The tester's machine ended the run: {why}", ExitCode.MACHINE)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """A worker has collected: now the number of cases is known."""
        self.progress.total = len(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """The same without workers."""
        self.progress.total = self.progress.total or len(session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the outcome of a case."""
        if told := getattr(report, "case", None):
            try:
                self.keeper.add(told)
            except OSError as error:
                self._cannot_write(error)
            del told["line"]  # pytest keeps every report to the end
            self.progress.advance()
        if gave_out := getattr(report, "gave_out", None):
            self.keeper.give_out(**gave_out)

    def pytest_roamproof_figures(self, figures: dict[str, Any]) -> None:
        """Take in the figures of one process."""
        self.keeper.add_figures(figures)
        if gave_out := figures["gave_out"]:
            self.keeper.give_out(**gave_out)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Close the results; the exit code says what the run came to."""
        strict = session.config.getoption("--strict-verdict")
        unfinished = ""
        if exitstatus in INTERRUPTED and ENDED not in session.config.stash:
            unfinished = f"the run ended early: {pytest.ExitCode(exitstatus).name.lower().replace('_', ' ')}"
        try:
            code = self.keeper.close(strict=strict, interrupted=unfinished, seal=self._seal)
        except OSError as error:
            self._cannot_write(error)
            code = self.keeper.judge(strict=strict)
        session.exitstatus = code or exitstatus if unfinished else code

    def _cannot_write(self, error: OSError) -> None:
        """End the run: what it comes to cannot be kept."""
        self.keeper.give_out(line := str(cannot_write(error)), limit=True)
        self._completeness.end(line)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self, config: pytest.Config) -> Generator[None, Status, Status]:
        """Print no letter, where that is asked for."""
        status = yield
        return (status[0], "", "") if config.option.brief else status

    def pytest_terminal_summary(self) -> None:
        """Say the answer, what is broken, the figures and where the certificate is."""
        from rich.console import Console

        from reports.console import print_summary

        print_summary(
            self.keeper.results,
            Console(width=None if sys.stdout.isatty() else 100),
            self.keeper.folder / "certificate.html",
            self.keeper.cases,
        )


def _empty_results(config: pytest.Config) -> "Results":
    from reports.expected import Expectation
    from reports.model import Dut, Results, Suite, Tester, Verdict

    profile = config.stash[PROFILE]
    return Results(
        suite=Suite(**suite()),
        started=datetime.now(UTC).astimezone(),
        command=started_by() or shlex.join([*program(), *config.invocation_params.args]),
        seed=config.option.seed,
        selection=narrowing(config, case_folders(profile)),
        dut=Dut(
            name=profile.dut.name,
            vendor=profile.dut.vendor,
            version=profile.dut.version,
            profile=str(profile.path),
            profile_sha256=hashlib.sha256(profile.path.read_bytes()).hexdigest(),
            arguments=config.getoption("--dut-arg"),
            roles=[role.qualified for role in profile.claimed],
            left_out=roles_left_out(profile, config.getoption("--role")),
            networks=list(profile.ics.networks),
            ics=profile.ics.model_dump(mode="json"),
            ixit=profile.ixit.model_dump(mode="json"),
        ),
        tester=Tester(
            name=config.getoption("--tested-by") or user(),
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            python=sys.version.split()[0],
            scapy=version("scapy"),
            cpus=os.cpu_count() or 1,
        ),
        expected=[
            Expectation(requirement=one.requirement, verdict=Verdict(one.verdict), reason=one.reason)
            for one in profile.expected
        ],
        specifications=_specifications(profile),
        requirements=_requirements(profile),
    )


def _official(config: pytest.Config) -> "Official | None":
    """What makes the run official, where that is asked for. UsageError where it cannot be."""
    if not config.option.official:
        return None
    from conformance import official
    from reports.official import Official

    profile = config.stash[PROFILE]
    if why := official.refusal(config, profile):
        raise pytest.UsageError(why)
    assert profile.declaration
    declared, changed = official.declared(profile.declaration), list(official.changed(profile))
    return Official(declared, official.identities(profile), changed)


def _specifications(profile: Profile) -> "list[Specification]":
    """What the claimed roles are certified against."""
    from reports.model import Specification

    claimed = {role.protocol.upper() for role in profile.claimed}
    return [
        Specification(
            protocol=one.name,
            name=one.specification,
            title=one.title,
            revision=one.revision,
            sha256=hashlib.sha256(one.path.read_bytes()).hexdigest(),
        )
        for one in catalogue.load().protocols
        if one.name in claimed
    ]


def _requirements(profile: Profile) -> "list[RequirementResult]":
    """Everything in the catalogue for the claimed roles, and for those that they are judged by also."""
    from reports.model import RequirementResult, Verdict

    judged = {(role.protocol.upper(), name) for role in profile.claimed for name in role.judged_by}
    return [
        RequirementResult(
            id=one.id,
            section=f"{one.protocol} {one.section}",
            roles=list(one.roles),
            strength=one.strength,
            statement=one.statement,
            quote=one.quote,
            reading=one.reading,
            justification=one.justification,
            ixit=[*one.ics, *one.ixit],
            specification=one.specification,
            verdict=Verdict.NOT_APPLICABLE if (line := unclaimed(profile, one)) else Verdict.NOT_RUN,
            reason=line or one.no_case,
        )
        for one in catalogue.load()
        if judged & {(one.protocol, role) for role in one.roles}
    ]
