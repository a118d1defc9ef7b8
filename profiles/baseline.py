# SPDX-License-Identifier: GPL-2.0-or-later
"""What a profile expects to be broken, added at the end of its file: nothing that stands there is changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from profiles.expected import Expected


class Broken(NamedTuple):
    """A requirement that a run has found broken: what it came to, and what was seen."""

    requirement: str
    verdict: str
    seen: str


def outdated(expected: Iterable[Expected], found: Mapping[str, str]) -> list[tuple[str, str]]:
    """The expectations that a run has judged and not met, with the verdicts that they came to."""
    return [
        (one.requirement, found[one.requirement])
        for one in expected
        if found.get(one.requirement) in {"PASS", "FAIL", "DEVIATION"} - {one.verdict}
    ]


def append(path: Path, entries: Sequence[tuple[Broken, str]]) -> None:
    """Add an `[[expected]]` for each, with its reason."""
    before = path.read_text(encoding="utf-8")
    pairs = [{"requirement": one.requirement, "verdict": one.verdict, "reason": reason} for one, reason in entries]
    tables = [
        "".join(["[[expected]]\n", *(f"{key} = {_text(value)}\n" for key, value in one.items())]) for one in pairs
    ]
    path.write_text("\n".join([before.rstrip("\n") + "\n", *tables]), encoding="utf-8")


def _text(words: str) -> str:
    """A basic string of TOML, which JSON's strings are."""
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")
