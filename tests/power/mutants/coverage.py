# SPDX-License-Identifier: GPL-2.0-or-later
"""Which case runs which statements of the reference: every case once, with a device of its own that notes them."""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.power.mutants.cases import Cases, Ended
from tests.power.mutants.forks import each
from tests.power.mutants.mutator import Mutant
from tests.power.mutants.order import write_order

_LIMIT_S = 3600
_PART = 120
"""Cases a run: what one run has measured is kept, whatever becomes of the next."""

Say = Callable[[str], None]


@dataclass
class Coverage:
    """The statements (module, line) of each case; `wrong` are the cases that the reference as it is does not pass."""

    statements: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)

    def running(self, mutant: Mutant) -> list[str]:
        """The cases that run the statement of a mutant; for one outside of functions, any statement of its module."""
        return [
            case
            for case, statements in self.statements.items()
            if case not in self.wrong
            and any(module == mutant.module and mutant.statement in (0, line) for module, line in statements)
        ]


def known(folder: Path, digest: str) -> Coverage:
    """What earlier runs have measured of this tree."""
    return _read(_file(folder, digest))


def measured(cases: Cases, modules: Iterable[str], folder: Path, digest: str, jobs: int, say: Say) -> Coverage:
    """The coverage of all cases by this tree, from the file that an earlier run has left as far as it goes."""
    path = _file(folder, digest)
    coverage = _read(path)
    missing = [one for one in cases.ids() if one not in coverage.statements]
    if missing:
        say(f"coverage: {len(missing)} cases, each with a device of its own")
    parts = [missing[start :: -(-len(missing) // _PART)] for start in range(-(-len(missing) // _PART))]
    with path.open("a") as file:
        done = each(lambda part: _measure(cases, list(modules), folder, part), parts, jobs)
        for number, (_, lines) in enumerate(done, 1):
            file.write("".join(json.dumps(line) + "\n" for line in lines))
            file.flush()
            say(f"coverage: {number} of {len(parts)} parts")
    return _read(path) if missing else coverage


def _file(folder: Path, digest: str) -> Path:
    return folder / f"coverage-{digest}.jsonl"


def _read(path: Path) -> Coverage:
    coverage = Coverage()
    for line in path.read_text().splitlines() if path.exists() else ():
        content = json.loads(line)
        found = {(module, number) for module, numbers in content["lines"].items() for number in numbers}
        coverage.statements[content["case"]] = found
        if content["wrong"]:
            coverage.wrong[content["case"]] = content["wrong"]
    return coverage


def _measure(cases: Cases, modules: list[str], folder: Path, part: list[str]) -> list[dict[str, object]]:
    """One run; a case that comes to no verdict is not in what is returned."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        records = Path(scratch) / "records"
        records.mkdir()
        order = write_order(Path(scratch) / "order.json", instrumented=modules, records=records)
        ended = cases.run(order, part, alone=True, to_the_end=True, limit_s=_LIMIT_S)
        if ended.found == "late" or not ended.names:
            raise RuntimeError(f"the cases could not be measured: {ended.reason}")
        return list(_lines(ended, records))


def _lines(ended: Ended, records: Path) -> Iterator[dict[str, object]]:
    wrong = {hurt.partition(": ")[0]: hurt.partition(": ")[2] for hurt in ended.hurt}
    for case, names in ended.names.items():
        found: dict[str, set[int]] = {}
        for name in names:
            for line in (records / name).read_text().splitlines():
                module, _, number = line.partition(" ")
                found.setdefault(module, set()).add(int(number))
        lines = {module: sorted(numbers) for module, numbers in found.items()}
        yield {"case": case, "wrong": wrong.get(case, ""), "lines": lines}
