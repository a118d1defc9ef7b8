# SPDX-License-Identifier: GPL-2.0-or-later
"""A router whose outside takes smaller packets than its inside: no case sends through it what it cannot pass on."""

from pathlib import Path

import pytest

from layers.capture import captured
from tests.power.certified import ROOT, certify
from tests.testbed.runs import UNBROKEN

MTU, ETHERNET, ENTRY = 1400, 14, 8


@pytest.mark.parametrize("network", ["ipff", "ipv4"])
def test_full_packets_are_of_the_smaller_mtu(network: str, tmp_path: Path) -> None:
    text = (ROOT / "tests/profiles/short-router.toml").read_text()
    text = text.replace("[link.outside]\n", f"[link.outside]\nmtu = {MTU}\n")
    done = certify("conformance/mops/nat_router", network, text, tmp_path, ["--requirement=MOPS-B-05", "-n0"])
    assert done.code in UNBROKEN, done.said
    files = [tmp_path / "report" / one["evidence"] for one in done.results["cases"] if one["evidence"]]
    longest = max(len(frame.data) - ETHERNET for file in files for frame in captured(str(file)))
    assert MTU - ENTRY < longest <= MTU
