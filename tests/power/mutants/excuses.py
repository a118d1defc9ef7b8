# SPDX-License-Identifier: GPL-2.0-or-later
"""`tests/power/mutants.toml`: the mutants that no case has to notice, each with its class and a reason."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.power.mutants.mutator import Mutant

FILE = Path(__file__).resolve().parents[1] / "mutants.toml"
CLASSES = {
    "E": "equivalent: no peer and no application can tell it from the reference",
    "A": "allowed: another choice that the specification leaves to the device",
    "N": "not judged: wrong, but no requirement that a case judges forbids it",
}

Key = tuple[str, str, str, str, str, int]


@dataclass(frozen=True)
class Excuse:
    """Why a mutant may survive."""

    key: Key
    kind: str
    reason: str


def excuses(file: Path = FILE) -> dict[Key, Excuse]:
    """Every entry by its mutant's key. ValueError where one is not whole, or is there twice."""
    found: dict[Key, Excuse] = {}
    for entry in tomllib.loads(file.read_text()).get("mutant", []):
        try:
            key = *(str(entry[name]) for name in ("module", "function", "operator", "old", "new")), int(entry["number"])
            excuse = Excuse(key, entry["class"], entry["reason"])  # type: ignore[arg-type]
        except KeyError as missing:
            raise ValueError(f"{file.name}: {entry}: {missing} is missing") from None
        if excuse.kind not in CLASSES or not excuse.reason.strip():
            raise ValueError(f"{file.name}: {entry}: class is one of {', '.join(CLASSES)}, and there is a reason")
        if excuse.key in found:
            raise ValueError(f"{file.name}: {entry}: is there twice")
        found[excuse.key] = excuse
    return found


def stale(known: Iterable[Excuse], population: Iterable[Mutant]) -> list[Excuse]:
    """Entries whose text is gone."""
    keys = {mutant.key for mutant in population}
    return [one for one in known if one.key not in keys]


def entry(mutant: Mutant, kind: str = "?", reason: str = "?") -> str:
    """The lines of an entry, to be judged and copied into the file."""
    texts = {"module": mutant.module, "function": mutant.function, "operator": mutant.operator}
    texts |= {"old": mutant.old, "new": mutant.new}
    lines = [f"{name} = {_quoted(text)}" for name, text in texts.items()]
    lines += [f"number = {mutant.number}", f"class = {_quoted(kind)}", f"reason = {_quoted(reason)}"]
    return "\n".join(["[[mutant]]", *lines, ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
