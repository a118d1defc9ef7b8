# SPDX-License-Identifier: GPL-2.0-or-later
"""What the certificate shows of one case and of one requirement: ladder, comparison, evidence. No HTML here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from markupsafe import Markup

from reports.cases import REMEMBERED, Cases, Kept
from reports.evidence import Captures, Evidence
from reports.model import CaseResult, Frame, RequirementResult
from reports.packed import PACKED, pack
from reports.text import compared, slug, span

PAUSE_S = 0.2  # a silence this long gets a line of its own in the ladder
ENDING = 6  # packets of the first look at a broken requirement


class Step(NamedTuple):
    """One rung of a ladder; `pause_s` is the silence before it if that is worth a line, else 0."""

    frame: Frame
    pause_s: float


class Source(NamedTuple):
    """Where views find what they show: cases, captures, and the requirements by id."""

    cases: Cases
    captures: Captures
    requirements: Mapping[str, RequirementResult]

    def known(self, case: Kept) -> list[RequirementResult]:
        """The requirements of the certificate that a case judges."""
        return [self.requirements[name] for name in dict.fromkeys(case.requirements) if name in self.requirements]


class CaseView:
    """A case with everything that its part of the page needs."""

    def __init__(self, kept: Kept, source: Source) -> None:
        self.verdict = kept.verdict
        self._kept = kept
        self._source = source

    @property
    def case(self) -> CaseResult:
        return self._source.cases.whole(self._kept)

    @property
    def id(self) -> str:
        return self._kept.id

    @property
    def requirements(self) -> list[RequirementResult]:
        return self._source.known(self._kept)

    @property
    def evidence(self) -> Evidence | None:
        return self._source.captures.of(self.case)

    @property
    def anchor(self) -> str:
        return "case-" + slug(self.id)

    @property
    def is_packed(self) -> bool:
        """Whether the page has its details for the script only."""
        return self.verdict in PACKED

    @property
    def time(self) -> str:
        """What it took, in words."""
        case = self.case
        times = f"{case.attempts} attempt{'s' if case.attempts != 1 else ''}"
        return f"{span(case.duration_s)}, of it {span(case.waits_s)} of mandated waits; {times}"

    @cached_property
    def compared(self) -> tuple[Markup, Markup]:
        return compared(self.case.expected, self.case.seen, self.case.differences)

    @property
    def several_links(self) -> bool:
        """Whether the device has more than one link: then each frame says which."""
        return len({frame.interface for frame in self.case.frames}) > 1

    @property
    def deciding(self) -> list[Frame]:
        return [frame for frame in self.case.frames if frame.deciding]

    @property
    def ending(self) -> list[Step]:
        """The last steps up to the one that decided, for a first look."""
        steps = self.steps
        last = max((number for number, step in enumerate(steps) if step.frame.deciding), default=len(steps) - 1)
        return steps[max(0, last + 1 - ENDING) : last + 1]

    @property
    def steps(self) -> list[Step]:
        frames = self.case.frames
        before = [*frames[:1], *frames[:-1]]
        pauses = (frame.time_s - last.time_s for frame, last in zip(frames, before, strict=True))
        return [Step(frame, pause if pause >= PAUSE_S else 0.0) for frame, pause in zip(frames, pauses, strict=True)]


class RequirementView:
    """A requirement with its cases: `own` stand below it, `elsewhere` below one that they name first."""

    def __init__(
        self, requirement: RequirementResult, cases: Sequence[Kept], source: Source, ixit: dict[str, str]
    ) -> None:
        self.requirement = requirement
        self.ixit = ixit
        self._cases = cases
        self._source = source

    @property
    def own(self) -> list[CaseView]:
        return [CaseView(case, self._source) for case in self._cases if self._is_own(case)]

    @property
    def batches(self) -> Iterator[Batch]:
        """Its own cases, a few at a time."""
        return batched(self.own)

    @property
    def elsewhere(self) -> list[CaseView]:
        return [CaseView(case, self._source) for case in self._cases if not self._is_own(case)]

    @property
    def deciding(self) -> list[CaseView]:
        """The cases that brought the requirement its verdict, its own first."""
        return [view for view in (*self.own, *self.elsewhere) if view.verdict == self.requirement.verdict]

    def _is_own(self, case: Kept) -> bool:
        return self._source.known(case)[0] is self.requirement


class Batch(list[CaseView]):
    """Cases that the page packs together: few enough to have them all in memory."""

    @property
    def packed(self) -> str:
        """What the script draws of them."""
        return pack(self)


def batched(views: Sequence[CaseView]) -> Iterator[Batch]:
    """The cases, a few at a time."""
    return (Batch(views[start : start + REMEMBERED // 2]) for start in range(0, len(views), REMEMBERED // 2))
