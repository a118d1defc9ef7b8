# SPDX-License-Identifier: GPL-2.0-or-later
"""A protocol in a day: Example is laid over a copy of the tree, added to two lists, and is there, whole.

CONTRIBUTING shows its files. Nothing that is shipped names it.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.lab.tree import CLAIMS, REFERENCE, ROOT, VALUES, copy_with, decided, run_in
from tests.testbed.runs import Run, Scenarios, scenarios

OVERLAY = Path(__file__).with_name("overlay")
POWER = tomllib.loads((OVERLAY / "tests/example/power.toml").read_text())
DEVIATIONS = {name: entry for name, entry in POWER.items() if isinstance(entry, dict) and "caught_by" in entry}
LINES = (*CLAIMS, *VALUES, *REFERENCE)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_with(tmp_path_factory.mktemp("example"), OVERLAY, "example", LINES)


@pytest.fixture(scope="module")
def runs(root: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    def go(folder: Path, *arguments: str) -> Run:
        return run_in(root, "conformance/example", "profiles/example.toml", folder, *arguments)

    def deviating(name: str, folder: Path) -> Run:
        return decided(go, folder, "--dut-arg=--deviate", f"--dut-arg={name}")

    yield from scenarios(
        {"right": go, **{name: partial(deviating, name) for name in DEVIATIONS}}, request, tmp_path_factory
    )


def test_the_reference_is_certified(runs: Scenarios) -> None:
    done = runs("right")
    assert done.code == 0, done.output
    assert set(done.verdicts.values()) == {"PASS"}, done.verdicts
    assert done.results["verdict"] == "conformant"
    assert done.results["dut"]["roles"] == ["example host"]


@pytest.mark.parametrize("name", DEVIATIONS)
def test_a_deviation_is_caught_in_its_requirement(runs: Scenarios, name: str) -> None:
    done = runs(name)
    broken = {one["id"] for one in done.results["requirements"] if one["verdict"] in ("FAIL", "DEVIATION")}
    assert broken == set(DEVIATIONS[name]["caught_by"]), done.output


def test_everything_general_finds_the_protocol(root: Path) -> None:
    """The tree's own tests of layers, catalogue, profile and contract pass with one protocol more."""
    subprocess.run([sys.executable, "-m", "profiles"], cwd=root, check=True)
    asked = ("layers/test_four_directions.py", "catalogue/test_catalogue.py", "profiles/test_documentation.py")
    paths = [f"tests/{path}" for path in asked]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *paths,
        "-k",
        "not every_protocol_is_there",
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_it_touches_two_lists_and_nothing_else(root: Path) -> None:
    """Beside its own files: the profile's list of protocols and the reference's list of roles."""
    own = {path.relative_to(OVERLAY).as_posix() for path in OVERLAY.rglob("*") if path.is_file()}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    changed = {
        name
        for name in tracked
        if name not in own
        and not name.startswith(("tests/example/", "."))
        and (root / name).is_file()
        and (root / name).read_bytes() != (ROOT / name).read_bytes()
    }
    produced = {"docs/profile.md", "conformance/catalogue/README.md"}
    assert changed - produced == {"profiles/model.py", "reference/roles.py"}


def test_nothing_that_is_shipped_names_it() -> None:
    """Only the tests know Example, and CONTRIBUTING, which shows it."""
    listing = [
        "git",
        "grep",
        "-il",
        "-E",
        r"example\.(protocol|answer_within_s|farewell)|ExampleHost|EXAMPLE-1",
        "--",
        ".",
    ]
    found = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert {name.split("/")[0] for name in found} <= {"tests", "CONTRIBUTING.md"}
