# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel carries for a NAT: all of a stream but its first packets, translated as the NAT has decided."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.router import CONFIGURATION
from tests.lab.host import ROOT

SECONDS = 0.5


@pytest.mark.parametrize("by_kernel", [True, False], ids=["by kernel", "alone"])
def test_streams_pass(by_kernel: bool, tmp_path: Path) -> None:
    """A stream, datagrams, connections and echoes pass, by the kernel where it is asked to; the NAT says so then."""
    path = tmp_path / "dut.json"
    path.write_text(json.dumps({**CONFIGURATION, "legacy": {"nat": {"by_kernel": by_kernel}}}))
    done = subprocess.run(
        [sys.executable, "-m", "bench.router_process", str(path), str(SECONDS)],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["bytes"] > 100_000
    assert found["packets"] > 100
    assert found["connections"] > 1
    assert len(found["round_trips"]) > 100
    if by_kernel and "the kernel carries nothing" in done.stderr:
        pytest.skip(f"this kernel cannot: {done.stderr}")
    assert (found["status"].get("carried_by_kernel", 0) > 0) == by_kernel
    forwarded = found["status"]["forwarded"]
    assert (forwarded < found["bytes"] * SECONDS / 1460) == by_kernel, "what the NAT has forwarded itself"
