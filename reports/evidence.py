# SPDX-License-Identifier: GPL-2.0-or-later
"""The captures of a run, on their way into the one file that a certificate is."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import NamedTuple

from reports.model import CaseResult
from reports.text import slug
from reports.verdicts import LOUDEST_FIRST

EVIDENCE_BUDGET = 5_000_000  # bytes of captures that go into one certificate; the loudest cases first


class Evidence(NamedTuple):
    """A capture: embedded as a data URI, or a sentence that says where it is."""

    name: str
    href: str
    note: str


class Captures:
    """Takes in captures from `folder` until the budget is spent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spent = 0

    def of(self, cases: list[CaseResult]) -> dict[str, Evidence | None]:
        """What the certificate has of each case, by case id; the loudest cases are served first."""
        loudest_first = sorted(cases, key=lambda case: LOUDEST_FIRST.index(case.verdict))
        return {case.id: self._capture(case) for case in loudest_first}

    def _capture(self, case: CaseResult) -> Evidence | None:
        if case.evidence is None:
            return None
        path = self.folder / case.evidence
        name = slug(case.id) + (path.suffix or ".pcapng")
        try:
            if not path.resolve().is_relative_to(self.folder.resolve()):
                return Evidence(name, "", f"{case.evidence} leads out of the report folder and was not embedded")
            size = path.stat().st_size
            if self._spent + size > EVIDENCE_BUDGET:
                return Evidence(name, "", f"{case.evidence} ({size} bytes, beside results.json) is too large to embed")
            content = path.read_bytes()
        except OSError as error:
            return Evidence(name, "", f"{case.evidence} could not be read: {error.strerror or error}")
        self._spent += size
        return Evidence(name, "data:application/octet-stream;base64," + base64.b64encode(content).decode(), "")
