# SPDX-License-Identifier: GPL-2.0-or-later
"""Which case judges which requirement, read from modules of cases without running them."""

from pathlib import Path

import pytest

from conformance.catalogue import CatalogueError
from conformance.catalogue.cases import find_uses
from tests.catalogue.toy import write_cases


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('@requirement("TOY-1-01", "TOY-1-02")\ndef test_a(): ...', {"test_a": ["TOY-1-01", "TOY-1-02"]}),
        ('@requirement("TOY-1-01")\n@requirement("TOY-1-02")\ndef test_a(): ...', {"test_a": ["TOY-1-01", "TOY-1-02"]}),
        ('@pytest.mark.requirement("TOY-1-01")\nasync def test_a(): ...', {"test_a": ["TOY-1-01"]}),
        ('@marks.requirement("TOY-1-01")\ndef test_a(): ...', {"test_a": ["TOY-1-01"]}),
        (
            '@pytest.mark.parametrize("x", [1, pytest.param(2, marks=[requirement("TOY-1-02"), slow])])\n'
            '@requirement("TOY-1-01")\ndef test_a(x): ...',
            {"test_a": ["TOY-1-02", "TOY-1-01"]},
        ),
        (
            'ALL = [pytest.param(2, marks=requirement("TOY-1-02"))]\n'
            '@pytest.mark.parametrize("x", ALL)\ndef test_a(x): ...\ndef test_b(): ...',
            {"test_a": ["TOY-1-02"]},
        ),
        ('pytestmark = requirement("TOY-1-03")\ndef test_a(): ...', {"test_a": ["TOY-1-03"]}),
        (
            '@requirement("TOY-1-01")\nclass TestAll:\n  @requirement("TOY-1-02")\n  def test_a(self): ...\n'
            "  def test_b(self): ...\n  def help(self): ...",
            {"TestAll::test_a": ["TOY-1-01", "TOY-1-02"], "TestAll::test_b": ["TOY-1-01"]},
        ),
        (
            'class TestAll:\n  pytestmark = [requirement("TOY-1-02")]\n  def test_a(self): ...',
            {"TestAll::test_a": ["TOY-1-02"]},
        ),
        ('@requirement("TOY-1-01")\ndef helper(): ...\ndef test_a(): requirement("TOY-1-02")', {}),
        ('again = again\n@again\n@requirement("TOY-1-01")\ndef test_a(): ...', {"test_a": ["TOY-1-01"]}),
    ],
)
def test_marks_are_read(tmp_path: Path, source: str, expected: dict[str, list[str]]) -> None:
    found: dict[str, list[str]] = {}
    for use in find_uses(write_cases(tmp_path, source)):
        found.setdefault(use.case.removeprefix("conformance/toy/test_1.py::"), []).append(use.requirement)
    assert found == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("@requirement(NAME)\ndef test_a(): ...", r"test_1.py:1: requirement\(NAME\): cannot be read without running"),
        ("def test_a(:", "test_1.py: cannot be read: "),
    ],
)
def test_module_that_cannot_be_read(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message) as caught:
        find_uses(write_cases(tmp_path, source))
    assert "\n" not in str(caught.value)
