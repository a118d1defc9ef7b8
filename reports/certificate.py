# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificate: one HTML file that carries everything and fetches nothing.

Everything is plain HTML inside closed <details>, so that it reads, prints and is searched without scripts; the one
script only filters. A Content-Security-Policy in the file itself forbids every connection and every script and style
but those two, whose hashes it names: text from a device stays text whatever it holds.
"""

from __future__ import annotations

from pathlib import Path

from reports import pages
from reports.files import ResultsError, replace_file
from reports.legend import EXIT_CODES, LEGEND
from reports.model import Results
from reports.text import visible
from reports.verdicts import LOUDEST_FIRST, STRENGTHS, RunVerdict, Verdict
from reports.view import View


def write_certificate(results: Results | Path | str, folder: Path | str | None = None, out: Path | str = "") -> Path:
    """Write `certificate.html` into `folder` (or to `out`) and return where it is.

    `results` are the results or the path of a results.json. `folder` is where their evidence lies: the folder of that
    file unless given. Raises ResultsError for a file that is wrong or for results that contradict themselves.
    """
    if not isinstance(results, Results):
        folder = Path(results).parent if folder is None else folder
        results = Results.load(results)
    folder = Path("." if folder is None else folder)
    path = Path(out) if out else folder / "certificate.html"
    replace_file(path, render(results, folder).encode("utf-8"))
    return path


def render(results: Results, folder: Path) -> str:
    """The certificate as one HTML text; `folder` is where the evidence of the results lies."""
    _refuse_contradictions(results)
    return pages.render(
        "certificate.html",
        style="certificate.css",
        script="certificate.js",
        view=View(results, folder),
        results=results,
        legend=LEGEND,
        exit_codes=EXIT_CODES,
        verdicts=LOUDEST_FIRST,
        strengths=STRENGTHS,
    )


def _refuse_contradictions(results: Results) -> None:
    if results.verdict != RunVerdict.CONFORMANT:
        return
    if results.state != "complete":
        raise ResultsError("verdict: an incomplete run cannot be conformant")
    failed = [entry.id for entry in results.cases if entry.verdict == Verdict.FAIL]
    failed += [entry.id for entry in results.requirements if entry.verdict == Verdict.FAIL]
    if failed:
        raise ResultsError(f"verdict: cannot be conformant while {visible(failed[0])} is FAIL")
