# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases of a run without holding them all: what judges is kept, the rest is read from the journal when needed."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reports.entries import CaseResult
from reports.files import as_json
from reports.verdicts import Judged, Verdict

REMEMBERED = 64
"""Cases that are kept as a whole after they were asked for."""


class Kept(NamedTuple):
    """What is kept in memory of a case, and where the rest of it is."""

    id: str
    verdict: Verdict
    requirements: tuple[str, ...]
    place: int
    size: int = 0


def kept(case: Judged, place: int, size: int = 0) -> Kept:
    """What has to be kept of a case whose line is at `place`."""
    return Kept(case.id, case.verdict, tuple(map(sys.intern, case.requirements)), place, size)


class Cases(ABC):
    """The cases of a run in their order."""

    def __init__(self) -> None:
        self.index: list[Kept] = []
        self._recent: OrderedDict[str, CaseResult] = OrderedDict()

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[CaseResult]:
        """Every case as a whole, one at a time."""
        return map(self.whole, self.index)

    @abstractmethod
    def line(self, case: Kept) -> bytes:
        """The case as JSON, on one line without its end."""

    def whole(self, case: Kept) -> CaseResult:
        """Everything that is known of a case."""
        found = self._recent.get(case.id)
        if found is None:
            found = self._recent[case.id] = CaseResult.model_validate_json(self.line(case))
            if len(self._recent) > REMEMBERED:
                self._recent.popitem(last=False)
        return found


class InMemory(Cases):
    """Cases that are in memory already."""

    def __init__(self, cases: Sequence[CaseResult]) -> None:
        super().__init__()
        self._cases = cases
        self.index = [kept(case, place) for place, case in enumerate(cases)]

    def line(self, case: Kept) -> bytes:
        return as_json(self._cases[case.place])

    def whole(self, case: Kept) -> CaseResult:
        return self._cases[case.place]
