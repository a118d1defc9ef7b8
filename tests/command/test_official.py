# SPDX-License-Identifier: GPL-2.0-or-later
"""Official runs: what they refuse, and what the declaration and the test report say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance import official
from profiles import Profile, load
from reports.cases import InMemory
from reports.official import Official
from tests.reports.page import Page
from tests.reports.samples import HOSTILE, every_verdict
from tests.testbed.lab import ROOT

TEXT = (
    (ROOT / "profiles/linux.toml")
    .read_text()
    .replace('name = "Linux kernel"', 'name = "Linux kernel"\nvendor = "kernel.org"\nversion = "6.1"')
)
DECLARATION = f"""
[declaration]
name = "A. Person"
role = "engineer"
organisation = "Example Networks"
contact = "lab@example.org"
tested = "lab-tested"
laboratory = "Example Lab"
firmware_sha256 = "{"0" * 64}"
"""


def profile(folder: Path, text: str) -> Profile:
    path = folder / "box.toml"
    path.write_text(text)
    return load(path)


def refusal(made: Profile, *cases: str, **options: Any) -> str:
    """What an official run of the cases with these options is refused for."""
    config: Any = SimpleNamespace(args=list(cases) or [str(ROOT / "conformance")], option=SimpleNamespace(**options))
    return official.refusal(config, made)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree is clean, whatever is worked on here."""
    monkeypatch.setattr(official, "_git", lambda *words: "")


def test_a_whole_run_is_taken(tmp_path: Path) -> None:
    assert refusal(profile(tmp_path, TEXT + DECLARATION), keyword="", role=[]) == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keyword": "ipv4"}, "not with --keyword"),
        ({"role": ["legacy host"]}, "not with --role"),
        ({"requirement": ["MOPS-4.1-01"]}, "not with --requirement"),
        ({"dut_arg": ["--deviate"]}, "not with --dut-arg"),
    ],
)
def test_a_selection_is_refused(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    assert words in refusal(profile(tmp_path, TEXT + DECLARATION), **options)


def test_cases_by_name_are_refused(tmp_path: Path) -> None:
    made = profile(tmp_path, TEXT + DECLARATION)
    assert "cases that are named" in refusal(made, str(ROOT / "conformance/legacy"))
    assert "cases that are named" in refusal(made, f"{ROOT}/conformance::test_x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT, "declaration: the table is missing"),
        (TEXT.replace('vendor = "kernel.org"\n', "") + DECLARATION, "dut.vendor: is empty"),
        (TEXT.replace('version = "6.1"\n', "") + DECLARATION, "dut.version: is empty"),
        (
            f"{TEXT}{DECLARATION}".replace("[ixit.mops]", "[ixit.mops]\nretries = 2"),
            "declaration.reasons: mops.retries",
        ),
    ],
)
def test_what_the_profile_leaves_open_is_refused(text: str, words: str, tmp_path: Path) -> None:
    assert words in refusal(profile(tmp_path, text))


def test_an_unclean_tree_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(official, "_git", lambda *words: " M conftest.py" if "status" in words else "")
    assert "is not clean: M conftest.py" in refusal(profile(tmp_path, TEXT + DECLARATION))


def test_both_pages_say_who_what_and_why(tmp_path: Path) -> None:
    text = f"{TEXT}{DECLARATION}".replace("[ixit.mops]", "[ixit.mops]\nretries = 2")
    made = profile(tmp_path, f'{text}\n[declaration.reasons]\n"mops.retries" = "the box gives up early"\n')
    assert refusal(made) == ""
    values = list(official.changed(made))
    assert values == [("mops.retries", "3", "2", "the box gives up early")]
    identities = official.identities(made)
    assert all(identities.values())
    run = every_verdict()
    Official(official.declared(made.declaration), identities, values).write(tmp_path, run, InMemory(run.cases))  # type: ignore[arg-type]
    for name in ("declaration.html", "report.html"):
        page = Page((tmp_path / name).read_text())
        cells = page.texts["td"]
        assert "the box gives up early" in cells
        assert any("lab-tested by Example Lab" in cell for cell in cells)
        assert any(identities["Profile, SHA-256"] in cell for cell in cells)
    rows = [row.split("\n")[0] for row in page.texts["tr"]]
    assert len([row for row in rows if any(case.id in row for case in run.cases)]) == len(run.cases)


def test_what_a_profile_says_stays_text(tmp_path: Path) -> None:
    run = every_verdict()
    made = profile(tmp_path, TEXT + DECLARATION)
    assert made.declaration
    declared = dict.fromkeys(official.declared(made.declaration), HOSTILE)
    identities = dict.fromkeys(official.identities(made), HOSTILE)
    hostile = Official(declared, identities, [("a", "b", HOSTILE, HOSTILE)])
    hostile.write(tmp_path, run, InMemory(run.cases))
    for name in ("declaration.html", "report.html"):
        page = Page((tmp_path / name).read_text())
        assert "script" not in page.texts
        assert page.attributes("src") == []
