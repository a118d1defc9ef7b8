# SPDX-License-Identifier: GPL-2.0-or-later
"""The coverage page: made from data, complete, and nothing in it acts."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from reports.__main__ import main
from tests.reports.page import Page
from tests.reports.samples import HOSTILE

DATA: dict[str, Any] = {
    "schema": 1,
    "rows": [
        {
            "protocol": "TOY",
            "role": "server",
            "requirements": 2,
            "states": {"with case": 1, "open": 1},
            "open_musts": 1,
        }
    ],
    "specifications": [
        {
            "protocol": "TOY",
            "specification": "toy.txt",
            "parts": [
                {
                    "id": "1",
                    "title": "Talking",
                    "reason": "",
                    "states": {"with case": 1, "open": 1},
                    "pieces": [
                        {"text": "Introduction. ", "state": None, "quoted": {}, "reason": "", "figure": False},
                        {
                            "text": "Say hello and wait.",
                            "state": "open",
                            "quoted": {"with case": ["TOY-1-01"], "open": ["TOY-1-02"]},
                            "reason": "",
                            "figure": False,
                        },
                    ],
                    "requirements": [
                        {
                            "id": f"TOY-1-0{number}",
                            "roles": ["server"],
                            "strength": "M",
                            "statement": f"Does {number}.",
                            "reading": "",
                            "ixit": [],
                            "state": state,
                            "no_case": "",
                            "cases": cases,
                        }
                        for number, state, cases in ((1, "with case", ["test_1.py::test_hello"]), (2, "open", []))
                    ],
                }
            ],
        }
    ],
}


def page(tmp_path: Path, data: dict[str, Any]) -> str:
    (tmp_path / "coverage.json").write_text(json.dumps(data))
    assert main(["coverage", str(tmp_path / "coverage.json")]) == 0
    return (tmp_path / "coverage.html").read_text()


def test_a_sentence_is_open_as_long_as_one_of_its_requirements_is(tmp_path: Path) -> None:
    html = page(tmp_path, DATA)
    assert '<mark class="open">Say hello and wait.</mark>' in html
    assert '[with case: <a href="#TOY-1-01">TOY-1-01</a>; open: <a href="#TOY-1-02">TOY-1-02</a>]' in html
    assert "test_1.py::test_hello" in html


def test_nothing_is_loaded_and_nothing_acts(tmp_path: Path) -> None:
    hostile, attack = copy.deepcopy(DATA), HOSTILE.replace("\ud800", "")  # no half of a pair is in a text file
    hostile["specifications"][0]["parts"][0]["pieces"][0]["text"] = attack
    hostile["specifications"][0]["parts"][0]["requirements"][0]["statement"] = attack
    html = page(tmp_path, hostile)
    taken_apart = Page(html)
    assert [tag for tag, _ in taken_apart.tags if tag in ("script", "img", "iframe", "object")] == []
    assert all(target.startswith("#") for target in taken_apart.attributes("href"))
    assert "\u202e" not in html
    assert re.search(r"style-src &#39;sha256-[A-Za-z0-9+/=]+&#39;", html)


def test_wrong_data_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "coverage.json"
    wrong = copy.deepcopy(DATA)
    wrong["rows"][0]["states"] = {"half done": 1}
    for text, said in ((json.dumps(wrong), "rows[0].states"), ('{"schema": 2}', "schema: must be 1"), ("[]", "object")):
        path.write_text(text)
        assert main(["coverage", str(path)]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert said in lines[0]
