# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificate: one HTML file that carries everything and fetches nothing.

Everything is plain HTML inside closed <details>, so that it reads, prints and is searched without scripts; the one
script only filters. A Content-Security-Policy in the file itself forbids every connection and every script and style
but those two, whose hashes it names: text from a device stays text whatever it holds.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from reports.files import ResultsError, replace_file
from reports.legend import EXIT_CODES, LEGEND
from reports.model import Results
from reports.text import hexdump, layers, slug, visible
from reports.verdicts import LOUDEST_FIRST, STRENGTHS, RunVerdict, Verdict
from reports.view import View

TEMPLATES = Path(__file__).parent / "templates"


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
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("certificate.css", "certificate.js"))
    return (
        _environment()
        .get_template("certificate.html")
        .render(
            view=View(results, folder),
            results=results,
            style=Markup(style),
            script=Markup(script),
            policy=(
                f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
                "img-src data:; base-uri 'none'; form-action 'none'"
            ),
            legend=LEGEND,
            exit_codes=EXIT_CODES,
            verdicts=LOUDEST_FIRST,
            strengths=STRENGTHS,
        )
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


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "slug": slug,
        "hexdump": hexdump,
        "layers": layers,
        "kind": lambda verdict: str(verdict).lower().replace(" ", "-"),
        "moment": lambda stamp: f"{stamp:%Y-%m-%d %H:%M:%S} UTC{stamp:%z}".replace("UTC+0000", "UTC"),
        "span": _span,
    }
    return environment


def _shown(value: Any) -> Any:
    """Every value on its way into the page: characters that could hide or reorder text are spelled out."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _span(seconds: float) -> str:
    """A length of time for people."""
    if seconds >= 60:
        return f"{int(seconds // 60)} min {seconds % 60:.0f} s"
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
