# SPDX-License-Identifier: GPL-2.0-or-later
"""A host whose TCP is not Linux's is certified: lwIP has no timestamps and no SACK, and remembers ten neighbours.

It is right, so whatever it fails is a fault of the suite, or one of lwIP's that the profile has to name as expected.
The same holds for the reference before it, as a server and as a host of the protocols.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.testbed.lab import ROOT
from tests.testbed.runs import UNBROKEN, run

HOST, BEHIND = ROOT / "examples/lwip-host", ROOT / "tests/devices/lwip/behind.toml"
HEADERS = Path("/usr/include/lwip")
ABOUT_DATA = ("LEGACY-9293.3.1-02", "LEGACY-9293.3.1-10")
OF_THE_PROTOCOLS = (
    *("MOPS-4.1-15", "MOPS-4.1-17", "MOPS-4.1-25", "MOPS-4.1-37", "MOPS-4.1-235"),
    *("REHASH-5-04", "REHASH-6.1-08", "REHASH-6.2-16", "REHASH-6.2-33", "REHASH-8-03"),
)
VARIANTS = {
    "a window of four small segments and a slow application": ("--window", "2048", "--mss", "536", "--slow-ms", "150"),
    "a window of one small segment": ("--window", "536", "--mss", "536"),
    "tiny segments": ("--window", "200", "--mss", "128"),
}
ALL_CASES = bool(os.environ.get("ALL_CASES"))
TRIED = [*VARIANTS] if ALL_CASES else [*VARIANTS][:1]


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


def sample(requirements: Sequence[str]) -> list[str]:
    """What chooses the cases of these requirements, unless all are to be run."""
    return [] if ALL_CASES else [f"--requirement={one}" for one in requirements]


def test_a_tcp_unlike_the_kernels_conforms(tmp_path: Path) -> None:
    done = run("conformance/legacy/host", HOST / "lwip-host.toml", tmp_path)
    assert done.code in UNBROKEN, done.output[-2000:]
    verdicts = {one["verdict"] for one in done.results["cases"]}
    assert verdicts == {"PASS", "NOT APPLICABLE"}
    unsupported = {one["reason"] for one in done.results["cases"] if one["verdict"] == "NOT APPLICABLE"}
    assert unsupported == {f"the device does not use TCP option {kind}" for kind in (4, 8)}
    assert done.results["dut"]["name"] == "lwIP host"


@pytest.mark.parametrize("variant", TRIED)
def test_small_windows_and_a_slow_application_conform(tmp_path: Path, variant: str) -> None:
    chosen = [f"--dut-arg={word}" for word in VARIANTS[variant]]
    done = run("conformance/legacy", HOST / "lwip-host.toml", tmp_path, *chosen, *sample(ABOUT_DATA))
    assert done.code in UNBROKEN, done.output[-2000:]
    assert {one["verdict"] for one in done.results["cases"]} <= {"PASS", "NOT APPLICABLE"}


@pytest.mark.parametrize("variant", [None, *TRIED] if ALL_CASES else TRIED)
def test_protocols_before_such_a_tcp_conform(tmp_path: Path, variant: str | None) -> None:
    chosen = [f"--dut-arg={word}" for word in VARIANTS[variant]] if variant else []
    done = run("conformance", BEHIND, tmp_path, *chosen, *sample(OF_THE_PROTOCOLS))
    assert done.code in UNBROKEN, done.output[-2000:]
    verdicts = [one["verdict"] for one in done.results["cases"]]
    assert set(verdicts) <= {"PASS", "INFO", "NOT APPLICABLE"}
    assert verdicts.count("PASS") >= len(OF_THE_PROTOCOLS)
