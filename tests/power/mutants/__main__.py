# SPDX-License-Identifier: GPL-2.0-or-later
"""`make mutants`: small faults in the reference, and whether the cases notice them (docs/mutants.md)."""

import argparse
import os
import sys
import time
from itertools import islice
from pathlib import Path

from tests.power.mutants import excuses, report, sample, tree
from tests.power.mutants.cases import Cases, with_cases
from tests.power.mutants.coverage import Coverage, known, measured
from tests.power.mutants.forks import each
from tests.power.mutants.journal import Journal
from tests.power.mutants.mutator import Mutant, drawn
from tests.power.mutants.trial import Result, Trial

_PAGE = tree.ROOT / "docs/mutants.md"


def main() -> int:
    """Exit code 1 where a mutant survives that is not excused, or an excuse does not hold."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    folder, sources = options.folder.resolve(), tree.modules()
    everything = tree.population(sources)
    if options.sample:
        return _sample(options, folder, sources, everything)
    chosen = _chosen(options, everything, sources)
    journal = Journal(folder, tree.digest(tree.JUDGING))
    missing = [one for one in chosen if one.id not in journal.results or options.only]
    _say(f"{len(chosen)} of {len(everything)} mutants drawn by seed {options.seed}, {len(missing)} to be tried")
    if missing:
        with_cases(folder, lambda cases: _try(options, folder, sources, cases, missing, journal))
    return _report(options, everything, chosen, journal)


def _report(options: argparse.Namespace, everything: list[Mutant], chosen: list[Mutant], journal: Journal) -> int:
    known = excuses.excuses()
    found = report.judged(chosen, journal.results, known)
    lines = report.troubles(found, excuses.stale(known.values(), everything))
    entries = [excuses.entry(one.mutant) for one in found if one.column == "survived"] if options.entries else []
    for line in (report.table(found), *lines, *entries):
        _say(line)
    if options.write:
        report.write(_PAGE, options.seed, found)
        sample.keep(everything, journal.results.values())
    _say(report.summary(found))
    return 1 if lines else 0


def _sample(options: argparse.Namespace, folder: Path, sources: dict[str, str], everything: list[Mutant]) -> int:
    missed = []

    def work(cases: Cases) -> None:
        trial = Trial(cases, Coverage(), sources, folder, options.seed, {})
        for line in sample.tried(trial, cases, everything, options.seed, options.sample, options.jobs):
            _say(line)
            missed.extend([line] if line.startswith("missed") else [])

    with_cases(folder, work)
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.power.mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides which mutants are drawn")
    parser.add_argument("--count", type=int, default=300, help="how many")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="how many at once")
    parser.add_argument("--module", default="", help="only those of modules whose name contains this")
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="these mutants, tried again")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants that were noticed before")
    parser.add_argument(
        "--as-measured", action="store_true", help="with the coverage that there is, if only of some cases"
    )
    parser.add_argument("--entries", action="store_true", help="print an entry for mutants.toml for each survivor")
    parser.add_argument("--write", action="store_true", help="write the table and the noticed ones into the tree")
    parser.add_argument(
        "--folder", type=Path, default=Path(".journals/mutants"), help="journal, coverage and scratch files"
    )
    return parser.parse_args()


def _chosen(options: argparse.Namespace, everything: list[Mutant], sources: dict[str, str]) -> list[Mutant]:
    """Those that are named, or the first of the seed's order that change anything."""
    if options.only:
        there = {one.id: one for one in everything}
        if unknown := [one for one in options.only if one not in there]:
            raise SystemExit(f"no such mutant: {', '.join(unknown)}")
        return [there[one] for one in options.only]
    candidates = [one for one in everything if options.module in one.module]
    order = drawn(candidates, options.seed, len(candidates))
    return list(islice((one for one in order if not one.changes_nothing(sources[one.module])), options.count))


def _try(
    options: argparse.Namespace,
    folder: Path,
    sources: dict[str, str],
    cases: Cases,
    missing: list[Mutant],
    journal: Journal,
) -> None:
    digest = tree.digest(tree.REACHING)
    if options.as_measured:
        coverage = known(folder, digest)
    else:
        coverage = measured(cases, sources, folder, digest, options.jobs, _say)
    for case, reason in coverage.wrong.items():
        print(f"left out, the reference as it is does not pass it: {case}: {reason}")
    trial = Trial(cases, coverage, sources, folder, options.seed, sample.known())
    started = time.monotonic()
    for number, (mutant, result) in enumerate(each(trial.try_one, missing, options.jobs), 1):
        journal.add(result)
        rate = 60 * number / (time.monotonic() - started)
        print(f"{number:4} {rate:5.1f}/min {_said(result)} {mutant.id} {mutant.text}", flush=True)


def _say(line: str) -> None:
    print(line, flush=True)


def _said(result: Result) -> str:
    by = f" by {result.case} ({result.verdict})" if result.outcome == "noticed" else f" ({result.covering} run it)"
    return f"{result.outcome}{by}, {result.runs} cases, {result.wall_s:.0f} s:"


if __name__ == "__main__":
    sys.exit(main())
