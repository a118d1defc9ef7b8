# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m reports`: the certificate made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.__main__ import main
from reports.certificate import render
from tests.reports.samples import every_verdict


def test_the_command_makes_the_certificate_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    every_verdict().write(tmp_path / "results.json")
    assert main([str(tmp_path / "results.json")]) == 0
    assert (tmp_path / "certificate.html").read_text() == render(every_verdict(), tmp_path)
    assert main([str(tmp_path / "results.json"), "-o", str(tmp_path / "else" / "c.html")]) == 0
    assert (tmp_path / "else" / "c.html").exists()
    assert capsys.readouterr().err == ""


def test_the_command_refuses_bad_input_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results.json").write_text('{"schema": 1}')
    for name in ("results.json", "none.json", "."):
        assert main([str(tmp_path / name)]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert str(tmp_path / name) in lines[0]
