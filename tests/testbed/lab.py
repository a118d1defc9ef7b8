# SPDX-License-Identifier: GPL-2.0-or-later
"""A puppet (tests/testbed/puppet.py) on a virtual wire, and cases at it, without pytest's machinery in between."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from profiles import ROLES, Profile, Role, load
from testbed.case.case import Case, CaseSpec
from testbed.case.setup import Setup
from testbed.case.verdict import Requirement
from testbed.run.attempts import Outcome, run_case
from testbed.run.devices import Devices
from testbed.wire.clock import Clock

ROOT = Path(__file__).resolve().parents[2]
SERVER = next(role for role in ROLES if role.qualified == "mops server")
PUPPET = Path(__file__).with_name("puppet.py")

SERVER = next(role for role in ROLES if role.qualified == "mops server")

PROFILE = """
[dut]
name = "puppet"
command = [{command}]
agent = "stdio"
ready_timeout_s = 5.0

[link]
kind = "namespace"

[ics]
networks = ["ipv4"]

[ics.mops]
roles = ["server"]

[ixit]
silence_s = 0.05
tcp_within_s = 0.5

[ixit.ipv4]
address = "198.18.0.1"
prefix_length = 15
tester_first = "198.19.0.1"
tester_last = "198.19.1.254"

[ixit.mops]
rate_limit_s = 0.5
reply_within_s = 0.3
"""


def puppet_profile(folder: Path, *arguments: str, changes: Iterable[tuple[str, str]] = ()) -> Path:
    """Write a profile of a puppet with these arguments; `changes` replace lines."""
    command = ", ".join(f'"{word}"' for word in (sys.executable, str(PUPPET), *arguments))
    text = PROFILE.format(command=command)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "puppet.toml"
    path.write_text(text)
    return path


def spec(strength: str = "M", **changes: Any) -> CaseSpec:
    """A case that judges one requirement of this strength."""
    requirement = Requirement("TEST-1-01", strength, "TEST 1", "The device must.")
    return replace(
        CaseSpec("case", "node", "purpose", "valid", (requirement,), {"network": "ipv4"}, "rerun", SERVER), **changes
    )


class Lab:
    """A running puppet, shared by the cases of a test module."""

    def __init__(self, profile: Profile, clock: Clock | None = None, role: Role = SERVER) -> None:
        self.profile = profile
        self.role = role
        self.clock = clock or Clock()
        self.devices = Devices(profile, 1, self.clock)
        self.devices.bring_up([spec(role=role)])

    @property
    def setup(self) -> Setup:
        """The setup that cases get."""
        with self.devices.lend(spec(role=self.role)) as setup:
            return setup

    def case(self) -> Case:
        """A case of its own; the test has to leave it."""
        return Case(spec(role=self.role), self.setup, "ipv4")

    def runs(self, body: Callable[[Case], None], strength: str = "M", **changes: Any) -> Outcome:
        """Run a body to its verdict."""
        with self.clock.announced():
            return run_case(spec(strength, **changes), self.devices.lend, body)

    def tells(self, verb: str, **parameters: Any) -> dict[str, Any]:
        """Tell the puppet to do something."""
        return self.setup.dut.upper_tester().call(verb, **parameters)

    def close(self) -> None:
        """Take everything down."""
        self.devices.close()


def lab_in(folder: Path, *arguments: str, clock: Clock | None = None) -> Lab:
    """A lab with a fresh puppet."""
    return Lab(load(puppet_profile(folder, *arguments)), clock)
