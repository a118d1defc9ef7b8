# SPDX-License-Identifier: GPL-2.0-or-later
"""Every requirement that a case judges is broken by a deviation: no case that cannot fail."""

from conformance.catalogue import load
from conformance.catalogue.cases import find_uses
from conformance.catalogue.model import FOLDER
from tests.power.certified import TABLES
from tests.power.test_deviations import EXPECTED, allowed


def test_every_requirement_can_fail() -> None:
    """Caught by its cases, or failing of necessity with another one, or `unbroken` says why it is not."""
    catalogue = load()
    judged = {use.requirement for use in find_uses(FOLDER)}
    normative = {one for one in judged if catalogue.requirement(one).strength in "MS"}
    broken = {requirement for entry in EXPECTED.values() for requirement in allowed(entry)}
    unbroken = {requirement for table in TABLES.values() for requirement in table.get("unbroken", {})}
    assert normative - broken == unbroken
