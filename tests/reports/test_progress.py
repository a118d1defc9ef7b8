# SPDX-License-Identifier: GPL-2.0-or-later
"""How far a run is: one line that changes on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import itertools

import pytest
from rich.console import Console

from reports import progress
from reports.progress import Progress

SECONDS = 45


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, brief: bool, terminal: bool) -> str:
    """What a run of a case a second prints."""
    ticks = itertools.count()
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(ticks)))
    monkeypatch.setattr(Console, "is_terminal", property(lambda _: terminal))
    shown = Progress(brief=brief)
    shown.total = SECONDS
    for _ in range(SECONDS):
        shown.advance()
    return capsys.readouterr().err


def test_a_line_every_ten_seconds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(capsys, monkeypatch, brief=True, terminal=False).splitlines()
    assert [line.split()[0] for line in lines] == ["10", "20", "30", "40"]
    assert lines[-1] == "40 of 45 cases, about 5 s left"


def test_one_line_on_a_terminal_that_is_gone_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = printed(capsys, monkeypatch, brief=True, terminal=True)
    assert "\n" not in text
    assert text.count("\r\x1b[K") == SECONDS
    assert text.endswith("\r\x1b[K")


def test_between_the_letters_of_the_cases_it_has_lines_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed(capsys, monkeypatch, brief=False, terminal=True).splitlines()
    assert lines[:2] == ["", "2 of 45 cases"]
