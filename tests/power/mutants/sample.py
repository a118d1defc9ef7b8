# SPDX-License-Identifier: GPL-2.0-or-later
"""A few mutants that a case has noticed before, for `make test`: each against that case alone.

`tests/power/noticed.json` has them, mutant to case; `make mutants ARGS=--write` adds what it has found.
"""

import json
import random
from collections.abc import Iterable
from pathlib import Path

from tests.power.mutants.cases import Cases
from tests.power.mutants.forks import each
from tests.power.mutants.mutator import Mutant
from tests.power.mutants.trial import Result, Trial

FILE = Path(__file__).resolve().parents[1] / "noticed.json"


def known() -> dict[str, str]:
    """The case that noticed a mutant, by the mutant's id."""
    return dict(json.loads(FILE.read_text()))


def keep(population: Iterable[Mutant], results: Iterable[Result]) -> None:
    """Write down what was noticed, and forget mutants whose text is gone."""
    there = {mutant.id for mutant in population}
    found = known() | {one.id: one.case for one in results if one.outcome == "noticed" and one.alone}
    kept = {identifier: case for identifier, case in sorted(found.items()) if identifier in there}
    FILE.write_text(json.dumps(kept, indent=0) + "\n")


def tried(trial: Trial, cases: Cases, population: Iterable[Mutant], seed: int, count: int, jobs: int) -> Iterable[str]:
    """So many of the known ones, drawn by the seed; a line for each, which says "missed" where it is not noticed."""
    there, ids = {mutant.id: mutant for mutant in population}, set(cases.ids())
    usable = [(there[one], case) for one, case in known().items() if one in there and case in ids]
    if len(usable) < count:
        yield f"missed: only {len(usable)} mutants are known to be noticed; `make mutants ARGS=--write` finds more"
    drawn = random.Random(seed).sample(usable, min(count, len(usable)))
    for (mutant, case), ended in each(lambda pair: trial.try_case(*pair), drawn, jobs):
        how = f"noticed by {ended.case} ({ended.found})" if ended.is_noticed else f"missed by {case} ({ended.found})"
        yield f"{how}: {mutant.id} {mutant.text}"
