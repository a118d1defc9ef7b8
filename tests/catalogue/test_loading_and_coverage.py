# SPDX-License-Identifier: GPL-2.0-or-later
"""Loader and coverage on a small made-up catalogue with made-up cases."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.catalogue import CatalogueError, SpecificationText, load, quote_occurs
from conformance.catalogue.__main__ import main
from conformance.catalogue.cases import find_uses
from conformance.catalogue.complete import Complete
from conformance.catalogue.coverage import Coverage, State
from conformance.catalogue.model import FOLDER
from reports.__main__ import main as reports

ROOT = FOLDER.parent.parent

SPECIFICATION = """\
# <u>Toy</u> protocol

Contents
1. Talking

# 1. Talking

A talker MUST say **hello** <first> & wait. It SHOULD be
polite when it sets POLITE\\_FLAG.
History: nobody should have been rude.
A talker may shout.

# 2. History

Long ago.
"""

CATALOGUE = """\
protocol = "TOY"
specification = "toy.txt"

[[section]]
id = "front"
title = "Contents"
begins = "# Toy protocol"

[[section]]
id = "1"
title = "Talking"
begins = "# 1. Talking"

[[section]]
id = "2"
title = "History & <more>"
begins = "# 2. History"

[[requirement]]
id = "TOY-1-01"
section = "1"
roles = ["server", "mobile node"]
strength = "M"
quote = "A talker MUST say hello <first> & wait."
statement = "Says <hello>."
ixit = ["toy.word"]

[[requirement]]
id = "TOY-1-02"
section = "1"
roles = ["server"]
strength = "S"
quote = '''
It SHOULD be polite
when it sets POLITE_FLAG.'''
statement = "Is polite."
reading = "Polite is what the tester finds polite."

[[requirement]]
id = "TOY-1-03"
section = "1"
roles = ["server"]
strength = "I"
quote = "A talker may shout."
statement = "Reported: whether it shouts."
no_case = "the tester is deaf"

[[unnormative]]
section = "front"
reason = "contents"

[[unnormative]]
section = "2"
reason = "history & <more>"

