# SPDX-License-Identifier: GPL-2.0-or-later
"""What got worse from one run to the next, and the page that shows everything that changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reports import pages
from reports.compare import Change, Comparison
from reports.files import replace_file
from reports.verdicts import RunVerdict, Verdict

_JUDGED = (Verdict.PASS, Verdict.INFO, Verdict.DEVIATION)
_UNSAID = (None, Verdict.NOT_APPLICABLE)


def is_worse(change: Change) -> bool:
    """Whether the new verdict says less for the device than the old one, or nothing any more."""
    if change.old is None:
        return change.new in (Verdict.FAIL, Verdict.DEVIATION)
    if change.new in _UNSAID:
        return change.old in _JUDGED
    return (
        change.new is not None and change.new.rank > change.old.rank and change.new not in (Verdict.PASS, Verdict.INFO)
    )


def regressions(comparison: Comparison) -> list[Change]:
    """The requirements, and then the cases, that got worse."""
    return [change for change in (*comparison.requirements, *comparison.cases) if is_worse(change)]


def has_regressed(comparison: Comparison) -> bool:
    """Whether anything got worse, the verdict of the run included."""
    old, new = comparison.verdicts
    return bool(regressions(comparison)) or (old is RunVerdict.CONFORMANT and new is not RunVerdict.CONFORMANT)


def write_comparison(comparison: Comparison, names: tuple[str, str], path: Path) -> Path:
    """Write the comparison as one HTML page that fetches nothing; `names` are what the two runs are called."""
    parts = [(title, _sorted(changes)) for title, changes in _parts(comparison)]
    page = pages.render(
        "compare.html", style="matrix.css", comparison=comparison, names=names, parts=parts, worse=is_worse
    )
    replace_file(path, page.encode("utf-8"))
    return path


def _parts(comparison: Comparison) -> tuple[tuple[str, list[Change]], ...]:
    return ("Requirements", comparison.requirements), ("Cases", comparison.cases)


def _sorted(changes: Iterable[Change]) -> list[Change]:
    """What got worse first."""
    return sorted(changes, key=lambda change: not is_worse(change))
