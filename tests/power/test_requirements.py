# SPDX-License-Identifier: GPL-2.0-or-later
"""Every requirement that a case judges is broken by a deviation: no case that cannot fail."""

from conformance.catalogue import load
from conformance.catalogue.cases import find_uses
from conformance.catalogue.model import FOLDER
from tests.power.test_deviations import EXPECTED

UNBROKEN = {
    "MOPS-4.1-08": "a reply that late fails wherever a reply is waited for",
    "MOPS-4.1-137": "only of a node whose Migrates are atomic, and the reference's are not",
    "MOPS-4.2-15": "a message that nothing asked for fails in every case",
    "MOPS-4.3-27": "a message that nothing asked for fails in every case",
    "MOPS-8-01": "the numbers are those of the kernel, whatever the reference does",
    "MOPS-B-04": "it takes an address on each network, and a deviation is run over one of them",
    "MOPS-C-05": "a node that refuses such connections has none with which any case could begin",
}
"""Musts and shoulds that no deviation breaks, with the reason."""


def test_every_requirement_can_fail() -> None:
    """Caught by its cases, or failing of necessity with another one."""
    catalogue = load()
    judged = {use.requirement for use in find_uses(FOLDER.parent)}
    normative = {one for one in judged if catalogue.requirement(one).strength in "MS"}
    broken = {
        requirement for _, entry in EXPECTED.values() for requirement in entry["caught_by"] + entry.get("also", [])
    }
    assert normative - broken == set(UNBROKEN)
