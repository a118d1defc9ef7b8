# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/field.md: the cases, alterations and tests that it names are there, and none of its rows is empty."""

import re
import tomllib

from tests.architecture.sources import ROOT

PAGE = (ROOT / "docs/field.md").read_text()
REQUIREMENT = re.compile(r'"((?:MOPS|REHASH|MIGRATE|LEGACY)-[\w.]+-\d+)"')
MARK = re.compile(r"requirement\(([^()]*?)case=(\d+)\)")


def cases() -> set[str]:
    """The ids of all cases as their marks have them."""
    found = set()
    for path in (ROOT / "conformance").rglob("test_*.py"):
        for names, number in MARK.findall(path.read_text()):
            found |= {f"{name}.{number}" for name in REQUIREMENT.findall(names)}
    return found


def alterations() -> set[str]:
    """The names of deviations and variants."""
    found: set[str] = set()
    for path in (ROOT / "tests").glob("*/power.toml"):
        content = tomllib.loads(path.read_text())
        found |= {*content, *content.get("variants", {})}
    return found


def test_cases_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`((?:MOPS|REHASH|MIGRATE|LEGACY)-[^`]+)`", PAGE))
    assert len(named) > 60
    assert named - cases() == set()


def test_alterations_that_the_page_names_exist() -> None:
    rows = [line for line in PAGE.splitlines() if re.search("deviation|variants? ", line)]
    named = {name for row in rows for name in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", row)}
    assert len(named) == 7
    assert named - alterations() == set()


def test_every_row_says_what_covers_it_or_what_is_missing() -> None:
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    assert all(row[-1].strip() for row in rows)
