# SPDX-License-Identifier: GPL-2.0-or-later
"""What an official run has beside its certificate: a declaration to sign, and a protocol conformance test report.

The report has the parts of ETSI's proforma: identification, status, static and dynamic summary, static review, test
campaign, observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reports import pages
from reports.cases import Cases
from reports.files import replace_file
from reports.folder import OFFICIAL
from reports.model import Results
from reports.verdicts import STRENGTHS, Verdict

_UNJUDGED = (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Official:
    """What is declared, what identifies suite and profile, and the values that are not the defaults.

    A value is its key, default, what it is, and the reason.
    """

    declared: dict[str, str]
    identities: dict[str, str]
    changed: Sequence[tuple[str, str, str, str]]

    def write(self, folder: Path, results: Results, cases: Cases) -> None:
        """Write both pages into the folder of the report."""
        index = [(case, case.verdict not in _UNJUDGED) for case in cases.index]
        observed = [cases.whole(case) for case, _ in index if case.verdict not in (*_UNJUDGED, Verdict.PASS)]
        for name in OFFICIAL:
            page = pages.render_parts(
                name,
                style="matrix.css",
                official=self,
                results=results,
                index=index,
                observed=observed,
                strengths=STRENGTHS,
                frames=sum(len(case.frames) for case in cases),
            )
            replace_file(folder / name, (part.encode("utf-8") for part in page))
