# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT of this machine's kernel is certified: what it breaks is known, and nothing else."""

from pathlib import Path

import pytest

from profiles import load
from tests.testbed.lab import ROOT
from tests.testbed.runs import run

PROFILE = ROOT / "profiles/linux-nat.toml"
AS_EXPECTED = 9


def test_the_nat_of_this_machine_breaks_what_is_expected(tmp_path: Path) -> None:
    """Every finding is one that the profile expects, and everything that it expects is found."""
    done = run("conformance/legacy", PROFILE, tmp_path)
    assert done.code == AS_EXPECTED, done.output[-2000:]
    broken = {one["id"]: one["verdict"] for one in done.results["requirements"]}
    found = {name: verdict for name, verdict in broken.items() if verdict in ("FAIL", "DEVIATION")}
    assert found == {one.requirement: one.verdict for one in load(PROFILE).expected}
    assert {one["verdict"] for one in done.results["cases"]} <= {"PASS", "FAIL", "DEVIATION", "INFO", "NOT APPLICABLE"}


CAUGHT_BY = {
    "random-ports": {"LEGACY-4787.REQ1-01", "LEGACY-4787.REQ11-01", "LEGACY-5382.REQ1-01"},
    "no-unreachable-forwarded": {
        "LEGACY-4787.REQ12-03",
        "LEGACY-5382.REQ9-01",
        "LEGACY-5508.REQ4-02",
        "LEGACY-5508.REQ4-03",
        "LEGACY-5508.REQ4-04",
        "LEGACY-5508.REQ5-02",
        "LEGACY-5508.REQ5-04",
        "LEGACY-5508.REQ3-03",
        "LEGACY-5508.REQ3-04",
    },
    "no-time-exceeded-forwarded": {"LEGACY-4787.REQ12-02", "LEGACY-5508.REQ3-05", "LEGACY-5508.REQ5-03"},
    "no-unreachable-of-its-own": {"LEGACY-4787.REQ13-01"},
    "no-time-exceeded-of-its-own": {"LEGACY-1812.5.3.1-02"},
    "no-echo-replies": {"LEGACY-5508.REQ1-01", "LEGACY-5508.REQ6-01"},
    "no-fragments": {"LEGACY-4787.REQ14-01"},
    "no-resets": {"LEGACY-7857.2.2-01"},
    "no-syn-from-outside": {"LEGACY-5382.REQ2-01"},
    "no-datagrams-without-checksum": {"LEGACY-768-01"},
    "short-timer": {"LEGACY-4787.REQ5-02", "LEGACY-4787.REQ6-01"},
}
"""A NAT that is wrong in this way breaks at least these."""


@pytest.mark.parametrize("fault", CAUGHT_BY)
def test_a_faulty_nat_is_caught(fault: str, tmp_path: Path) -> None:
    """Each fault breaks the requirements that it is about."""
    profile = tmp_path / "faulty.toml"
    command = f'"{{python}}", "tests/legacy/faulty_nat.py", "--fault", "{fault}"'
    profile.write_text(PROFILE.read_text().replace('"{python}", "-m", "reference", "masquerade"', command))
    about = [f"--requirement={one}" for one in sorted(CAUGHT_BY[fault])]
    done = run("conformance/legacy", profile, tmp_path / "out", *about)
    broken = {one["id"] for one in done.results["requirements"] if one["verdict"] in ("FAIL", "DEVIATION")}
    assert CAUGHT_BY[fault] <= broken, done.output[-2000:]
