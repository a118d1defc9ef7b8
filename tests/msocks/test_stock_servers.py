# SPDX-License-Identifier: GPL-2.0-or-later
"""SOCKS servers that nobody here wrote are certified as proxies without RECONNECT: what they break is known."""

import shutil
from pathlib import Path

import pytest

from profiles import load
from tests.testbed.lab import ROOT
from tests.testbed.runs import run

CODES = {"danted": 0, "microsocks": 9}
"""danted breaks shoulds alone, microsocks a must that its profile expects."""


@pytest.mark.parametrize("program", CODES)
def test_a_stock_server_breaks_what_is_expected(program: str, tmp_path: Path) -> None:
    """Every finding is one that the profile expects, everything that it expects is found, and nothing moves."""
    if shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        pytest.skip(f"{program} is not installed (Debian: {'dante-server' if program == 'danted' else program})")
    profile = ROOT / f"profiles/{program}.toml"
    done = run("conformance/msocks/proxy", profile, tmp_path)
    assert done.code == CODES[program], done.output[-2000:]
    broken = {one["id"]: one["verdict"] for one in done.results["requirements"]}
    found = {name: verdict for name, verdict in broken.items() if verdict in ("FAIL", "DEVIATION")}
    assert found == {one.requirement: one.verdict for one in load(profile).expected}
    assert broken["MSOCKS-4-11"] == "NOT APPLICABLE"
