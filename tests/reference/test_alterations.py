# SPDX-License-Identifier: GPL-2.0-or-later
"""The register of alterations: what it says of each, and which host is made different."""

import subprocess
import sys

import pytest

from reference.roles import all_deviations, all_variants
from tests.lab.host import ROOT, Lab

SECTIONS_OF_DRAFT = ("2.1", "3", "4.1", "4.2", "4.3", "5", "6", "8", "A", "B", "C")
SECTIONS_OF_COMPANIONS = ("ipff.3", "ipff.5", "ipff.6", "ipff.7.1", "icmp", "udp", "addressing.2.5.5", "addressing.3")
SECTIONS_OF_MOPS = SECTIONS_OF_DRAFT + SECTIONS_OF_COMPANIONS


def test_each_deviation_names_the_requirement_it_breaks() -> None:
    for deviation in all_deviations().values():
        assert deviation.section in SECTIONS_OF_MOPS or deviation.protocol != "mops"
        assert deviation.requirement.endswith(".")
        assert deviation.wrong


def test_each_variant_says_why_it_is_right() -> None:
    for variant in all_variants().values():
        assert variant.section in SECTIONS_OF_MOPS or variant.protocol != "mops"
        assert variant.reading.endswith(".")
        assert variant.instead


@pytest.mark.parametrize("kind", ["deviations", "variants"])
def test_the_list_has_one_line_each(kind: str) -> None:
    known = {"deviations": all_deviations, "variants": all_variants}[kind]()
    listed = subprocess.run(
        [sys.executable, "-m", "reference", f"--list-{kind}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for line, one in zip(listed, known.values(), strict=True):
        assert line.startswith(f"{one.name:36} {one.protocol} {one.role} ")


def test_a_host_of_another_role_is_as_it_is_and_says_so() -> None:
    """One argument serves a run with devices of several roles."""
    with Lab("--deviate", "no-rate-limit", protocol="rehash", role="host") as lab:
        assert lab.call("status")["alteration"] is None
        assert "'no-rate-limit' is an alteration of the role mops server: this host is the reference" in lab.log()


@pytest.mark.parametrize("kind", ["deviation", "variant"])
def test_a_name_that_nobody_knows_is_refused(kind: str) -> None:
    option = {"deviation": "--deviate", "variant": "--variant"}[kind]
    done = subprocess.run(
        [sys.executable, "-m", "reference", option, "nobody"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        2, f"reference: no {kind} 'nobody'; --list-{kind}s names them\n"
    )  # fmt: skip
