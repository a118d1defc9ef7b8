# SPDX-License-Identifier: GPL-2.0-or-later
"""The fairness of the suite: a reference that is right in another way fails in no requirement.

`[variants]` of `tests/<protocol>/power.toml` says of each which claims and values its vendor would state (`ics`,
`ixit`), which requirements are about the choice that it makes differently (`about`), and which of them are shoulds that
it breaks (`deviates`).

`make power` runs every variant against all cases. `make test` takes a fortieth of them (`SEED` says which), each
against the cases that it is about and a part of the others.
"""

from pathlib import Path

import pytest

from tests.power.certified import entries, known
from tests.testbed.runs import UNBROKEN

EXPECTED = {entry.name: entry for entry in entries("variant")}


def test_every_variant_has_its_line() -> None:
    """The reference and the lists of the protocols name the same variants."""
    assert sorted(known("variant")) == sorted(EXPECTED)


@pytest.mark.parametrize("name", [name for name, entry in EXPECTED.items() if entry.sampled])
def test_variant_fails_nowhere(name: str, tmp_path: Path) -> None:
    """Certify the other reference over one network at short timers: nothing fails, nothing stays undecided."""
    entry = EXPECTED[name]
    done = entry.certify("--variant", tmp_path, list(entry.content["about"]))
    assert not done.cases("FAIL", "ERROR", "NOT RUN", "INCONCLUSIVE")
    assert done.requirements("DEVIATION") <= set(entry.content.get("deviates", [])), done.said
    assert done.code in UNBROKEN, done.said
