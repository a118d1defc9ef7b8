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
    if any(side.network.name != "ipff" for side in case.sides.values()):
        raise NotApplicable("the addresses of the scenario are not IPv4 addresses")
    if case.setup.profile.link.interfaces:
        raise NotApplicable(f"{case.setup.profile.path}: link.kind is not namespace: only its addresses are touched")


def needs_opening_on_success(case: Case) -> None:
    """A firewall opens what the server has agreed to, and not what a Migrate asks for."""
    if case.setup.profile.ixit.mops.opens_on != "success":
        raise NotApplicable(f'{case.setup.profile.path}: ixit.mops.opens_on is not "success"')


def needs_inward_port(case: Case) -> int:
    """A port to which a firewall lets hosts outside open sessions."""
    ports = case.setup.profile.ixit.mops.firewall_inward_ports
    if not ports:
        raise NotApplicable(f"{case.setup.profile.path}: ixit.mops.firewall_inward_ports names no port")
    return int(ports[0])


def needs_timer(case: Case, name: str, longest_s: float = 10.0) -> float:
    """A timer of a firewall, in seconds, that can be set and is so short that a case can wait for it."""
    seconds = getattr(case.setup.profile.ixit.mops, name)
    if seconds is None or seconds > longest_s:
        raise NotApplicable(f"{case.setup.profile.path}: ixit.mops.{name} is not {longest_s:g} or less")
    return float(seconds)


def is_anycast_server(case: Case) -> bool:
    """Whether the device is an anycast server, which cases of servers judge too where it claims nothing else."""
    return case.setup.role.name == "anycast server"


def needs_plain_server(case: Case) -> None:
    """The device has no anycast address."""
    if is_anycast_server(case):
        raise NotApplicable(f'{case.setup.profile.path}: ics.mops.roles names "anycast server"')
