# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's words: names of the field, and none of those that were given up for them (CONTRIBUTING, Style)."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, sources

FOLDERS = ("layers", "testbed", "profiles", "conformance", "reports", "reference", "bench")


NAMES = frozenset(
    (
        "baton",
        "lay_down",
        "Holder",
        "holder",
        "Carriage",
        "carriage",
        "carriages",
        "Bench",
        "Session",
        "session_end",
        "Talk",
        "Conversation",
        "Asked",
        "Told",
        "Mover",
        "Party",
        "is_marked",
        "owes_init",
        "Held",
        "squatter",
        "newcomer",
        "newcomers",
        "Behind",
        "Silence",
        "digs_holes",
        "ISLAND",
        "strays",
        "stray",
        "latecomers",
        "patience",
        "goes_along",
        "hears_out",
        "hears_everything_out",
        "has_gone_on",
        "calms_down",
        "has_calmed_down",
        "is_told",
        "is_at",
        "takes_over",
        "welcomes",
        "has_left",
        "goes_deaf",
        "ignores_all_so_far",
        "loses",
        "says_again",
        "sees_again",
        "hears",
        "is_called",
        "hears_syn",
        "introduces",
        "opens_richly",
        "starts_richly",
        "wants_init",
        "runs_out",
        "kind_of",
    )
)
"""Identifiers that no module defines: functions, classes, parameters, attributes and variables."""

PHRASES = (
    r"\bbaton\b",
    r"\bcarriages?\b",
    r"\bsquatters?\b",
    r"\bnewcomers?\b(?!-)",
    r"\blatecomers?\b",
    r"\bhears? (?:it |everything |them )?out\b",
    r"\blast words\b",
    r"\btalkative\b",
    r"\bmend the device\b",
    r"\bteach(?:es)? nothing\b",
    r"\bnobody is at\b",
    r"\bis anybody\b(?! there)",
    r"\bdraws no message\b",
    r"\bmet with silence\b",
    r"\bwhoever heard\b",
    r"\bgoes along\b",
    r"\bstays lost\b",
)
"""Phrases that no docstring, text or document says."""

OF_A_PLACE = re.compile(
    r"(?:left|leaves?|hide|reasons?|kernel|measurements|address|processes|namespace|number|host|sequence)[ -]"
    r"behind|behind (?:\w+ ){0,2}(?:NATs?|router|firewall|card|cable|gateway|choice|bump|`)",
    re.I,
)
"""What is behind a thing stands there; what comes later in time or in bytes comes after it, or follows."""


def python_files() -> list[Path]:
    """Every Python file of the project but its own tests."""
    return [ROOT / "conftest.py", *(path for folder in FOLDERS for path in sources(folder))]


def defined(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a module gives a name to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every comment and string of a Python file, and every line of another one."""
    if path.suffix != ".py":
        yield from enumerate(path.read_text().splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], token.string


def documents() -> list[Path]:
    """The documents, the templates, and the readings of the catalogue."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    for folder, pattern in (("docs", "*.md"), ("reports", "*.html"), ("reference", "*.md"), ("conformance", "*.md")):
        found += sorted((ROOT / folder).rglob(pattern))
    return found


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_name_that_was_given_up(path: Path) -> None:
    wrong = [f"{line}: {name}" for line, name in defined(ast.parse(path.read_text())) if name in NAMES]
    assert not wrong


@pytest.mark.parametrize("path", [*python_files(), *documents()], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_phrase_that_was_given_up(path: Path) -> None:
    wrong = []
    for line, text in prose(path):
        wrong += [f"{line}: {phrase}" for phrase in PHRASES if re.search(phrase, text, re.I)]
        if "behind" in OF_A_PLACE.sub("", text).lower():
            wrong.append(f"{line}: behind")
    assert not wrong
