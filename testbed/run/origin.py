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
    top = _git(root, "rev-parse", "--show-toplevel")
    if not top or Path(top.strip()).resolve() != root.resolve():
        return ""
    head = _git(root, "rev-parse", "HEAD").strip()
    return head + ("+" if head and _git(root, "status", "--porcelain", "--", *own) else "")


def user() -> str:
    """Who runs this, and on which machine."""
    try:
        return f"{getpass.getuser()} on {platform.node()}"
    except (OSError, KeyError):  # no name belongs to the number
        return f"user {os.getuid()} on {platform.node()}"


def _git(root: Path, *words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    command = ["git", "-C", str(root), *words]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", timeout=_WITHIN_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
