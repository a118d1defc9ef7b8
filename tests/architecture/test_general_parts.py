# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything general knows protocols only as data: no general module names one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles import PROTOCOLS
from tests.architecture.sources import ROOT, imports, sources

GENERAL = [
    ROOT / "conftest.py",
    *sources("testbed"),
    *sources("reports"),
    *sources("conformance/catalogue"),
    *sources("conformance/command"),
    *(ROOT / "conformance").glob("*.py"),
    *(ROOT / "layers").glob("*.py"),
    *(path for path in (ROOT / "profiles").glob("*.py") if path.stem not in (*PROTOCOLS, "model")),
    *(path for folder in ("system", "bump", "middlebox", "agent") for path in sources(f"reference/{folder}")),
    *(ROOT / "reference" / name for name in ("daemon.py", "between.py", "supervision.py")),
]
TABLES = ("ics", "ixit", "profiles")
"""An attribute of one of these is the table of a protocol, or its module."""


def docstrings(tree: ast.Module) -> set[int]:
    """The nodes that are texts of their own: docstrings, of variables too."""
    return {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def named(path: Path) -> Iterator[str]:
    """Where a module names a protocol: in an import, a string that is a name, or an attribute of a table.

    Texts for people may have examples: they are told by their spaces.
    """
    tree = ast.parse(path.read_text())
    texts = docstrings(tree)
    for line, name in imports(path):
        if set(name.split(".")[1:]) & set(PROTOCOLS):
            yield f"{line}: import of {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
            if " " not in node.value and set(node.value.lower().split(".")) & set(PROTOCOLS):
                yield f"{node.lineno}: {node.value!r}"
        elif isinstance(node, ast.Attribute) and node.attr in PROTOCOLS:
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if name in TABLES:
                yield f"{node.lineno}: {name}.{node.attr}"


@pytest.mark.parametrize("path", GENERAL, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_general_module_names_a_protocol(path: Path) -> None:
    assert not list(named(path))
