# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel of this machine is certified: it has never heard of any of the protocols, and none of them harms it."""

import os
from pathlib import Path

from reports.verdicts import ExitCode
from tests.testbed.lab import ROOT
from tests.testbed.runs import run

FEW = ("LEGACY-9293.3.1-03", "LEGACY-9293.3.1-07", "LEGACY-1122.3.2.2.1-01")


def test_the_kernel_of_this_machine_conforms(tmp_path: Path) -> None:
    done = run("conformance/legacy/host", ROOT / "profiles/linux.toml", tmp_path)
    assert done.code == 0, done.output[-2000:]
    verdicts = {one["verdict"] for one in done.results["cases"]}
    assert verdicts == {"PASS"}
    assert {one["verdict"] for one in done.results["requirements"]} == {"PASS"}
    assert done.results["dut"]["version"] == os.uname().release


def test_a_bump_that_changes_nothing_conforms(tmp_path: Path) -> None:
    """What the deviations of a legacy host deviate from."""
    profile = ROOT / "tests/profiles/short-legacy.toml"
    done = run("conformance/legacy", profile, tmp_path, *(f"--requirement={one}" for one in FEW))
    assert done.code == ExitCode.PARTIAL, done.output[-2000:]
