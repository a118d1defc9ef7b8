# SPDX-License-Identifier: GPL-2.0-or-later
"""One mutant against the cases: types first, then some cases that run its statement, the others, its whole role."""

import random
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.power.mutants.cases import Cases, Ended
from tests.power.mutants.coverage import Coverage
from tests.power.mutants.mutator import Mutant
from tests.power.mutants.order import write_order
from tests.power.mutants.typed import complaint

FIRST = 14
"""Cases, drawn from those that run the statement, that have found three of five before."""

_LIMIT_S = 900
_CONFIRM_S = 120


@dataclass(frozen=True)
class Result:
    """What came of a mutant: "types", "noticed", "lost", "hurt" or "survived".

    "hurt": nothing was found, but cases came to no verdict. `case`, `verdict` and `reason` belong to the finding,
    `runs` are the cases of all runs together; `covering` is how many run the statement, `doubts` are findings that did
    not come again. `alone`: the case finds it without the others.
    """

    id: str
    outcome: str
    case: str = ""
    requirement: str = ""
    verdict: str = ""
    reason: str = ""
    covering: int = 0
    runs: int = 0
    wall_s: float = 0.0
    alone: bool = False
    doubts: list[str] = field(default_factory=list)


class Trial:
    """Tries mutants with cases that were collected before; scratch files go to `folder`.

    `suspects` are the cases that noticed a mutant of another tree, by the mutant's id: they come first.
    """

    def __init__(
        self,
        cases: Cases,
        coverage: Coverage,
        sources: dict[str, str],
        folder: Path,
        seed: int,
        suspects: dict[str, str],
    ) -> None:
        self._suspects = suspects
        self._cases = cases
        self._coverage = coverage
        self._sources = sources
        self._folder = folder
        self._seed = seed

    def try_one(self, mutant: Mutant) -> Result:
        """Everything up to the first finding that comes again."""
        started = time.monotonic()
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            order, text = self._written(mutant, Path(scratch))
            if refused := complaint(mutant.module, text, self._folder / "mypy"):
                result = Result(mutant.id, "types", reason=refused.partition(": ")[2])
            else:
                result = self._judge(mutant, order)
        return replace(result, wall_s=round(time.monotonic() - started, 1))

    def try_case(self, mutant: Mutant, case: str) -> Ended:
        """One case alone."""
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            order, _ = self._written(mutant, Path(scratch))
            return self._cases.run(order, [case], limit_s=_CONFIRM_S)

    def _written(self, mutant: Mutant, folder: Path) -> tuple[Path, Path]:
        """The order and the text of a mutant."""
        text = folder / f"{mutant.module.rpartition('.')[2]}.py"
        text.write_text(mutant.applied(self._sources[mutant.module]))
        return write_order(folder / "order.json", substitutes={mutant.module: text}), text

    def _judge(self, mutant: Mutant, order: Path) -> Result:
        covering = self._coverage.running(mutant)
        result = Result(mutant.id, "survived", covering=len(covering))
        for stage in self._stages(mutant, covering):
            result = replace(result, runs=result.runs + len(stage))
            ended, alone = self._cases.run(order, stage, limit_s=_LIMIT_S), False
            if ended.is_noticed:
                doubt = f"{ended.case}: {ended.reason}"
                ended, alone = self._again(order, stage, ended.case)
                if not ended.is_noticed:
                    result = replace(result, doubts=[*result.doubts, doubt])
            if ended.found:
                outcome = "noticed" if ended.is_noticed else "lost" if ended.found == "lost" else "hurt"
                found = {name: getattr(ended, name) for name in ("case", "requirement", "reason")}
                return replace(result, outcome=outcome, verdict=ended.found, alone=alone, **found)
            if ended.hurt:
                result = replace(result, outcome="hurt", reason=ended.hurt[0])
        return result

    def _again(self, order: Path, stage: list[str], case: str) -> tuple[Ended, bool]:
        """The case alone, or all that ran with it: a finding of a busy machine does not come again."""
        ended = self._cases.run(order, [case], limit_s=_CONFIRM_S)
        return (ended, True) if ended.is_noticed else (self._cases.run(order, stage, limit_s=_LIMIT_S), False)

    def _stages(self, mutant: Mutant, covering: list[str]) -> list[list[str]]:
        """A few, the rest, and all cases of the roles: what fills a device that cases share is none of the few's."""
        suspect = self._suspects.get(mutant.id, "")
        suspects = [suspect] if suspect in self._cases.ids() and suspect not in self._coverage.wrong else []
        drawn = random.Random(f"{self._seed} {mutant.id}").sample(covering, len(covering))
        first, rest = drawn[:FIRST], drawn[FIRST:]
        role = self._role(mutant, covering)
        stages = [first, rest] if len(rest) <= len(role) // 2 else [first]
        return [stage for stage in (suspects, *stages, role) if stage]

    def _role(self, mutant: Mutant, covering: list[str]) -> list[str]:
        """All cases of the roles whose cases run the statement, over one network; those that run it come first."""
        usable = [one for one in self._cases.ids() if one not in self._coverage.wrong]
        protocol = mutant.module.split(".")[1]
        specs = {one: self._cases.spec(one) for one in usable}
        roles = {specs[one].role for one in covering}
        if not roles:
            roles = {spec.role for spec in specs.values() if protocol in (spec.role.protocol, "bump")}
        networks = [specs[one].parameters["network"] for one in covering]
        network = max(("ipv4", "ipff"), key=networks.count)
        chosen = [one for one, spec in specs.items() if spec.role in roles and spec.parameters["network"] == network]
        return sorted(chosen, key=lambda one: one not in set(covering))
