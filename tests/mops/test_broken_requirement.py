# SPDX-License-Identifier: GPL-2.0-or-later
"""A device with roles of several protocols, wrong in one way: the verdict names what is broken and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

from tests.lab.host import ROOT


def test_the_broken_requirement_is_named_among_all_roles(tmp_path: Path) -> None:
    """The reference with every role, wrong in one way: not conformant, exit code 1, that requirement and no other."""
    asked = {"MOPS-4.1-201", "MOPS-4.1-101", "REHASH-6.1-01"}
    command = [sys.executable, "-m", "pytest", "conformance", "--dut", "profiles/reference.toml", "-q"]
    command += ["--dut-arg=--deviate", "--dut-arg=sequence-below-window", "--report", str(tmp_path / "out")]
    command += [f"--requirement={identifier}" for identifier in asked]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout[-2000:]
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results["verdict"] == "not conformant"
    verdicts = {one["id"]: one["verdict"] for one in results["requirements"] if one["id"] in asked}
    assert verdicts == {"MOPS-4.1-201": "FAIL", "MOPS-4.1-101": "PASS", "REHASH-6.1-01": "PASS"}
