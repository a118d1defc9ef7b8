# SPDX-License-Identifier: GPL-2.0-or-later
"""The firewall of this machine's kernel is certified: what it breaks is known, and nothing else."""

from pathlib import Path

import pytest

from profiles import load
from tests.testbed.lab import ROOT
from tests.testbed.runs import run

PROFILE = ROOT / "profiles/linux-firewall.toml"
AS_EXPECTED = 0

OPTIONS, NUMBERS, OPENING = "LEGACY-2979-01", "LEGACY-2979-02", "LEGACY-5382.8-01"
CAUGHT_BY = {"reset-option": {OPTIONS}, "answer-for-servers": {OPTIONS, NUMBERS}}
"""A firewall that is wrong in this way breaks these, and connections open all the same."""


def test_the_firewall_of_this_machine_breaks_what_is_expected(tmp_path: Path) -> None:
    """Every finding is one that the profile expects, and everything that it expects is found."""
    done = run("conformance/legacy/firewall", PROFILE, tmp_path)
    assert done.code == AS_EXPECTED, done.output[-2000:]
    broken = {one["id"]: one["verdict"] for one in done.results["requirements"]}
    found = {name: verdict for name, verdict in broken.items() if verdict in ("FAIL", "DEVIATION")}
    assert found == {one.requirement: one.verdict for one in load(PROFILE).expected}
    assert {one["verdict"] for one in done.results["cases"]} <= {"PASS", "DEVIATION", "INFO", "NOT APPLICABLE"}


@pytest.mark.parametrize("fault", CAUGHT_BY)
def test_a_faulty_firewall_is_caught(fault: str, tmp_path: Path) -> None:
    """A ruleset that takes an option out, and netfilter's SYNPROXY, break the requirement that they are about."""
    profile = tmp_path / "faulty.toml"
    command = f'"{{python}}", "tests/legacy/faulty_firewall.py", "--fault", "{fault}"'
    profile.write_text(PROFILE.read_text().replace('"{python}", "-m", "reference", "firewall"', command))
    about = [f"--requirement={one}" for one in (OPTIONS, NUMBERS, OPENING)]
    done = run("conformance/legacy/firewall", profile, tmp_path / "out", *about)
    if "Operation not supported" in done.output:
        pytest.skip(f"this kernel's netfilter has no expression for {fault}")
    broken = {one["id"] for one in done.results["requirements"] if one["verdict"] == "FAIL"}
    assert broken == CAUGHT_BY[fault], done.output[-2000:]
