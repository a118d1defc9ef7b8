# SPDX-License-Identifier: GPL-2.0-or-later
"""The register of deviations: what it says of each, and which host is made wrong."""

import subprocess
import sys

from reference.roles import all_deviations
from tests.lab.host import ROOT, Lab


def test_each_names_the_requirement_it_breaks() -> None:
    for deviation in all_deviations().values():
        sections = ("3", "4.1", "4.2", "4.3", "8", "A", "C")
        assert deviation.section in sections or deviation.protocol != "mops"
        assert deviation.requirement.endswith(".")
        assert deviation.wrong


def test_the_list_has_one_line_each() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "reference", "--list-deviations"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for line, one in zip(listed, all_deviations().values(), strict=True):
        assert line.startswith(f"{one.name:36} {one.protocol} {one.role} ")


def test_a_host_of_another_role_is_right_and_says_so() -> None:
    """One argument serves a run with devices of several roles."""
    with Lab("--deviate", "no-rate-limit", protocol="rehash", role="host") as lab:
        assert lab.call("status")["deviation"] is None
        assert "'no-rate-limit' is one of the role mops server: this host is right" in lab.log()
