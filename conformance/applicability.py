# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a case applies to a device: the line of its profile that rules the case out, or nothing."""

from collections.abc import Iterable

from conformance.catalogue import Requirement
from profiles import Profile, Role
from testbed.case.case import Case
from testbed.interruptions import NotApplicable
from testbed.wire.station import ADDRESSES_PER_CASE


def rules_out(profile: Profile, role: Role, network: str, requirements: Iterable[Requirement]) -> str:
    """The line of the profile by which a case of `role` over `network` does not apply, or nothing."""
    if network not in profile.ics.networks:
        return f'{profile.path}: ics.networks does not name "{network}"'
    if not claimed_for(profile.claimed, role):
        return f'{profile.path}: ics.{role.protocol}.roles does not name "{role.name}"'
    return next(filter(None, (unclaimed(profile, requirement) for requirement in requirements)), "")


def claimed_for(claimed: tuple[Role, ...], role: Role) -> Role | None:
    """The claimed role in which the device meets the cases of `role`: itself before one that is judged by it also."""
    meant = [one for one in claimed if one.protocol == role.protocol and role.name in one.judged_by]
    return role if role in meant else next(iter(meant), None)


def unclaimed(profile: Profile, requirement: Requirement) -> str:
    """The line of the profile by which the device does not claim what the requirement is about, or nothing."""
    return next((_line(profile, key) for key in requirement.ics if not _claims(profile, key)), "")


def needs(case: Case, *keys: str) -> None:
    """NotApplicable, naming the line, unless the profile makes these claims: `needs(case, "mops.udp")`."""
    profile = case.setup.profile
    if missing := next((key for key in keys if not _claims(profile, key)), ""):
        raise NotApplicable(_line(profile, missing))


def _claims(profile: Profile, key: str) -> bool:
    protocol, _, name = key.partition(".")
    return bool(getattr(getattr(profile.ics, protocol), name))


def _line(profile: Profile, key: str) -> str:
    return f"{profile.path}: ics.{key} is false"


def needs_peers(case: Case, count: int) -> None:
    """NotApplicable where the profile has no addresses, or the device's ARP table no room, for so many peers."""
    ixit, path = case.setup.profile.ixit.ipv4.of("link"), case.setup.profile.path
    size = case.setup.pools[case.network.name].size
    if size < count + ADDRESSES_PER_CASE:
        raise NotApplicable(f"{path}: ixit.ipv4: tester_first to tester_last are not enough for {count} peers")
    if ixit and ixit.neighbours and ixit.neighbours < count:
        raise NotApplicable(f"{path}: ixit.ipv4.neighbours is less than {count}")
