# SPDX-License-Identifier: GPL-2.0-or-later
"""What single cases need from the profile: NotApplicable, naming the line, where it is not there."""

from testbed.case.case import Case
from testbed.interruptions import NotApplicable


def needs_sequence_reading(case: Case, reading: str) -> None:
    """The server reads the comparison of sequence numbers as `reading`."""
    if case.setup.profile.ixit.mops.migrate_seq != reading:
        raise NotApplicable(f'{case.setup.profile.path}: ixit.mops.migrate_seq is not "{reading}"')


def needs_below_reading(case: Case) -> None:
    """The server refuses sequence numbers just below its window."""
    mops = case.setup.profile.ixit.mops
    if mops.migrate_seq == "window" and mops.migrate_seq_below == "accepted":
        raise NotApplicable(f'{case.setup.profile.path}: ixit.mops.migrate_seq_below is "accepted"')


def needs_addresses_of_the_draft(case: Case) -> None:
    """The scenario's addresses exist only in IPFF, and only on wires that belong to the run alone."""
    if case.network.name != "ipff":
        raise NotApplicable("the addresses of the scenario are not IPv4 addresses")
    link = case.setup.profile.link.link
    if link is None or link.kind != "namespace":
        raise NotApplicable(f"{case.setup.profile.path}: link.kind is not namespace: only its addresses are touched")


def is_anycast_server(case: Case) -> bool:
    """Whether the device is an anycast server, which cases of servers judge too where it claims nothing else."""
    return case.setup.role.name == "anycast server"


def needs_plain_server(case: Case) -> None:
    """The device has no anycast address."""
    if is_anycast_server(case):
        raise NotApplicable(f'{case.setup.profile.path}: ics.mops.roles names "anycast server"')
