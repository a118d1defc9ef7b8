# SPDX-License-Identifier: GPL-2.0-or-later
"""How many test processes a run has where the user does not say: as many as there are processors, if cases allow it."""

import os
from pathlib import Path

import pytest

from profiles import Profile
from testbed.device.occupied import ALLOW, Occupation
from testbed.device.supervisor import LinkError

MOST = 8
"""Each process starts up for a second and has devices of its own: more do not make a run shorter."""


def default_processes(config: pytest.Config, profile: Profile) -> int | None:
    """The number of processes for whole folders of cases; None leaves the run in this process.

    That is where single cases are run, the user looks on, or the profile allows one process only.
    """
    option = config.option
    chosen = option.keyword or option.markexpr or config.getoption("--requirement", None)
    looks_on = option.usepdb or option.capture == "no" or option.collectonly
    if chosen or looks_on or refusal(profile) or "PYTEST_XDIST_WORKER" in os.environ:
        return None
    if not config.args or not all(Path(argument).is_dir() for argument in config.args):
        return None
    processors = len(os.sched_getaffinity(0))
    return min(processors, MOST) if processors > 1 else None


def has_one_device(profile: Profile) -> bool:
    """Whether all cases are at the same device, which is on a real wire."""
    return bool(profile.link.interfaces)


def occupy(profile: Profile, allowed: list[str]) -> Occupation:
    """The profile's interfaces for this run alone; wrong usage where somebody else has one that is not allowed."""
    known = [table.interface for table in profile.link.interfaces.values()]
    if unknown := [name for name in allowed if name not in known]:
        names = ", ".join(known) or "none"
        raise pytest.UsageError(f"{ALLOW} {unknown[0]}: is no interface of {profile.path}; allowed are {names}")
    try:
        return Occupation(profile, allowed)
    except LinkError as error:
        raise pytest.UsageError(str(error)) from None


def refusal(profile: Profile) -> str:
    """Why the profile allows one test process only, or nothing."""
    if profile.dut.agent == "manual":
        return f'{profile.path}: dut.agent: "manual" asks one operator: allowed is -n 0 only'
    if has_one_device(profile):
        return f'{profile.path}: link.kind: "interface" is one device, which one process probes: allowed is -n 0 only'
    return ""
