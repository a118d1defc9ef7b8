# SPDX-License-Identifier: GPL-2.0-or-later
"""Which suite tests, and who: for the record of a run."""

import getpass
import os
import platform
import subprocess
from pathlib import Path

_WITHIN_S = 10


def commit(root: Path, own: tuple[str, ...]) -> str:
    """The commit of the repository that `root` is the top of, with + where files in the folders `own` were changed.

    Empty where it is no repository, or there is no git.
    """
    try:
        if Path(git(root, "rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return ""
        return git(root, "rev-parse", "HEAD") + ("+" if git(root, "status", "--porcelain", "--", *own) else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def user() -> str:
    """Who runs this, and on which machine."""
    try:
        return f"{getpass.getuser()} on {platform.node()}"
    except (OSError, KeyError):  # no name belongs to the number
        return f"user {os.getuid()} on {platform.node()}"


def git(root: Path, *words: str) -> str:
    """What git says of a tree, whatever the environment names. OSError or SubprocessError where it says nothing."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    command = ["git", "-C", str(root), *words]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", timeout=_WITHIN_S, check=True
    )
    return done.stdout.strip()
