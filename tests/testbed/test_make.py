# SPDX-License-Identifier: GPL-2.0-or-later
"""`make` on other people's machines: names with spaces, and what pip is told elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


WITHOUT_ENSUREPIP = """
case "$1" in -m) printf 'The virtual environment was not created:\\nensurepip is not available.\\n'; exit 1;; esac
PYTHONPATH={folder} exec {python} "$@"
"""
"""What a Debian without python3-venv does."""

LACKS = {
    "ensurepip": (
        WITHOUT_ENSUREPIP,
        "python has no ensurepip: install the package python3-venv (Debian, Ubuntu: apt-get install python3-venv)",
    ),
    "a newer Python": ("exit 1", "python is too old: install Python 3.11 or later"),
}
"""What a Python does that lacks something, and what make says of it."""


def refused(python: Path) -> list[str]:
    """The lines with which make refuses to make an environment by a Python, without its own last one."""
    venv = python.parent / "venv"
    done = subprocess.run(
        ["make", "--no-print-directory", f"PYTHON={python}", f"VENV={venv}", f"{venv}/.installed"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert not venv.exists()
    return [line for line in (done.stdout + done.stderr).splitlines() if not re.match(r"make(\[\d+\])?: \*\*\*", line)]


@pytest.mark.parametrize("lack", LACKS)
def test_what_a_python_lacks_for_an_environment_is_one_line(tmp_path: Path, lack: str) -> None:
    behaviour, said = LACKS[lack]
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\n" + behaviour.format(folder=tmp_path, python=sys.executable))
    python.chmod(0o755)
    (line,) = refused(python)
    assert line.startswith(f"{tmp_path}/venv cannot be made: ")
    assert said in line
    assert line.endswith("or name another Python: make PYTHON=...")


def test_a_python_that_lacks_nothing_is_taken() -> None:
    assert made("--eval", "told: ; @$(NEEDED)", "told", f"PYTHON={sys.executable}") == ""


def test_a_machine_without_python_is_told_which_to_install(tmp_path: Path) -> None:
    (line,) = refused(tmp_path / "python")
    assert f"there is no {tmp_path}/python here: install Python 3.11 or later" in line
