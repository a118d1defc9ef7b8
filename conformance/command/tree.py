# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the suite lies, in a repository or installed, and how its own programs are started from any folder."""

import os
import shlex
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
"""The folder of conftest.py, and of all the packages."""

COMMAND = "ROAMPROOF_COMMAND"
"""Variable that tells a run which command has started it, and so which repeats it (`conformance.plugin.program`)."""

IS_INSTALLED = TREE.name == "tree" and TREE.parent.name == "roamproof"


def program() -> list[str]:
    """How this command is called."""
    if IS_INSTALLED:
        return ["roamproof"]
    here, python = Path.cwd(), Path(sys.executable)
    return [str(python.relative_to(here) if python.is_relative_to(here) else python), "-m", "conformance"]


def environment(command: list[str]) -> dict[str, str]:
    """Variables for a Python that finds the suite's packages, and none of their names in the folder it runs in."""
    paths = [str(TREE), *filter(None, [os.environ.get("PYTHONPATH")])]
    changes = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1", COMMAND: shlex.join(command)}
    return {**os.environ, **changes}


def from_here(path: Path) -> str:
    """The path from the folder of the user, where it lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def profile(name: str) -> Path:
    """A profile by its path, or one of the suite's own by its name."""
    own = TREE / "profiles" / f"{name.removesuffix('.toml')}.toml"
    return own if not Path(name).is_file() and "/" not in name and own.exists() else Path(name)
