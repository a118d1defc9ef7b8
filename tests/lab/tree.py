# SPDX-License-Identifier: GPL-2.0-or-later
"""A copy of the tree with a made-up protocol laid over it, and runs in it as a user starts them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.testbed.runs import PLUGINS, TIMEOUT_S, Run, environment

ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = 4
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "out")


CLAIMS = (
    ("profiles/model.py", "import profiles.mops\n", "import profiles.{0}\n"),
    (
        "profiles/model.py",
        "    mops: profiles.mops.ICS = profiles.mops.ICS()\n",
        "    {0}: profiles.{0}.ICS = profiles.{0}.ICS()\n",
    ),
)
"""File, the line after which a protocol's own line comes, and that line: what the profile knows of a protocol."""

VALUES = (
    (
        "profiles/model.py",
        "    mops: profiles.mops.IXIT = profiles.mops.IXIT()\n",
        "    {0}: profiles.{0}.IXIT = profiles.{0}.IXIT()\n",
    ),
)
"""The same for a protocol that has values of its own."""

REFERENCE = (
    (
        "reference/roles.py",
        "from reference.system.role import DeviceRole\n",
        "from reference.{0}.roles import HostRole as OwnHostRole\n",
    ),
    ("reference/roles.py", "ROLES: tuple[type[DeviceRole], ...] = (", "OwnHostRole, "),
)
"""The same for a protocol that the reference has a role of."""


def copy_with(folder: Path, overlay: Path, protocol: str, lines: tuple[tuple[str, str, str], ...] = CLAIMS) -> Path:
    """The root of a copy of this tree in `folder`, with the overlay's files and the protocol's lines in the lists."""
    root = folder / "tree"
    shutil.copytree(ROOT, root, ignore=_LEFT_OUT)
    shutil.copytree(overlay, root, dirs_exist_ok=True)
    for name, anchor, line in lines:
        path = root / name
        text = path.read_text()
        assert text.count(anchor) == 1, f"{name}: {anchor}"
        path.write_text(text.replace(anchor, anchor + line.format(protocol)))
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


def decided(go: Callable[..., Run], folder: Path, *arguments: str) -> Run:
    """A run without open questions: a deadline missed on a busy machine is inconclusive, and the run is repeated."""
    for attempt in range(ATTEMPTS):
        done = go(folder / str(attempt), *arguments)
        if "INCONCLUSIVE" not in done.verdicts.values():
            break
    return done
