# SPDX-License-Identifier: GPL-2.0-or-later
"""The catalogue agrees with the specifications and with the cases."""

import re
import subprocess
import sys

import pytest

import profiles
from conformance.catalogue import Catalogue, Protocol, load
from conformance.catalogue.cases import find_uses
from conformance.catalogue.coverage import Coverage
from conformance.catalogue.model import FOLDER
from profiles import ICS, IXIT, ROLES
from profiles.tables import keys

CATALOGUE = load()
PROTOCOLS = [pytest.param(protocol, id=protocol.name) for protocol in CATALOGUE.protocols]

SOUNDS_NORMATIVE = re.compile(r"\b(must|shall|should|required|recommended|never)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return Coverage(CATALOGUE, {})


def test_every_protocol_is_there() -> None:
    names = [protocol.name for protocol in CATALOGUE.protocols]
    assert names == sorted(name.upper() for name in profiles.PROTOCOLS)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_section_is_found_in_the_text(protocol: Protocol) -> None:
    assert protocol.text.missing == ()
    assert list(protocol.text.sections) == [section.id for section in protocol.sections]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_sections_are_the_whole_text(protocol: Protocol) -> None:
    first = next(iter(protocol.text.sections.values()))
    assert protocol.text.text[: first.start].strip(" \n*#") == ""


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_entries_stand_in_the_order_of_the_sections(protocol: Protocol) -> None:
    order = {section.id: number for number, section in enumerate(protocol.sections)}
    places = [(order[entry.section], int(entry.id.rsplit("-", 1)[1])) for entry in protocol.requirements]
    assert places == sorted(places)


def test_quotes_stand_in_their_sections() -> None:
    texts = {protocol.name: protocol.text for protocol in CATALOGUE.protocols}
    assert [entry.id for entry in CATALOGUE if not texts[entry.protocol].find(entry.quote, entry.section)] == []
    also = [(entry.id, quote) for entry in CATALOGUE for quote in entry.also]
    assert [(id_, quote) for id_, quote in also if not texts[CATALOGUE.requirement(id_).protocol].find(quote)] == []


def test_texts_are_sentences() -> None:
    def is_sentence(text: str) -> bool:
        return text.lstrip('"')[0].isupper() and text.endswith((".", '"'))

    assert [entry.id for entry in CATALOGUE if not is_sentence(entry.statement)] == []
    assert [entry.id for entry in CATALOGUE if entry.reading and not entry.reading.endswith((".", '"'))] == []
    assert [entry.id for entry in CATALOGUE if entry.justification and not is_sentence(entry.justification)] == []
    assert [entry.id for entry in CATALOGUE if entry.no_case.endswith(".")] == []


def test_a_must_that_rests_on_a_reading_is_stated_or_justified() -> None:
    """A vendor who reads otherwise says so in the profile, or finds on the certificate why that is no choice."""
    musts = [entry for entry in CATALOGUE if entry.strength == "M" and entry.reading]
    assert [entry.id for entry in musts if not (entry.ixit or entry.ics or entry.justification)] == []


def test_no_two_justifications_are_the_same() -> None:
    sentences = [
        sentence for entry in CATALOGUE for sentence in re.split(r"(?<=[.;])\s", entry.justification) if sentence
    ]
    assert [sentence for sentence in set(sentences) if sentences.count(sentence) > 1] == []


def test_what_is_reported_or_measured_judges_nothing() -> None:
    """Strength I is measured or reported, or has no case; nothing that is judged calls itself a report."""
    for entry in CATALOGUE:
        reported = entry.statement.startswith(("Reported:", "Measured:"))
        assert not reported or entry.strength == "I", entry.id
        assert entry.strength != "I" or reported or entry.no_case, entry.id


def test_ids_named_in_texts_exist() -> None:
    texts = " ".join(f"{entry.statement} {entry.reading} {entry.justification} {entry.no_case}" for entry in CATALOGUE)
    named = re.findall(r"\b(?:MOPS|REHASH|MIGRATE|MSOCKS|SACIP|LEGACY)-[A-Za-z0-9.]+-\d{2,3}\b", texts)
    assert named
    assert [identifier for identifier in named if identifier not in CATALOGUE] == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_two_entries_say_the_same(protocol: Protocol) -> None:
    said = [(entry.section, entry.statement, entry.roles) for entry in protocol.requirements]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_sentence_that_sounds_normative_is_accounted_for(protocol: Protocol, coverage: Coverage) -> None:
    """It is quoted by a requirement, or it stands in a section or has an entry that says why it is none."""
    left = [
        piece.text
        for part in coverage.parts(protocol)
        if not part.reason
        for piece in part.pieces
        if not piece.judged and not piece.reason and SOUNDS_NORMATIVE.search(piece.text)
    ]
    assert left == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sentences_set_aside_are_in_the_text_and_not_quoted(protocol: Protocol, coverage: Coverage) -> None:
    aside = [entry for entry in protocol.unnormative if entry.quote]
    assert [entry.quote for entry in aside if not protocol.text.find(entry.quote, entry.section)] == []
    both = [piece.text for part in coverage.parts(protocol) for piece in part.pieces if piece.judged and piece.reason]
    assert both == []


def test_keys_are_keys_of_the_profile() -> None:
    """What a requirement depends on is a claim, true or false, or a value."""
    claims, values = ({key.name: key.field for key in keys(model)} for model in (ICS, IXIT))
    for entry in CATALOGUE:
        assert set(entry.ics) <= claims.keys(), entry.id
        assert all(claims[key].annotation is bool for key in entry.ics), entry.id
        assert set(entry.ixit) <= values.keys(), entry.id


def test_every_protocol_of_the_profile_has_requirements_for_its_roles() -> None:
    assert sorted(name.upper() for name in profiles.PROTOCOLS) == [protocol.name for protocol in CATALOGUE.protocols]
    known = {(protocol.name.lower(), role) for protocol in CATALOGUE.protocols for role in protocol.roles}
    assert {(role.protocol, role.name) for role in ROLES} <= known


def test_a_role_has_cases_and_cases_have_a_role() -> None:
    """Exactly the roles with a folder of cases can be claimed."""
    folders = {path.parent.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("test_*.py")}
    assert folders == {f"{role.protocol}/{role.folder}" for role in ROLES}


def test_roles_are_explained() -> None:
    readme = (FOLDER / "catalogue/README.md").read_text()
    roles = readme[readme.index("## Roles") : readme.index("## Strengths")]
    named = {role for protocol in CATALOGUE.protocols for role in protocol.roles}
    assert [role for role in named if role not in roles] == []


def test_every_case_names_known_requirements() -> None:
    assert [use for use in find_uses(FOLDER) if use.requirement not in CATALOGUE] == []


def test_no_reason_beside_a_case_and_no_gap_where_complete() -> None:
    assert Coverage.of(CATALOGUE, FOLDER).contradictions() == []


def test_what_is_declared_complete_exists() -> None:
    """A section is declared complete for roles that it has requirements for."""
    for protocol in CATALOGUE.protocols:
        for section in protocol.sections:
            for role in section.complete:
                assert CATALOGUE.select(protocol=protocol.name, role=role, section=section.id), (
                    protocol.name,
                    section.id,
                )


def test_loading_needs_only_pydantic() -> None:
    """The reports and other people's scripts may load the catalogue without the rest of the suite."""
    others = ("testbed", "layers", "profiles", "reports", "reference", "scapy", "jinja2", "rich")
    code = f"import sys, conformance.catalogue as c; c.load(); print([m for m in {others} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=FOLDER.parent)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({"protocol": "MOPS", "role": "server", "section": "2.1"}, ["MOPS-2.1-01"]),
        ({"protocol": "MOPS", "section": "3", "strength": "M", "role": "mobile node"}, ["MOPS-3-02", "MOPS-3-06"]),
        ({"protocol": "NONE"}, []),
    ],
)
def test_select(given: dict[str, str], ids: list[str]) -> None:
    assert [entry.id for entry in CATALOGUE.select(**given)] == ids


def test_catalogue_is_a_collection() -> None:
    assert len(CATALOGUE) == len(list(CATALOGUE)) == len(CATALOGUE.requirements)
    assert "MOPS-4.1-01" in CATALOGUE
    assert "MOPS-4.1-00" not in CATALOGUE
    assert isinstance(load(), Catalogue)
    assert load() is CATALOGUE
