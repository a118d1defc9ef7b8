# SPDX-License-Identifier: GPL-2.0-or-later
"""`make` on other people's machines: names with spaces, and what pip is told elsewhere."""

import os
import subprocess

from tests.testbed.lab import ROOT


def made(*words: str, **environment: str) -> str:
    """What make says."""
    done = subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_names_of_profile_and_report_may_hold_spaces() -> None:
    said = made("-n", "-o", ".venv/.installed", "certify", "DUT=my device.toml", "REPORT=my report")
    assert '--dut "my device.toml" --report "my report"' in said


def test_pip_installs_where_it_is_told_though_it_is_configured_for_the_user() -> None:
    assert made("--eval", "told: ; @echo $$PIP_USER", "told", PIP_USER="1").strip() == "0"
