# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendices A and B: where the scenarios of the draft can be played with their own addresses."""

from testbed.case.case import Case
from testbed.interruptions import NotApplicable


def own_numbers(case: Case) -> None:
    """The scenario's addresses exist only in IPFF, and only on wires that belong to the run alone."""
    if case.network.name != "ipff":
        raise NotApplicable("the addresses of the scenario are not IPv4 addresses")
    if case.setup.profile.link.kind != "namespace":
        raise NotApplicable(f"{case.setup.profile.path}: link.kind is not namespace: only its addresses are touched")
