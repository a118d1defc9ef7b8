# SPDX-License-Identifier: GPL-2.0-or-later
"""A host whose TCP is not Linux's is certified: lwIP has no timestamps and no SACK, and remembers ten neighbours.

It is right, so whatever it fails is a fault of the suite, or one of lwIP's that the profile has to name as expected.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.testbed.lab import ROOT
from tests.testbed.runs import run

HOST = ROOT / "tests/devices/lwip"
HEADERS = Path("/usr/include/lwip")
ABOUT_DATA = ("LEGACY-9293.3.1-02", "LEGACY-9293.3.1-10")
VARIANTS = {
    "a window of four small segments and a slow application": ("--window", "2048", "--mss", "536", "--slow-ms", "150"),
    "a window smaller than a segment": ("--window", "512", "--mss", "536"),
    "tiny segments": ("--window", "200", "--mss", "128"),
}


@pytest.fixture(scope="module")
def _program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the device's program is in."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: install gcc")
    if not (HEADERS / "lwip/tcp.h").exists():
        pytest.skip("no headers of lwIP: install liblwip-dev")
    folder = tmp_path_factory.mktemp("lwip")
    options = ["-O2", "-Wall", "-Wextra", "-Werror", "-rdynamic", f"-I{HEADERS}"]
    subprocess.run([compiler, *options, "-o", folder / "lwip-host", HOST / "host.c", "-llwip"], check=True)
    return folder


@pytest.fixture(autouse=True)
def _found_by_name(_program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(_program), prepend=os.pathsep)


def test_a_tcp_unlike_the_kernels_conforms(tmp_path: Path) -> None:
    done = run("conformance/legacy", HOST / "lwip.toml", tmp_path)
    assert done.code == 0, done.output[-2000:]
    verdicts = {one["verdict"] for one in done.results["cases"]}
    assert verdicts == {"PASS", "NOT APPLICABLE"}
    unsupported = {one["reason"] for one in done.results["cases"] if one["verdict"] == "NOT APPLICABLE"}
    assert unsupported == {f"the device does not use TCP option {kind}" for kind in (4, 8)}
    assert done.results["dut"]["name"] == "lwIP host"


@pytest.mark.parametrize("variant", VARIANTS)
def test_small_windows_and_a_slow_application_conform(tmp_path: Path, variant: str) -> None:
    chosen = [f"--dut-arg={word}" for word in VARIANTS[variant]]
    chosen += [] if os.environ.get("ALL_CASES") else [f"--requirement={one}" for one in ABOUT_DATA]
    done = run("conformance/legacy", HOST / "lwip.toml", tmp_path, *chosen)
    assert done.code == 0, done.output[-2000:]
    assert {one["verdict"] for one in done.results["cases"]} <= {"PASS", "NOT APPLICABLE", "NOT RUN"}
