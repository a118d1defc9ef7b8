# SPDX-License-Identifier: GPL-2.0-or-later
"""The captures of a run, on their way into the one file that a certificate is."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import NamedTuple

from reports.cases import Cases, Kept
from reports.entries import CaseResult
from reports.text import slug
from reports.verdicts import LOUDEST_FIRST, Verdict

EVIDENCE_BUDGET = 5_000_000  # bytes of captures that go into one certificate; the loudest cases first

QUIET = (Verdict.PASS, Verdict.INFO, Verdict.NOT_APPLICABLE)
"""Cases with these verdicts are shown in short: their captures lie beside the results."""

FIELDS = "Wireshark with layers/roamproof.lua or python -m layers shows what its packets hold"


class Evidence(NamedTuple):
    """A capture: embedded as a data URI, or a sentence that says where it is."""

    name: str
    href: str
    note: str


class Captures:
    """Takes in captures from `folder` until the budget is spent; they are read when they are asked for."""

    def __init__(self, folder: Path, cases: Cases) -> None:
        self.folder = folder
        loud = [case for case in cases.index if case.verdict not in QUIET]
        self._notes: dict[str, str] = {}
        left = EVIDENCE_BUDGET
        for case in sorted(loud, key=lambda case: LOUDEST_FIRST.index(case.verdict)):
            left -= self._plan(case, cases.whole(case).evidence, left)

    def of(self, case: CaseResult) -> Evidence | None:
        """What the certificate has of a case."""
        if case.evidence is None:
            return None
        path = self.folder / case.evidence
        name = slug(case.id) + (path.suffix or ".pcapng")
        if case.verdict in QUIET:
            return Evidence(name, "", f"{case.evidence}; {FIELDS}")
        if note := self._notes.get(case.id):
            return Evidence(name, "", note)
        content = base64.b64encode(path.read_bytes()).decode()
        return Evidence(name, "data:application/octet-stream;base64," + content, "")

    def _plan(self, case: Kept, evidence: str | None, left: int) -> int:
        """The bytes that a case's capture takes of those that are left; a note where it is not taken in."""
        if evidence is None:
            return 0
        path = self.folder / evidence
        try:
            if not path.resolve().is_relative_to(self.folder.resolve()):
                self._notes[case.id] = f"{evidence} leads out of the report folder and was not embedded"
                return 0
            with path.open("rb"):
                size = path.stat().st_size
        except OSError as error:
            self._notes[case.id] = f"{evidence} could not be read: {error.strerror or error}"
            return 0
        if size > left:
            self._notes[case.id] = f"{evidence} ({size} bytes, beside results.json) is too large to embed"
            return 0
        return size
