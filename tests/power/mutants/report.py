# SPDX-License-Identifier: GPL-2.0-or-later
"""What the mutants came to: the table of `docs/mutants.md`, and what fails the target."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.power.mutants.excuses import Excuse, Key
from tests.power.mutants.mutator import Mutant
from tests.power.mutants.trial import Result

WANTED = 0.95
MOST_EXCUSED = 0.2
"""How many of those drawn may be E or A."""

_COLUMNS = ("drawn", "types", "lost", "E", "A", "N", "noticed", "survived")
_TABLE = re.compile(r"(<!-- mutants -->\n)(.*)(?=<!-- end -->)", re.DOTALL)
_SEED = re.compile(r"### Seed (\d+)\n.*?(?=### Seed|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Judged:
    """A mutant, what came of it and its excuse."""

    mutant: Mutant
    result: Result
    excuse: Excuse | None

    @property
    def column(self) -> str:
        """Where it counts."""
        if self.result.outcome in ("types", "lost"):
            return self.result.outcome
        if self.excuse:
            return self.excuse.kind
        return "noticed" if self.result.outcome == "noticed" else "survived"


def judged(drawn: Iterable[Mutant], results: dict[str, Result], known: dict[Key, Excuse]) -> list[Judged]:
    """Those that have a result."""
    return [Judged(one, results[one.id], known.get(one.key)) for one in drawn if one.id in results]


def troubles(found: Iterable[Judged], stale: Iterable[Excuse]) -> list[str]:
    """What fails the target, a line each."""
    lines = [f"stale entry of mutants.toml, the text is gone: {one.key}" for one in stale]
    for one in found:
        if one.column == "survived":
            said = f", {one.result.reason}" if one.result.outcome == "hurt" else ""
            lines.append(f"survived ({one.result.covering} cases run it{said}): {one.mutant.id} {one.mutant.text}")
        elif one.excuse and one.result.outcome == "noticed":
            by = f"{one.result.case}: {one.result.reason}"
            lines.append(f"excused as {one.excuse.kind}, and noticed by {by}: {one.mutant.id} {one.mutant.text}")
    return lines


def table(found: list[Judged]) -> str:
    """The figures of each module, in Markdown."""
    rows = {module: [one for one in found if one.mutant.module == module] for module in _modules(found)}
    rows["all"] = found
    lines = [
        f"| module | {' | '.join(_COLUMNS)} | noticed of noticed + survived |",
        "|---" * (len(_COLUMNS) + 2) + "|",
    ]
    for module, ones in rows.items():
        count = Counter(one.column for one in ones) + Counter(drawn=len(ones))
        cells = [str(count[column]) for column in _COLUMNS]
        lines.append(f"| {module.removeprefix('reference.')} | {' | '.join(cells)} | {_percent(count)} |")
    return "\n".join(lines) + "\n"


def share(found: Iterable[Judged]) -> float:
    """The noticed among those that count."""
    count = Counter(one.column for one in found)
    return count["noticed"] / max(1, count["noticed"] + count["survived"])


def excused(found: list[Judged]) -> float:
    """Those that are equivalent or allowed among all that were drawn."""
    return sum(one.column in ("E", "A") for one in found) / max(1, len(found))


def summary(found: list[Judged]) -> str:
    """The figures that are wanted, in one sentence."""
    return (
        f"Noticed: {100 * share(found):.1f} % (wanted: {100 * WANTED:.0f} %); "
        f"E or A: {100 * excused(found):.1f} % of those drawn (at most {100 * MOST_EXCUSED:.0f} %)."
    )


def write(page: Path, seed: int, found: list[Judged]) -> None:
    """Put the table of a seed into the page; those of other seeds stay."""
    text = page.read_text()
    marks = _TABLE.search(text)
    if marks is None:
        raise ValueError(f"{page.name}: the marks of the tables are missing")
    tables = {int(one[1]): one[0].strip() for one in _SEED.finditer(marks[2])}
    tables[seed] = f"### Seed {seed}\n\n{len(found)} mutants. {summary(found)}\n\n{table(found)}".strip()
    written = "\n\n".join(tables[one] for one in sorted(tables))
    page.write_text(f"{text[: marks.start(2)]}{written}\n{text[marks.end(2) :]}")


def _modules(found: Iterable[Judged]) -> list[str]:
    return sorted({one.mutant.module for one in found})


def _percent(count: Counter[str]) -> str:
    counted = count["noticed"] + count["survived"]
    return f"{100 * count['noticed'] / counted:.0f} %" if counted else ""
