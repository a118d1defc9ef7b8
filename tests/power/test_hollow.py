# SPDX-License-Identifier: GPL-2.0-or-later
"""No vacuous PASS: a device of which there is nothing, or half, passes in no must, but where that is right.

`hollow.toml` names for each role and kind of hollow device (see `hollow.py`) the musts that pass all the same, with the
reason. Whatever else passes lacks a positive control; a must that is named and does not pass is stale.

A legacy host has no hollow kin: that it does nothing about the protocols is what its requirements ask for.

`make power` runs every role against each kind over each of its networks. `make test` takes one of them for each role
(`SEED` says which), and the cases of some musts.
"""

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import load
from conformance.catalogue.cases import by_requirement, find_uses
from profiles import ROLES, Role
from tests.power.certified import ALL_CASES, ROOT, SEED, Entry, certify, changed
from tests.power.hollow import PARTS

RIGHT = tomllib.loads((Path(__file__).parent / "hollow.toml").read_text())
HOLLOW = ["{python}", "-m", "tests.power.hollow"]
SHORT: dict[str, dict[str, float]] = {
    "mops": {"migrate_within_s": 0.3},
    "rehash": {"idle_ack_within_s": 0.5},
    "migrate": {"migrate_within_s": 0.3},
    "sacip": {},
    "msocks": {"reconnect_within_s": 0.5},
}
"""What never comes is not waited for longer."""

MUSTS = 4
"""How many of a role's musts `make test` takes."""


@dataclass(frozen=True)
class Run:
    """A role against a kind of hollow device, over a network."""

    role: Role
    kind: str
    network: str

    def __str__(self) -> str:
        return f"{self.role.protocol} {self.role.name}, {self.kind}, {self.network}"

    @property
    def right(self) -> dict[str, str]:
        """The musts that pass, with the reasons."""
        return dict(RIGHT.get(self.role.protocol, {}).get(self.role.name, {}).get(self.kind, {}))

    @property
    def cases(self) -> str:
        """The folder of the role's cases."""
        return f"conformance/{self.role.protocol}/{self.role.folder}"

    def profile(self) -> str:
        """The profile of the device."""
        content: dict[str, Any] = {"network": self.network, "ixit": SHORT[self.role.protocol]}
        content |= {} if self.role.protocol == "rehash" else {"role": self.role.name}
        text = Entry(self.role.protocol, self.kind, content, 0).profile()
        for key, command in (("command", HOLLOW), ("fork_server", [*HOLLOW, "--fork-server"])):
            text = changed(text, "dut", key, command)
        return text


RUNS = [
    Run(role, kind, network)
    for role in ROLES
    if (role.protocol, role.name) in PARTS
    for kind in PARTS[role.protocol, role.name]
    for network in role.networks
]


def sample() -> list[Run]:
    """One run for each role."""
    draw = random.Random(SEED)
    return [draw.choice([run for run in RUNS if run.role == role]) for role in dict.fromkeys(run.role for run in RUNS)]


def musts(run: Run) -> list[str]:
    """The musts of a run that are judged here: all of them, or some."""
    catalogue = load()
    judged = by_requirement(find_uses(ROOT / run.cases))
    found = sorted(one for one in judged if catalogue.requirement(one).strength == "M")
    return found if ALL_CASES else random.Random(f"{SEED} {run}").sample(found, MUSTS)


@pytest.mark.parametrize("run", RUNS if ALL_CASES else sample(), ids=str)
def test_hollow_device_passes_in_no_must(run: Run, tmp_path: Path) -> None:
    """Certify it over one network at short timers: what passes is what may."""
    judged = set(musts(run))
    words = [] if ALL_CASES else [f"--requirement={identifier}" for identifier in sorted(judged)]
    done = certify(run.cases, run.network, run.profile(), tmp_path, [f"--dut-arg={run.kind}", *words])
    assert not done.cases("ERROR", "NOT RUN"), done.said
    passed = judged & done.requirements("PASS")
    assert sorted(passed - run.right.keys()) == [], "passes for a device that does nothing: it lacks a control"
    ran = judged & done.requirements("PASS", "FAIL", "INCONCLUSIVE")
    assert sorted(ran & run.right.keys() - passed) == [], "stale in hollow.toml"


def test_every_entry_is_a_must_of_its_role() -> None:
    """What `hollow.toml` names exists."""
    runs = {(run.role.protocol, run.role.name, run.kind): run for run in RUNS}
    for protocol, roles in RIGHT.items():
        for role, kinds in roles.items():
            for kind, right in kinds.items():
                assert right.keys() <= by_requirement(find_uses(ROOT / runs[protocol, role, kind].cases)).keys()
