# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's Python files and what they import, for the guards of this folder."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("layers", "testbed", "profiles", "conformance", "reports", "reference", "bench", "tests")


def sources(folder: str) -> list[Path]:
    """The Python files of a folder."""
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, folder
    return found


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and whole name of every module that is imported, those inside functions too.

    What is imported from a package may be a module of it: both are given then.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            module = node.module or ""
            yield node.lineno, module
            for alias in node.names:
                name = f"{module}.{alias.name}"
                if (ROOT / f"{name.replace('.', '/')}.py").exists() or (ROOT / name.replace(".", "/")).is_dir():
                    yield node.lineno, name
