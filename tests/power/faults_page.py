# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/faults.md: the model of faults as a page."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from conformance.catalogue.model import Requirement
from tests.power.certified import KINDS, PLAIN, entries
from tests.power.faults_model import RISKS, Cell, Model, Reason

HEAD = """# A model of faults

Devices that are wrong, and that a suite is likely to pass, are wrong in a few ways: right the first time and wrong the
second, right when they answer and wrong half a second later, and so on. This page asks of each must and should that a
case judges which of these kinds of faults it would miss.

It is written by `python -m tests.power.faults --write` from the deviations (`kind` and `caught_by` in
`tests/<protocol>/power.toml`) and the reasons in `tests/power/faults.toml`. `tests/power` fails when it is not current,
when a cell is empty, and when a reason says that other cases see a kind of fault of which no deviation proves it.
"""

MARKS = {
    "deviation": ("D", "a deviation of this kind is caught by the requirement's own cases, which must catch it"),
    "elsewhere": (
        "e",
        "cases of other requirements see it; a deviation of this kind proves that of at least one of them",
    ),
    "no": ("n", "it cannot happen, or nobody can tell"),
    "open": ("**o**", "open: such a fault can happen, and nothing is known to see it"),
}


def page(model: Model) -> str:
    """The whole page."""
    numbers = {id(reason): number for number, reason in enumerate(_used(model), 1)}
    parts = [HEAD, *_summary(model), *_open(model, numbers)]
    parts += ["## The tables\n\nNumbers are those of the reasons below.\n"]
    for roles, requirements in groupby(sorted(model.requirements, key=_place), key=_place):
        parts.append(_table(model, roles, list(requirements), numbers))
    parts += ["## Reasons\n", *_reasons(model, numbers), "## Deviations\n", *_deviations(model)]
    return "\n".join(parts)


def _place(requirement: Requirement) -> tuple[str, str]:
    return requirement.protocol, " and ".join(sorted(requirement.roles))


def _used(model: Model) -> list[Reason]:
    used = {id(cell.reason) for cell in model.cells.values() if cell.reason}
    return [reason for reason in model.reasons if id(reason) in used]


def _rows(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(heads)]
    lines += [["---"] * len(lines[0]), *([str(one) for one in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _summary(model: Model) -> Iterator[str]:
    contents = Counter(cell.content for cell in model.cells.values())
    yield (
        f"{len(model.requirements)} requirements by {len(KINDS)} kinds are {len(model.cells)} cells:"
        f" **{contents['open']} are open**.\n"
    )
    rows = [(mark, contents[content], meaning) for content, (mark, meaning) in MARKS.items()]
    yield _rows(("mark", "cells", "meaning"), rows)
    yield "## The kinds\n"
    deviations = Counter(kind for entry in entries("deviation") for kind in entry.kinds)
    total = sum(1 for _ in entries("deviation"))
    by_kind = Counter((cell.kind, cell.content) for cell in model.cells.values())
    yield _rows(
        ("kind", "meaning", "deviations", *(mark for mark, _ in MARKS.values())),
        (
            (kind, text, deviations[kind], *(by_kind[kind, content] for content in MARKS))
            for kind, text in KINDS.items()
        ),
    )
    yield f"Of {total} deviations {deviations[PLAIN]} are plain: they break the text of their requirement outright.\n"


def _open(model: Model, numbers: dict[int, int]) -> Iterator[str]:
    yield "## What is open\n"
    cells = Counter(id(cell.reason) for cell in model.cells.values() if cell.reason)
    named = sorted((one for one in _used(model) if one.why == "open"), key=lambda one: RISKS.index(one.risk))
    rows = (
        (
            one.risk,
            numbers[id(one)],
            ", ".join(one.kinds),
            ", ".join(one.groups or one.requirements),
            cells[id(one)],
            one.text,
        )
        for one in named
    )
    yield _rows(("risk", "reason", "kind", "requirements", "cells", "what nothing is known to see"), rows)


def _mark(cell: Cell, numbers: dict[int, int]) -> str:
    mark = MARKS[cell.content][0]
    return f"{mark}{numbers[id(cell.reason)]}" if cell.reason else mark


def _table(model: Model, place: tuple[str, str], requirements: list[Requirement], numbers: dict[int, int]) -> str:
    rows = (
        (one.id, model.group_of[one.id], *(_mark(model.cells[one.id, kind], numbers) for kind in KINDS))
        for one in requirements
    )
    return f"### {place[0]}, {place[1]}\n\n" + _rows(("requirement", "group", *KINDS), rows)


def _reasons(model: Model, numbers: dict[int, int]) -> Iterator[str]:
    for reason in _used(model):
        seen = f" Seen by {', '.join(reason.seen_by)}." if reason.seen_by else ""
        yield f"{numbers[id(reason)]}. ({reason.why}; {', '.join(reason.kinds)}) {reason.text}{seen}"
    yield ""


def _deviations(model: Model) -> Iterator[str]:
    """The deviations behind the marks D, by kind and requirement."""
    for kind in KINDS:
        cells = [cell for cell in model.cells.values() if cell.kind == kind and cell.deviations]
        yield f"### {kind}\n"
        yield _rows(("requirement", "deviations"), ((one.requirement, ", ".join(one.deviations)) for one in cells))
