# SPDX-License-Identifier: GPL-2.0-or-later
"""The loader on a small made-up catalogue, and quotes in its specification."""

from pathlib import Path

import pytest

from conformance.catalogue import CatalogueError, SpecificationText, load, quote_occurs
from tests.catalogue.toy import CATALOGUE, SPECIFICATION


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('strength = "M"', 'strength = "must"', "TOY-1-01: strength: 'must'; allowed are 'M', 'S' or 'I'"),
        (
            '"server", "mobile node"]',
            '"server", "phone"]',
            "TOY-1-01: roles.1: 'phone'; allowed are 'mobile node', 's",
        ),
        ('ics = ["toy.words"]', 'ics = ["toy"]', "TOY-1-01: ics.0: 'toy'; allowed: .*mops.rate_limit_s"),
        ('roles = ["server", "mobile node"]', "roles = []", "TOY-1-01: roles: .*; allowed: .* at least 1 item"),
        ('statement = "Says <hello>."\n', "", "TOY-1-01: statement: is missing; allowed is a value"),
        ('quote = "A talker MUST', 'qoute = "A talker MUST', "TOY-1-01: quote: is missing"),
        ('ixit = ["toy.word"]', 'ixit = ["Word"]', "TOY-1-01: ixit.0: 'Word'; allowed: .*mops.rate_limit_s"),
        ('ixit = ["toy.word"]', 'color = "red"', "TOY-1-01: color: no such key; allowed are id, section, roles"),
        (
            'ixit = ["toy.word"]',
            'justification = "So it is."',
            "TOY-1-01: justification: 'So it is.'; allowed: .* none without a reading",
        ),
        (
            'finds polite."',
            'finds polite."\njustification = "So it is."',
            "TOY-1-02: justification: 'So it is.'; allowed: .* none where strength is not \"M\"",
        ),
        ('ixit = ["toy.word"]', 'protocol = "X"', "TOY-1-01: protocol: stands at the head of the file"),
        ('id = "TOY-1-02"', 'id = "TOY-1-01"', "TOY-1-01: id: used twice"),
        ('id = "TOY-1-02"', 'id = "TOY-2-02"', "TOY-2-02: id: does not say its section; allowed is TOY-1-NN"),
        ('id = "TOY-1-02"', 'id = "toy 2"', "toy 2: id: 'toy 2'; allowed is "),
        ('id = "TOY-1-02"\nsection = "1"', 'id = "TOY-9-02"\nsection = "9"', "TOY-9-02: section: no such section '9'"),
        ('section = "2"\nreason', 'section = "1"\nreason', "1: unnormative: has requirements"),
        ('[[unnormative]]\nsection = "front"\nreason = "contents"\n', "", "front: neither a requirement nor a reason"),
        ('section = "front"\nreason', 'section = "back"\nreason', "back: section: no such section"),
        ('id = "2"\ntitle', 'id = "1"\ntitle', "1: id: the section is there twice"),
        ('specification = "draft-toy-00"', "", "specification: is missing"),
        ('roles = ["mobile node", "server"]\n\n', "", "roles: is missing; allowed is a list of texts"),
        ('begins = "# 2', 'complete = ["host"]\nbegins = "# 2', "2: complete.0: 'host'; allowed are 'mobile node', "),
        ('protocol = "TOY"', 'protocol = "toy"', "protocol: 'toy'; allowed is that of the folder, TOY"),
        ('protocol = "TOY"', 'protocol = "MOPS"', "protocol: 'MOPS'; allowed is that of the folder, TOY"),
        ('protocol = "TOY"', 'protocol = "TOY"\nauthor = "me"', "author: no such key; allowed are protocol"),
        ('protocol = "TOY"', 'protocol = "TOY"\nsection = "me"', "not TOML"),
        ('protocol = "TOY"', 'protocol = TOY"', "not TOML"),
    ],
)
def test_wrong_entry_gives_one_line(catalogue: Path, old: str, new: str, message: str) -> None:
    assert old in CATALOGUE
    (catalogue / "toy/requirements.toml").write_text(CATALOGUE.replace(old, new, 1))
    with pytest.raises(CatalogueError, match=message) as caught:
        load(catalogue)
    assert str(caught.value).startswith(f"{catalogue / 'toy/requirements.toml'}: ")
    assert "\n" not in str(caught.value)


def test_no_specification(catalogue: Path) -> None:
    (catalogue / "toy/specification.txt").unlink()
    with pytest.raises(CatalogueError, match=r"toy/specification\.txt is not there; allowed is a text beside"):
        load(catalogue)


def test_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no catalogue here"):
        load(tmp_path)


def test_lines_are_folded(catalogue: Path) -> None:
    assert load(catalogue).requirement("TOY-1-02").quote == "It SHOULD be polite when it sets POLITE_FLAG."


@pytest.mark.parametrize("first", ["reading", "justification"])
def test_reading_and_justification_stand_in_any_order(catalogue: Path, first: str) -> None:
    lines = ['reading = "Any."', 'justification = """\nSo\nit is."""']
    keys = "\n".join(sorted(lines, key=lambda line: not line.startswith(first)))
    (catalogue / "toy/requirements.toml").write_text(CATALOGUE.replace('ixit = ["toy.word"]', keys))
    assert load(catalogue).requirement("TOY-1-01").justification == "So it is."


def test_unknown_requirement_and_protocol(catalogue: Path) -> None:
    with pytest.raises(CatalogueError, match="TOY-1-09: no such requirement"):
        load(catalogue).requirement("TOY-1-09")
    with pytest.raises(CatalogueError, match="NO: no such protocol; allowed are TOY"):
        load(catalogue).protocol("NO")


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
