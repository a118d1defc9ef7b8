# SPDX-License-Identifier: GPL-2.0-or-later
"""What the certificate shows of one case and of one requirement: ladder, comparison, evidence. No HTML here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from markupsafe import Markup

from reports.evidence import Evidence
from reports.model import CaseResult, Frame, RequirementResult
from reports.text import compared, slug

PAUSE_S = 0.2  # a silence this long gets a line of its own in the ladder
ENDING = 6  # packets of the first look at a broken requirement


class Step(NamedTuple):
    """One rung of a ladder; `pause_s` is the silence before it if that is worth a line, else 0."""

    frame: Frame
    pause_s: float


@dataclass(frozen=True)
class CaseView:
    """A case with everything that its part of the page needs."""

    case: CaseResult
    evidence: Evidence | None
    requirements: list[RequirementResult]

    @property
    def anchor(self) -> str:
        return "case-" + slug(self.case.id)

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
        before = [*self.case.frames[:1], *self.case.frames[:-1]]
        pauses = (frame.time_s - last.time_s for frame, last in zip(self.case.frames, before, strict=True))
        return [
            Step(frame, pause if pause >= PAUSE_S else 0.0)
            for frame, pause in zip(self.case.frames, pauses, strict=True)
        ]


@dataclass(frozen=True)
class RequirementView:
    """A requirement with its cases: `own` stand below it, `elsewhere` below one that they name first."""

    requirement: RequirementResult
    own: list[CaseView]
    elsewhere: list[CaseView]
    ixit: dict[str, str]

    @property
    def deciding(self) -> list[CaseView]:
        """The cases that brought the requirement its verdict."""
        return [view for view in (*self.own, *self.elsewhere) if view.case.verdict == self.requirement.verdict]
