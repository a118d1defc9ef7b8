# SPDX-License-Identifier: GPL-2.0-or-later
"""The command that shows the coverage, on the terminal and as a page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.catalogue import load
from conformance.catalogue.__main__ import main
from conformance.catalogue.model import FOLDER
from reports.__main__ import main as reports

ROOT = FOLDER.parent


def test_table(catalogue: Path, cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "--catalogue", str(catalogue), "--cases", str(cases), "--open"]) == 0
    said = capsys.readouterr().out
    assert "total  with case  with reason  open  open musts" in said
    rows = [re.split(r" {2,}", line.strip()) for line in said.splitlines() if line.strip().startswith("TOY  ")]
    assert rows == [
        ["TOY", "mobile node", "1", "1", "0", "0", "0"],
        ["TOY", "server", "3", "1", "1", "1", "0"],
        ["TOY", "all roles", "3", "1", "1", "1", "0"],
    ]
    assert "TOY-1-02  S  Is polite." in said


def written(page: Path, *options: str) -> str:
    """The page that the two commands of `make coverage` leave."""
    data = page.parent.with_name("data") / "coverage.json"
    assert main(["coverage", *options, "--json", str(data)]) == 0
    assert reports(["coverage", str(data), "-o", str(page)]) == 0
    return page.read_text()


def test_html(catalogue: Path, cases: Path, tmp_path: Path) -> None:
    page = tmp_path / "page" / "coverage.html"
    html = written(page, "--catalogue", str(catalogue), "--cases", str(cases))
    assert '<mark class="with-case">A talker MUST say hello &lt;first&gt; &amp; wait.</mark>' in html
    assert '[with case: <a href="#TOY-1-01">TOY-1-01</a>]' in html
    assert '[open: <a href="#TOY-1-02">TOY-1-02</a>]' in html
    assert '[with reason: <a href="#TOY-1-03">TOY-1-03</a>]' in html
    assert 'id="TOY-1-01"' in html
    assert "Says &lt;hello&gt;." in html
    assert "the tester is deaf" in html
    assert "Polite is what the tester finds polite." in html
    assert "conformance/toy/test_1.py::test_hello" in html
    assert "No requirement: history &amp; &lt;more&gt;." in html
    assert "[not normative: the past]" in html
    assert re.search(r'(?:src|href)="(?!#)', html) is None
    assert "http" not in html.replace("http-equiv", "")
    assert [path.name for path in page.parent.iterdir()] == ["coverage.html"]


def test_html_links_lead_somewhere(tmp_path: Path) -> None:
    html = written(tmp_path / "page" / "coverage.html")
    targets = re.findall(r'\bid="([^"]+)"', html)
    assert len(set(targets)) == len(targets)
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(targets)
    assert {entry.id for entry in load()} <= set(targets)


def test_wrong_catalogue_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "--catalogue", str(tmp_path), "--cases", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_data_that_cannot_be_written(catalogue: Path, cases: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = catalogue / "toy/requirements.toml" / "coverage.json"
    assert main(["coverage", "--catalogue", str(catalogue), "--cases", str(cases), "--json", str(data)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conformance.catalogue", "coverage"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert "MOPS" in done.stdout
