# SPDX-License-Identifier: GPL-2.0-or-later
"""The arrows between the folders, and what no file of the suite may use."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import FOLDERS, ROOT, imports, sources

# Who may import whom of ours; `bench`, the tests, conftest.py and the command may import what they measure and join.
ALLOWED = {
    "layers": {"layers"},
    "profiles": {"profiles"},
    "testbed": {"testbed", "layers", "profiles"},
    "conformance": {"conformance", "testbed", "layers", "profiles"},
    "reports": {"reports"},
    "reference": {"reference"},
}
COMMAND = ROOT / "conformance" / "command"
"""The command joins the parts, as conftest.py does, and nobody imports it but its own entry point."""

LAYERS_MAY_USE = {*sys.stdlib_module_names, "scapy", "layers"}

# Waiting by the clock instead of by the wire, and Scapy's own sockets: none of them belongs into the lower tester.
BANNED_IN_TESTBED = {"sleep", "AsyncSniffer", "sniff", "sr", "sr1", "srp", "srp1", "sendp", "send_receive"}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and first name of every import."""
    return ((line, name.partition(".")[0]) for line, name in imports(path))


@pytest.mark.parametrize("folder", ALLOWED)
def test_arrows_between_folders_never_turn_back(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources(folder)
        if not path.is_relative_to(COMMAND)
        for line, name in imported(path)
        if name in FOLDERS and name not in ALLOWED[folder]
    ]
    assert not wrong


def test_nobody_imports_the_command() -> None:
    entry_points = {ROOT / "conformance" / "__main__.py"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in ALLOWED
        for path in sources(folder)
        if not path.is_relative_to(COMMAND) and path not in entry_points
        for line, name in imports(path)
        if name.startswith("conformance.command")
    ]
    assert not wrong


def test_layers_need_scapy_and_nothing_else() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sources("layers")
        for line, name in imported(path)
        if name not in LAYERS_MAY_USE
    ]
    assert not wrong


def test_nobody_imports_the_reference() -> None:
    everybody = [path for folder in FOLDERS if folder not in ("reference", "tests") for path in sources(folder)]
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in [*everybody, ROOT / "conftest.py"]
        for line, name in imported(path)
        if name == "reference"
    ]
    assert not wrong


def test_the_lower_tester_waits_for_the_wire() -> None:
    wrong = []
    for path in sources("testbed"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else [name]
            wrong += [f"{path.relative_to(ROOT)}:{node.lineno} {one}" for one in names if one in BANNED_IN_TESTBED]
    assert not wrong


def test_every_file_names_its_licence() -> None:
    files = [path for folder in FOLDERS for path in sources(folder)] + [ROOT / "conftest.py"]
    files = [path for path in files if path.stat().st_size]
    wrong = [path for path in files if "SPDX-License-Identifier: GPL-2.0-or-later" not in path.read_text()[:200]]
    assert not wrong


@pytest.mark.parametrize("package", ["layers", "profiles", "testbed", "reports"])
def test_a_package_can_be_imported_alone(package: str) -> None:
    program = f"import sys, {package}; print(*sorted({{m.partition('.')[0] for m in sys.modules}} & {set(FOLDERS)}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= ALLOWED[package]
