# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples as a vendor would use them: built as their first lines say, checked, certified."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from profiles import load
from testbed.run.contract.check import check_device
from testbed.run.contract.lines import Line
from tests.testbed.lab import ROOT

EXAMPLES = ROOT / "examples"
ALL_CASES = bool(os.environ.get("ALL_CASES"))


def sample(requirements: Sequence[str]) -> list[str]:
    """What chooses the cases of these requirements, unless all are to be run."""
    return [] if ALL_CASES else [f"--requirement={one}" for one in requirements]


def build(source: Path, compiler: str, folder: Path, *flags: str) -> None:
    """Build a program as the first lines of its source say, with further flags, where PATH finds it; skips without."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    shutil.copytree(source.parent, folder, dirs_exist_ok=True)
    line = next(line for line in source.read_text().splitlines() if re.search(rf"\b{compiler} .*-o ", line))
    command = " ".join([line.strip("/* \t"), *flags])
    subprocess.run(command, shell=True, cwd=folder, check=True)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def changed(example: Path, folder: Path, changes: Iterable[tuple[str, str]]) -> Path:
    """A copy of an example's file with other text in some places."""
    text = example.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / example.name
    path.write_text(text)
    return path


def check(profile: Path) -> list[Line]:
    """What the check of the contract says of a device."""
    return list(check_device(load(profile)))


def found_wrong(lines: Iterable[Line]) -> str:
    """The lines that say what is wrong."""
    return "\n".join(str(line) for line in lines if line.result == "wrong")
