# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run has left behind, whatever was done to it: judged by the models of the reports and docs/exit-codes.md."""

import contextlib
import fcntl
import io
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from reports.__main__ import main as reports
from reports.files import ResultsError
from reports.folder import CERTIFICATE, JUNIT, RESULTS
from reports.journal import JOURNAL, read_journal
from reports.legend import EXIT_CODES
from reports.model import Results
from reports.verdicts import RunVerdict, Verdict, judge
from tests.testbed.going import Going

_UNBROKEN = {RunVerdict.CONFORMANT, RunVerdict.PARTIAL}

GONE_WITHIN_S = 20
_PRINTABLE = re.compile(r"[^\n\t -~\u00a1-\uffff]")
_CRASHES = "INTERNALERROR>", "Traceback (most recent call last)", "Fatal Python error"


@dataclass
class Judgement:
    """What is wrong with one attempt, in three lists and a time; each entry is a line."""

    code: int
    seconds: float
    output: str
    left_overs: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    wrong_codes: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All of them."""
        return [*self.left_overs, *self.invalid, *self.wrong_codes, *self.late]


def interfaces() -> set[str]:
    """The interfaces of this namespace: a run makes none here."""
    return {entry.name for entry in Path("/sys/class/net").iterdir()}


def judged(run: Going, allowed: frozenset[int], within_s: float, before: set[str], kept: str = "report") -> Judgement:
    """Wait for the end of a run, whose report is in the folder `kept`, and judge it; nothing of it stays."""
    began = time.monotonic()
    try:
        output, _ = run.process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        run.kill()
        output, _ = run.process.communicate()
        found = Judgement(run.process.returncode, time.monotonic() - began, output)
        found.late.append(f"no end within {within_s:g} s")
        return found
    except BaseException:
        run.kill()
        raise
    found = Judgement(run.process.returncode, time.monotonic() - began, output)
    found.left_overs += left_over(run, before)
    report = run.folder / kept
    if (report / JOURNAL).exists() or found.code >= 0:
        found.invalid += wrong_output(output)  # else it was killed before it was anything of ours
    found.invalid += invalid(report)
    found.wrong_codes += wrong_code(report, found.code, allowed)
    return found


def left_over(run: Going, before: set[str]) -> list[str]:
    """Processes, and with them namespaces; interfaces; the lock of the report's folder."""
    end = time.monotonic() + GONE_WITHIN_S
    while not run.is_gone() and time.monotonic() < end:
        time.sleep(0.05)
    found = [f"process {number}: {command_of(number)}" for number in run.processes()]
    run.kill()
    found += [f"interface {name}" for name in interfaces() - before]
    with contextlib.suppress(FileNotFoundError):
        folder = os.open(run.folder / "report", os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found.append("the lock of the report's folder")
        finally:
            os.close(folder)
    return found


def command_of(number: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{number}/cmdline").read_text().replace("\0", " ")[:100]
    return "(has ended)"


def wrong_output(output: str) -> Iterator[str]:
    """What a console must not show."""
    for word in _CRASHES:
        if word in output:
            yield f"the output has {word}: {output[output.index(word) :][:1500]}"
    if found := _PRINTABLE.search(output.replace("\x1b[?25h", "")):
        yield f"the output has the character {found[0]!r}: {output[found.start() - 60 : found.start() + 20]!r}"


def invalid(report: Path) -> Iterator[str]:
    """What of a report is not what it has to be; then it is made again from its journal, which must do too."""
    journal = report / JOURNAL
    if not journal.exists() or not journal.stat().st_size:
        if (report / RESULTS).exists():
            yield "results without a journal"
        return
    try:
        yield from _contradictions(report)
        if not (report / RESULTS).exists():
            with contextlib.redirect_stderr(trouble := io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                made = reports([str(report)])
            if made != 0:
                yield f"the report cannot be made from its journal: {trouble.getvalue()}"
            elif Results.load(report / RESULTS).state != "incomplete":
                yield "a run without results has a complete journal"
    except (ResultsError, ElementTree.ParseError, OSError, UnicodeError) as error:
        yield str(error)


def _contradictions(report: Path) -> Iterator[str]:
    head, cases = read_journal(report / JOURNAL)
    errors = [case.id for case in cases.index if case.verdict is Verdict.ERROR]
    if errors:
        yield f"the suite itself failed: {cases.whole(next(c for c in cases.index if c.id == errors[0])).reason[-700:]}"
    if (report / JUNIT).exists():
        entries = ElementTree.parse(report / JUNIT).getroot().findall(".//testcase")
        if len(entries) != len(cases.index):
            yield f"junit.xml has {len(entries)} cases, the journal {len(cases.index)}"
    if not (report / RESULTS).exists():
        return
    results = Results.load(report / RESULTS)
    if [case.id for case in results.cases] != [case.id for case in cases.index]:
        yield "results.json and the journal have other cases"
    if results.verdict != head.verdict or results.exit_code != head.exit_code:
        yield f"results.json says {results.verdict}, the journal {head.verdict}"
    if results.state == "complete":
        again = judge(results.cases)
        if again.verdict != results.verdict and {again.verdict, results.verdict} != _UNBROKEN:
            yield f"results.json says {results.verdict}, its cases say {again.verdict}"
    page = (report / CERTIFICATE).read_text()
    if _PRINTABLE.search(page):
        yield "the certificate has characters that nobody can see"
    if results.state == "incomplete" and results.exit_code is None and "Incomplete" not in page:
        yield "the certificate does not say that the run is incomplete"


def wrong_code(report: Path, code: int, allowed: frozenset[int]) -> Iterator[str]:
    """Whether the exit code is one that this may end with, is documented, and is that of the results."""
    documented = {row.code for row in EXIT_CODES}
    if code not in allowed or (code >= 0 and code not in documented):
        yield f"exit code {code}, allowed are {sorted(allowed)}"
    if (report / RESULTS).exists():
        with contextlib.suppress(ResultsError):
            said = Results.load(report / RESULTS).exit_code
            if said is not None and code >= 0 and said != code:
                yield f"exit code {code}, but {said} in results.json"
