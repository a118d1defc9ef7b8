# SPDX-License-Identifier: GPL-2.0-or-later
"""Mutants that the type checker refuses: nobody would ever run them."""

import fcntl
import subprocess
import sys
from pathlib import Path

from tests.power.mutants.tree import ROOT


def complaint(module: str, mutated: Path, cache: Path) -> str:
    """What mypy says of a module with this text in its place, nothing where it is content.

    One at a time: two that fill one cache at once break it.
    """
    file = Path(*module.split(".")).with_suffix(".py")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(cache), "--shadow-file", str(file), str(mutated)]
    command += ["--no-error-summary", "--no-pretty", "--follow-imports", "silent", "--strict", str(file)]
    with cache.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout.strip().splitlines()[0] if done.returncode else ""
