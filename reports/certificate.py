# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificate: one HTML file that carries everything and fetches nothing.

Verdicts, reasons and all of what did not pass are plain HTML, so that they read, print and are searched without
scripts. What passed is there compressed: the one script draws it when it is opened, and filters. A
Content-Security-Policy in the file itself forbids every connection and every script and style but those two, whose
hashes it names: text from a device stays text whatever it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reports import pages
from reports.cases import Cases, InMemory
from reports.files import ResultsError, replace_file
from reports.legend import EXIT_CODES, LEGEND
from reports.model import Results
from reports.text import visible
from reports.verdicts import LOUDEST_FIRST, STRENGTHS, RunVerdict, Verdict
from reports.view import View

UNSIGNED = "unsigned"


def write_certificate(
    results: Results | Path | str,
    folder: Path | str | None = None,
    out: Path | str = "",
    cases: Cases | None = None,
    signature: str = UNSIGNED,
) -> Path:
    """Write `certificate.html` into `folder` (or to `out`) and return where it is.

    `results` are the results or the path of a results.json; `cases` are theirs where they are not in them. `folder` is
    where their evidence lies: the folder of that file unless given; `signature` is what page one says of the
    signature. Raises ResultsError for a file that is wrong or for results that contradict themselves.
    """
    if not isinstance(results, Results):
        folder = Path(results).parent if folder is None else folder
        results = Results.load(results)
    folder = Path("." if folder is None else folder)
    path = Path(out) if out else folder / "certificate.html"
    replace_file(path, (part.encode("utf-8") for part in _parts(results, folder, cases, signature)))
    return path


def render(results: Results, folder: Path) -> str:
    """The certificate as one HTML text; `folder` is where the evidence of the results lies."""
    return "".join(_parts(results, folder, None, UNSIGNED))


def _parts(results: Results, folder: Path, cases: Cases | None, signature: str) -> Iterator[str]:
    cases = InMemory(results.cases) if cases is None else cases
    _refuse_contradictions(results, cases)
    return pages.render_parts(
        "certificate.html",
        style="certificate.css",
        scripts=("ladder.js", "certificate.js"),
        view=View(results, cases, folder),
        results=results,
        signature=signature,
        legend=LEGEND,
        exit_codes=EXIT_CODES,
        verdicts=LOUDEST_FIRST,
        strengths=STRENGTHS,
    )


def _refuse_contradictions(results: Results, cases: Cases) -> None:
    if results.verdict != RunVerdict.CONFORMANT:
        return
    if results.state != "complete":
        raise ResultsError("verdict: an incomplete run cannot be conformant")
    failed = [entry.id for entry in cases.index if entry.verdict == Verdict.FAIL]
    failed += [entry.id for entry in results.requirements if entry.verdict == Verdict.FAIL]
    if failed:
        raise ResultsError(f"verdict: cannot be conformant while {visible(failed[0])} is FAIL")
