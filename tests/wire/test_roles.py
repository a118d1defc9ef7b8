# SPDX-License-Identifier: GPL-2.0-or-later
"""A sample of `make wire`: every role of the reference as a box at the end of a cable, whatever its cards do."""

import ast
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles import Role, load
from tests.testbed.lab import ROOT
from tests.testbed.runs import UNBROKEN, Run, Scenarios, scenarios
from tests.wire.__main__ import PROFILE
from tests.wire.box import REFERENCE, certify

ROLES = {role.qualified: role for role in load(PROFILE).claimed}
LINUX = ROOT / "profiles/linux.toml"
KERNEL = (sys.executable, "-m", "reference", "kernel")
_PARSING = threading.Lock()
"""Python 3.11 cannot parse in two threads at once."""
FEW = ("--requirement", "MOPS-4.1-01", "--beside", "40")


def one_of_each(role: Role) -> list[str]:
    """The first case without mandated waits of every module of a role."""
    found = []
    for file in sorted((ROOT / "conformance" / role.protocol / role.folder).glob("test_*.py")):
        with _PARSING:
            cases = [one for one in ast.parse(file.read_text()).body if isinstance(one, ast.FunctionDef)]
        quick = [one.name for one in cases if one.name.startswith("test_") and "waits" not in _decorators(one)]
        found += [f"{file.relative_to(ROOT)}::{name}" for name in quick[:1]]
    return found


def _decorators(case: ast.FunctionDef) -> str:
    return " ".join(map(ast.unparse, case.decorator_list))


def each_module(folder: Path, role: Role) -> Run:
    """Over IPv4, which every role has."""
    first, *others = one_of_each(role)
    return certify(PROFILE, role, folder, first, *others, "-k", "ipv4")[0]


SEGMENTS = "conformance/legacy/host/test_9293_more_options.py"

RUNS = {
    **{
        name: lambda folder, role=role: each_module(folder, role)
        for name, role in ROLES.items()
    },
    "frames padded": lambda folder: certify(
        PROFILE, ROLES["mops server"], folder, "conformance/mops/server", *FEW,
        box=(*REFERENCE, "--variant", "frames-padded"),
    )[0],
    "offload": lambda folder: certify(LINUX, ROLES["legacy host"], folder, SEGMENTS, box=KERNEL, offload=True)[0],
    "larger frames": lambda folder: certify(
        LINUX, ROLES["legacy host"], folder, SEGMENTS, box=KERNEL, mtu=9000, box_mtu=9000
    )[0],
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    yield from scenarios(RUNS, request, tmp_path_factory)


@pytest.mark.parametrize("name", RUNS)
def test_a_right_device_is_conformant_at_the_end_of_a_cable(runs: Scenarios, name: str) -> None:
    done = runs(name)
    assert done.code in UNBROKEN, done.output
    assert "PASS" in done.verdicts.values()
