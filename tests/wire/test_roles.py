# SPDX-License-Identifier: GPL-2.0-or-later
"""A sample of `make wire`: every role of the reference as a box at the end of a cable, whatever its cards do."""

import sys
from collections.abc import Iterator

import pytest

from profiles import load
from tests.testbed.lab import ROOT
from tests.testbed.runs import Scenarios, scenarios
from tests.wire.__main__ import PROFILE
from tests.wire.box import REFERENCE, certify

ROLES = {role.qualified: role for role in load(PROFILE).claimed}
LINUX = ROOT / "profiles/linux.toml"
KERNEL = (sys.executable, "-m", "reference", "kernel")
FEW = ("--requirement", "MOPS-4.1-01", "--beside", "40")
SEGMENTS = "conformance/legacy/host/test_9293_more_options.py"

RUNS = {
    **{
        name: lambda folder, role=role: certify(PROFILE, role, folder, f"conformance/{role.protocol}", *FEW)[0]
        for name, role in ROLES.items()
    },
    "frames padded": lambda folder: certify(
        PROFILE, ROLES["mops server"], folder, "conformance/mops/server", *FEW,
        box=(*REFERENCE, "--variant", "frames-padded"),
    )[0],
    "offload": lambda folder: certify(LINUX, ROLES["legacy host"], folder, SEGMENTS, box=KERNEL, offload=True)[0],
    "larger frames": lambda folder: certify(
        LINUX, ROLES["legacy host"], folder, SEGMENTS, box=KERNEL, mtu=9000, box_mtu=9000
    )[0],
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    yield from scenarios(RUNS, request, tmp_path_factory)


@pytest.mark.parametrize("name", RUNS)
def test_a_right_device_is_conformant_at_the_end_of_a_cable(runs: Scenarios, name: str) -> None:
    done = runs(name)
    assert done.code == 0, done.output
    assert "PASS" in done.verdicts.values()
