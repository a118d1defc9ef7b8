# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m reports merge RUN... -o DIR`: one report of several runs at one device, each of other roles."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from reports.cases import Cases
from reports.files import ResultsError
from reports.folder import CERTIFICATE, EVIDENCE, FolderError, ReportFolder
from reports.journal import JOURNAL, read_journal
from reports.keeper import Keeper
from reports.model import Results
from reports.verdicts import ExitCode

Run = tuple[Path, Results, Cases]

_INTERRUPTED = 2
"""pytest's own exit code of a run that was interrupted."""


def main(words: Sequence[str]) -> int:
    """Returns the exit code that a run of all roles would have. ResultsError where the runs do not fit together."""
    parser = argparse.ArgumentParser(prog="python -m reports merge", description=__doc__.partition(": ")[2])
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="the folder of a run")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="the folder of the new report")
    parser.add_argument("--strict-verdict", action="store_true", help="a broken should makes the device not conformant")
    options = parser.parse_args(words)
    if same := next((one for one in options.runs if one.resolve() == options.output.resolve()), None):
        raise ResultsError(f"{same}: is the folder of the new report too; allowed is another one")
    runs = [(folder, *read_journal(folder / JOURNAL)) for folder in options.runs]
    _check(runs)
    try:
        code = merge(runs, ReportFolder(options.output).path, strict=options.strict_verdict)
    except FolderError as error:
        raise ResultsError(str(error).replace("--report", "--output", 1)) from None
    sys.stdout.write(f"{options.output / CERTIFICATE}\n")
    return code


def merge(runs: list[Run], folder: Path, *, strict: bool) -> int:
    """Write the report of all runs to an empty folder; the exit code."""
    keeper = Keeper(_head(runs), folder, already_s=sum(results.figures.wall_s for _, results, _ in runs))
    unfinished = ""
    for path, results, cases in runs:
        figures = results.figures.model_dump(exclude={"wall_s", "cases"})
        keeper.add_figures({**figures, "device": (results.dut.name, results.dut.version)})
        if results.state == "incomplete" and results.exit_code is not None:
            keeper.give_out(f"{path}: {results.reason}", limit=results.exit_code == ExitCode.MACHINE)
        elif results.state == "incomplete":
            unfinished = f"{path}: {results.reason}"
        for case in cases.index:
            told = {"line": cases.line(case), "id": case.id, "verdict": case.verdict}
            keeper.add({**told, "requirements": case.requirements})
        if (path / EVIDENCE).is_dir():
            shutil.copytree(path / EVIDENCE, folder / EVIDENCE, dirs_exist_ok=True)
    code = keeper.close(strict=strict, interrupted=unfinished)
    return _INTERRUPTED if unfinished and not code else code


def _check(runs: list[Run]) -> None:
    first, known = runs[0][1], dict[str, Path]()
    for path, results, cases in runs:
        twice = next((case for case in cases.index if case.id in known), None)
        if twice:
            raise ResultsError(
                f"{path}: the case {twice.id} is in {known[twice.id]} too; allowed are runs of other roles"
            )
        known.update(dict.fromkeys((case.id for case in cases.index), path))
        for what, one, other in (
            ("suite", results.suite, first.suite),
            ("dut.name", results.dut.name, first.dut.name),
            ("dut.vendor", results.dut.vendor, first.dut.vendor),
            ("dut.version", results.dut.version or first.dut.version, first.dut.version or results.dut.version),
            ("dut.arguments", results.dut.arguments, first.dut.arguments),
            ("dut.ixit", results.dut.ixit, first.dut.ixit),
            ("expected", results.expected, first.expected),
        ):
            if one != other:
                raise ResultsError(f"{path}: {what}: is not that of {runs[0][0]}; allowed are runs at one device")


def _head(runs: list[Run]) -> Results:
    """The head of the report: what all runs say, with the roles, claims and requirements of each."""
    heads = [results for _, results, _ in runs]
    first = heads[0]
    seeds = {head.seed for head in heads}
    ics: dict[str, JsonValue] = {}
    for head in heads:
        ics = _joined(ics, head.dut.ics)
    roles = [role for head in heads for role in head.dut.roles]
    left_out = [role for head in heads for role in head.dut.left_out if role not in roles]
    requirements = {one.id: one for head in heads for one in head.requirements}
    return Results(
        suite=first.suite,
        started=min(head.started for head in heads),
        command=" && ".join(head.command for head in heads),
        seed=first.seed if len(seeds) == 1 else None,
        dut=first.dut.model_copy(
            update={"roles": list(dict.fromkeys(roles)), "left_out": list(dict.fromkeys(left_out)), "ics": ics}
        ),
        tester=first.tester,
        selection=list(dict.fromkeys(option for head in heads for option in head.selection)),
        expected=first.expected,
        specifications=list({one.protocol: one for head in heads for one in head.specifications}.values()),
        requirements=list(requirements.values()),
    )


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Claims of both: lists one after the other, tables key by key."""
    joined = dict(one)
    for key, value in other.items():
        before = joined.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            joined[key] = _joined(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            joined[key] = list(dict.fromkeys([*before, *value]))
        else:
            joined[key] = value
    return joined