[[unnormative]]
section = "1"
quote = "History: nobody should have been rude."
reason = "the past"
"""

CASES = '''\
import pytest
from testbed.run.marks import requirement, valid


@requirement("TOY-1-01")
@valid
def test_hello():
    """Says hello."""


def helper():
    """requirement("TOY-1-02") in a text is none."""
'''


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    folder = tmp_path / "catalogue"
    (folder / "specifications").mkdir(parents=True)
    (folder / "specifications" / "toy.txt").write_text(SPECIFICATION)
    (folder / "toy.toml").write_text(CATALOGUE)
    return folder


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    return _write(tmp_path, CASES)


def _write(tmp_path: Path, source: str) -> Path:
    folder = tmp_path / "conformance"
    (folder / "toy").mkdir(parents=True, exist_ok=True)
    (folder / "toy" / "test_1.py").write_text(source)
    return folder


# Loading


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('strength = "M"', 'strength = "must"', "TOY-1-01: strength: 'must'; allowed are 'M', 'S' or 'I'"),
        ('"mobile node"]', '"phone"]', "TOY-1-01: roles.1: 'phone'; allowed are 'mobile node', 'server'"),
        ('roles = ["server", "mobile node"]', "roles = []", "TOY-1-01: roles: .*; allowed: .* at least 1 item"),
        ('statement = "Says <hello>."\n', "", "TOY-1-01: statement: is missing; allowed is a value"),
        ('quote = "A talker MUST', 'qoute = "A talker MUST', "TOY-1-01: quote: is missing"),
        ('ixit = ["toy.word"]', 'ixit = ["Word"]', "TOY-1-01: ixit.0: 'Word'; allowed: .*mops.rate_limit_s"),
        ('ixit = ["toy.word"]', 'color = "red"', "TOY-1-01: color: no such key; allowed are id, section, roles"),
        ('ixit = ["toy.word"]', 'protocol = "X"', "TOY-1-01: protocol: stands at the head of the file"),
        ('id = "TOY-1-02"', 'id = "TOY-1-01"', "TOY-1-01: id: used twice"),
        ('id = "TOY-1-02"', 'id = "TOY-2-02"', "TOY-2-02: id: does not say its section; allowed is TOY-1-NN"),
        ('id = "TOY-1-02"', 'id = "toy 2"', "toy 2: id: 'toy 2'; allowed is "),
        ('id = "TOY-1-02"\nsection = "1"', 'id = "TOY-9-02"\nsection = "9"', "TOY-9-02: section: no such section '9'"),
        ('section = "2"\nreason', 'section = "1"\nreason', "1: unnormative: has requirements"),
        ('[[unnormative]]\nsection = "front"\nreason = "contents"\n', "", "front: neither a requirement nor a reason"),
        ('section = "front"\nreason', 'section = "back"\nreason', "back: section: no such section"),
        ('id = "2"\ntitle', 'id = "1"\ntitle', "1: id: the section is there twice"),
        ('specification = "toy.txt"', 'specification = "no.txt"', "specification: .*no.txt is not there"),
        ('specification = "toy.txt"', "", "specification: is missing"),
        ('protocol = "TOY"', 'protocol = "toy"', "protocol: 'toy'; allowed are capital letters"),
        ('protocol = "TOY"', 'protocol = "TOY"\nauthor = "me"', "author: no such key; allowed are protocol"),
        ('protocol = "TOY"', 'protocol = "TOY"\nsection = "me"', "not TOML"),
        ('protocol = "TOY"', 'protocol = TOY"', "not TOML"),
    ],
)
def test_wrong_entry_gives_one_line(catalogue: Path, old: str, new: str, message: str) -> None:
    assert old in CATALOGUE
    (catalogue / "toy.toml").write_text(CATALOGUE.replace(old, new, 1))
    with pytest.raises(CatalogueError, match=message) as caught:
        load(catalogue)
    assert str(caught.value).startswith(f"{catalogue / 'toy.toml'}: ")
    assert "\n" not in str(caught.value)


def test_one_file_a_protocol(catalogue: Path) -> None:
    (catalogue / "twice.toml").write_text(CATALOGUE)
    with pytest.raises(CatalogueError, match=r"TOY is already in toy\.toml"):
        load(catalogue)


def test_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no catalogue here"):
        load(tmp_path)


def test_lines_are_folded(catalogue: Path) -> None:
    assert load(catalogue).requirement("TOY-1-02").quote == "It SHOULD be polite when it sets POLITE_FLAG."


def test_unknown_requirement_and_protocol(catalogue: Path) -> None:
    with pytest.raises(CatalogueError, match="TOY-1-09: no such requirement"):
        load(catalogue).requirement("TOY-1-09")
    with pytest.raises(CatalogueError, match="NO: no such protocol; allowed are TOY"):
        load(catalogue).protocol("NO")


# Quotes


@pytest.mark.parametrize(
    ("quote", "occurs"),
    [
        ("A talker MUST say hello <first> & wait.", True),
        ("It SHOULD  be\npolite", True),
        ("sets POLITE_FLAG", True),
        ("sets POLITE\\_FLAG", True),
        ("Toy protocol", True),
        ("It should be polite", False),
        ("A talker MUST say goodbye", False),
        ("", False),
        (" ", False),
    ],
)
def test_quote_occurs(quote: str, occurs: bool) -> None:
    assert quote_occurs(quote, SPECIFICATION) is occurs


def test_quotes_are_found_where_they_stand() -> None:
    text = SpecificationText(SPECIFICATION, {"front": "# Toy", "1": "# 1. Talking", "2": "# 2. History"})
    (place,) = text.find("be polite")
    assert text.text[place.start : place.end] == "be\npolite"
    assert text.find("be polite", "2") == []
    assert len(text.find("Talking")) == 2
    assert len(text.find("Talking", "1")) == 1
    assert text.find("") == []
    assert [text.text[s.start : s.end] for s in text.sentences("2")] == ["# 2. History", "Long ago."]


def test_section_that_is_not_there() -> None:
    assert SpecificationText(SPECIFICATION, {"1": "# 1. Talking", "9": "# 9. Nothing"}).missing == ("9",)


# Cases


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
    for use in find_uses(_write(tmp_path, source)):
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
        find_uses(_write(tmp_path, source))
    assert "\n" not in str(caught.value)


# Coverage


def test_states(catalogue: Path, cases: Path) -> None:
    coverage = Coverage.of(load(catalogue), cases)
    assert {one.requirement.id: one.state for one in coverage.judged.values()} == {
        "TOY-1-01": State.CASE,
        "TOY-1-02": State.OPEN,
        "TOY-1-03": State.REASON,
    }
    assert coverage.judged["TOY-1-01"].cases == ("conformance/toy/test_1.py::test_hello",)


def test_rows_count_a_requirement_once_a_role(catalogue: Path, tmp_path: Path) -> None:
    coverage = Coverage.of(load(catalogue), _write(tmp_path, ""))
    assert [(row.role, row.requirements, row.states.get(State.OPEN, 0), row.open_musts) for row in coverage.rows()] == [
        ("mobile node", 1, 1, 1),
        ("server", 3, 2, 1),
        ("all roles", 3, 2, 1),
    ]


def test_unknown_id_is_refused(catalogue: Path, tmp_path: Path) -> None:
    cases = _write(tmp_path, '\n@requirement("TOY-1-77")\ndef test_a(): ...')
    with pytest.raises(CatalogueError, match=r"test_1.py:2: TOY-1-77: no such requirement"):
        Coverage.of(load(catalogue), cases)


def test_reason_beside_a_case_is_a_contradiction(catalogue: Path, tmp_path: Path) -> None:
    cases = _write(tmp_path, '@requirement("TOY-1-03")\ndef test_a(): ...')
    (line,) = Coverage.of(load(catalogue), cases, ()).contradictions()
    assert line.startswith("TOY-1-03: no_case: set, but conformance/toy/test_1.py::test_a")


@pytest.mark.parametrize(
    ("declared", "missing"),
    [
        (Complete("TOY", "server", "1"), ["TOY-1-01", "TOY-1-02"]),
        (Complete("TOY", "mobile node", "1"), ["TOY-1-01"]),
        (Complete("TOY", "server", "1", frozenset({"toy.word"})), ["TOY-1-02"]),
        (Complete("TOY", "server", "2"), []),
        (Complete("MOPS", "server", "1"), []),
    ],
)
def test_gap_where_complete_is_a_contradiction(
    catalogue: Path, tmp_path: Path, declared: Complete, missing: list[str]
) -> None:
    lines = Coverage.of(load(catalogue), _write(tmp_path, ""), [declared]).contradictions()
    assert [line.split(":")[0] for line in lines] == missing


def test_sentences_carry_their_state(catalogue: Path, cases: Path) -> None:
    coverage = Coverage.of(load(catalogue), cases)
    (_, part, _) = coverage.parts(coverage.catalogue.protocols[0])
    states = {" ".join(piece.text.split()): piece.state for piece in part.pieces if piece.text.strip()}
    assert states == {
        "# 1. Talking": State.NONE,
        "A talker MUST say hello <first> & wait.": State.CASE,
        "It SHOULD be polite when it sets POLITE_FLAG.": State.OPEN,
        "History: nobody should have been rude.": State.NONE,
        "A talker may shout.": State.REASON,
    }
    assert "".join(piece.text for piece in part.pieces) == part_text(coverage)


def part_text(coverage: Coverage) -> str:
    text = coverage.catalogue.protocols[0].text
    return text.text[slice(*text.sections["1"])]


# The command


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
    data = catalogue / "toy.toml" / "coverage.json"
    assert main(["coverage", "--catalogue", str(catalogue), "--cases", str(cases), "--json", str(data)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conformance.catalogue", "coverage"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert "MOPS" in done.stdout
