# SPDX-License-Identifier: GPL-2.0-or-later
"""What the certificate says, worked out from the results: answer, counts, groups. No HTML here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from reports.case_view import Batch, CaseView, RequirementView, Source, batched
from reports.cases import Cases, Kept
from reports.evidence import Captures
from reports.model import Results
from reports.scope import OPEN, narrowed, unjudged_musts
from reports.text import flatten
from reports.verdicts import LOUDEST_FIRST, STRENGTHS, RunVerdict, Verdict


class Row(NamedTuple):
    """One line of the table of counts; `percent` only where it has a meaning."""

    name: str
    total: int
    counts: dict[Verdict, int]


@dataclass
class Group:
    """The requirements of one section of one specification."""

    title: str
    specification: str
    requirements: list[RequirementView] = field(default_factory=list)


class View:
    """A whole certificate, ready for the template."""

    def __init__(self, results: Results, cases: Cases, folder: Path) -> None:
        self.results = results
        self._index = cases.index
        by_id = {requirement.id: requirement for requirement in results.requirements}
        self._source = source = Source(cases, Captures(folder, cases), by_id)
        declared = flatten(results.dut.ixit)
        judged: dict[str, list[Kept]] = {}
        self._orphans: list[Kept] = []
        for case in cases.index:
            known = source.known(case)
            for requirement in known:
                judged.setdefault(requirement.id, []).append(case)
            if not known:
                self._orphans.append(case)
        self.requirements = [
            RequirementView(one, judged.get(one.id, ()), source, {key: declared.get(key, "") for key in one.ixit})
            for one in results.requirements
        ]

    @property
    def orphans(self) -> list[CaseView]:
        """The cases that judge no listed requirement."""
        return [CaseView(case, self._source) for case in self._orphans]

    @property
    def orphan_batches(self) -> Iterator[Batch]:
        """The same, a few at a time."""
        return batched(self.orphans)

    # -- the answer ---------------------------------------------------------------------------------------------

    def of(self, *verdicts: Verdict, strength: str = "") -> list[RequirementView]:
        """The requirements with one of these verdicts, in the order of the catalogue."""
        return [
            view
            for view in self.requirements
            if view.requirement.verdict in verdicts and strength in ("", view.requirement.strength)
        ]

    @cached_property
    def broken(self) -> list[RequirementView]:
        return self.of(Verdict.FAIL)

    def example(self, view: RequirementView) -> CaseView | None:
        """The case to print in full beside a broken requirement: of a test that stands beside no earlier one."""
        return self._examples.get(view.requirement.id)

    @cached_property
    def _examples(self) -> dict[str, CaseView]:
        examples: dict[str, CaseView] = {}
        printed: set[str] = set()
        for view in (*self.of(Verdict.FAIL), *self.of(Verdict.DEVIATION)):
            for candidate in view.deciding:
                test = candidate.id.partition("[")[0]
                if test not in printed:
                    printed.add(test)
                    examples[view.requirement.id] = candidate
                    break
        return examples

    @cached_property
    def broken_outside(self) -> list[CaseView]:
        """Failed cases that no listed requirement shows."""
        return [view for view in self.orphans if view.verdict == Verdict.FAIL]

    @cached_property
    def unexplained(self) -> list[RequirementView]:
        """Requirements that no case of this run judged, and for which the catalogue gives no reason: not selected."""
        return [v for v in self.of(Verdict.NOT_RUN) if not v.requirement.cases and not v.requirement.reason]

    @cached_property
    def unjudged_musts(self) -> list[RequirementView]:
        """Musts that apply and came to no verdict, those that the catalogue says cannot be tested left out."""
        missing = {one.id for one in unjudged_musts(self.results.requirements)}
        return [view for view in self.requirements if view.requirement.id in missing]

    @property
    def narrowed(self) -> str:
        """How the run was narrowed; empty if it was not."""
        return narrowed(self.results)

    @property
    def untestable_musts(self) -> int:
        """How many musts apply but have no case, for a reason that the catalogue gives."""
        return len(self.of(*OPEN, strength="M")) - len(self.unjudged_musts)

    @property
    def foreign_musts(self) -> int:
        """How many musts do not apply, by what the profile claims."""
        return self.rows[0].counts[Verdict.NOT_APPLICABLE]

    @property
    def musts(self) -> int:
        """How many musts apply to this device."""
        return sum(row.total - row.counts[Verdict.NOT_APPLICABLE] for row in self.rows[:1])

    @property
    def musts_passed(self) -> int:
        return self.rows[0].counts[Verdict.PASS]

    @property
    def percent(self) -> str:
        """Musts that passed, of the musts that apply; cut, not rounded, so that 100 means all."""
        tenths = 1000 * self.musts_passed // self.musts
        return f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths / 10:.1f}"

    @property
    def certified(self) -> bool:
        """Whether this is a certificate: conformant, and no must was left out that a case could have judged."""
        whole = not self.unjudged_musts and not self.narrowed
        return self.results.verdict == RunVerdict.CONFORMANT and self.musts > 0 and whole

    @property
    def headline(self) -> str:
        verdict = self.results.verdict
        any_broken = bool(self.broken or self.broken_outside)
        match verdict:
            case RunVerdict.CONFORMANT:
                return "Conformant" if self.certified else "Conformant in what was tested"
            case RunVerdict.PARTIAL:
                return "Partial: nothing broken in what was tested"
            case RunVerdict.INCOMPLETE:
                return "Incomplete, and already not conformant" if any_broken else "Incomplete"
            case RunVerdict.ERROR:
                return "No answer: error"
            case RunVerdict.INCONCLUSIVE:
                return "No answer: inconclusive"
            case RunVerdict.NOTHING_SELECTED:
                return "No answer: nothing was judged"
            case _:
                return "Not conformant, in a partial run" if self.narrowed else "Not conformant"

    @property
    def lead(self) -> str:
        """The answer in one sentence, after the name of the device."""
        roles = ", ".join(self.results.dut.roles) or "no role"
        scope = f"{', '.join(self.specifications) or 'no specification'} (role {roles})"
        judged = self.musts - len(self.of(*OPEN, strength="M"))
        tested = f"{judged} of the {self.musts} musts that apply were judged"
        match self.results.verdict:
            case RunVerdict.CONFORMANT if judged == self.musts > 1:
                return f"meets all {judged} musts of {scope} that apply."
            case RunVerdict.CONFORMANT | RunVerdict.PARTIAL:
                return f"meets every must of {scope} that was judged: {judged} of the {self.musts} that apply."
            case RunVerdict.NOT_CONFORMANT if self.broken:
                number = len(self.of(Verdict.FAIL, strength="M"))
                return f"breaks {number} must{'s' if number != 1 else ''} of {scope}. {tested}."
            case RunVerdict.NOT_CONFORMANT:
                return f"does not meet {scope}. {tested}."
            case RunVerdict.INCOMPLETE:
                return f"was being probed against {scope} when the run ended. {tested}."
            case _:
                return f"was probed against {scope} without an answer. {tested}."

    @property
    def specifications(self) -> list[str]:
        """Title and revision of each, or the file's name where the results do not say more."""
        if known := self.results.specifications:
            return list(dict.fromkeys(f"{one.title}, {one.revision}" if one.title else one.name for one in known))
        return [name.removesuffix(".txt") for name in dict.fromkeys(r.specification for r in self.results.requirements)]

    # -- tables -------------------------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> list[Row]:
        """Requirements by strength and verdict; the musts come first."""
        rows = []
        for letter, word in STRENGTHS.items():
            verdicts = [r.verdict for r in self.results.requirements if r.strength == letter]
            rows.append(Row(word, len(verdicts), _counted(verdicts)))
        return rows

    @cached_property
    def case_row(self) -> Row:
        verdicts = [case.verdict for case in self._index]
        return Row("cases", len(verdicts), _counted(verdicts))

    @cached_property
    def groups(self) -> list[Group]:
        groups: dict[tuple[str, str], Group] = {}
        for view in self.requirements:
            requirement = view.requirement
            protocol, found, _ = requirement.id.partition(f"-{requirement.section}-")
            title = f"{protocol} {requirement.section}" if found else requirement.section
            key = (title, requirement.specification)
            groups.setdefault(key, Group(*key)).requirements.append(view)
        return list(groups.values())

    @property
    def ics(self) -> dict[str, str]:
        return flatten(self.results.dut.ics)

    @property
    def ixit(self) -> dict[str, str]:
        return flatten(self.results.dut.ixit)


def _counted(verdicts: list[Verdict]) -> dict[Verdict, int]:
    counter = Counter(verdicts)
    return {verdict: counter[verdict] for verdict in LOUDEST_FIRST}
