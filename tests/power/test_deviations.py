# SPDX-License-Identifier: GPL-2.0-or-later
"""The power of the suite: a reference made wrong in one way fails in the requirement that it breaks, and in no other.

`tests/<protocol>/power.toml` says for each deviation which requirements must catch it (`caught_by`) and which others
fail with it of necessity (`also`; any with `later_breaks_any`), and over which networks and with which profile it is
certified.

`make power` runs every deviation against all cases. `make test` takes a fortieth of them (`SEED` says which), each
against the cases that have to catch it and a part of the others.
"""

from pathlib import Path

import pytest

from tests.power.certified import Entry, entries, known

EXPECTED = {entry.name: entry for entry in entries("deviation")}


def caught_by(entry: Entry) -> list[str]:
    """Requirements that must fail."""
    return list(entry.content["caught_by"])


def allowed(entry: Entry) -> set[str]:
    """Requirements that may fail."""
    return {*caught_by(entry), *entry.content.get("also", [])}


def test_every_deviation_has_its_requirement() -> None:
    """The reference and the lists of the protocols name the same deviations."""
    assert sorted(known("deviation")) == sorted(EXPECTED)


@pytest.mark.parametrize("name", [name for name, entry in EXPECTED.items() if entry.sampled])
def test_deviation_is_caught_where_it_belongs(name: str, tmp_path: Path) -> None:
    """Certify the deviating reference over one network at short timers and compare what is broken."""
    entry = EXPECTED[name]
    done = entry.certify("--deviate", tmp_path, caught_by(entry))
    broken = done.requirements("FAIL", "DEVIATION")
    assert not done.cases("ERROR", "NOT RUN")
    assert set(caught_by(entry)) <= broken, f"not caught: {done.said}"
    # What it does a while later meets whatever case lasts that long: which ones do is up to the machine.
    assert broken <= allowed(entry) or entry.content.get("later_breaks_any"), done.said
    # A broken should leaves the device conformant, though other cases may find their preamble spoilt by it.
    assert (done.code == 1) == bool(done.requirements("FAIL"))
