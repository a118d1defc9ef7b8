# SPDX-License-Identifier: GPL-2.0-or-later
"""A copy of the tree with a made-up protocol laid over it, and runs in it as a user starts them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.testbed.runs import PLUGINS, TIMEOUT_S, Run, environment

ROOT = Path(__file__).resolve().parents[2]
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "out")


def copy_with(folder: Path, overlay: Path, protocol: str) -> Path:
    """The root of a copy of this tree in `folder`, with the overlay's files and the two lines of its protocol."""
    root = folder / "tree"
    shutil.copytree(ROOT, root, ignore=_LEFT_OUT)
    shutil.copytree(overlay, root, dirs_exist_ok=True)
    model = root / "profiles/model.py"
    text = model.read_text()
    for anchor, line in (
        ("import profiles.mops\n", f"import profiles.{protocol}\n"),
        ("    mops: profiles.mops.ICS = profiles.mops.ICS()\n", "    {0}: profiles.{0}.ICS = profiles.{0}.ICS()\n"),
    ):
        assert anchor in text
        text = text.replace(anchor, anchor + line.format(protocol))
    model.write_text(text)
    return root


def run_in(root: Path, cases: str, profile: str, folder: Path, *arguments: str) -> Run:
    """Run cases of the copy to the end."""
    chosen = ["--dut", profile, "--report", str(folder / "report"), "-q", "-n", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", cases, *PLUGINS, *chosen, *arguments],
        cwd=root, env={**environment(), "PYTHONPATH": os.fspath(root)}, timeout=TIMEOUT_S, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return Run(done.returncode, done.stdout, folder / "report")
