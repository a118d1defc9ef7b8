# SPDX-License-Identifier: GPL-2.0-or-later
"""The power of the suite: a reference made wrong in one way fails in the requirement that it breaks, and in no other.

`tests/<protocol>/power.toml` says for each deviation which requirements must catch it (`caught_by`) and which others
fail with it of necessity (`also`), and over which networks and with which profile it is certified.

`make power` runs every deviation against all cases. `make test` takes a quarter of them, always the same, each against
the cases that have to catch it and a part of the others.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLES = {file.parent.name: tomllib.loads(file.read_text()) for file in sorted(ROOT.glob("tests/*/power.toml"))}
ALL_CASES = bool(os.environ.get("ALL_CASES"))


@dataclass(frozen=True)
class Expected:
    """What a deviation has to break, and how it is certified; `index` is its place among all of them."""

    protocol: str
    entry: dict[str, Any]
    index: int

    @property
    def caught_by(self) -> list[str]:
        """Requirements that must fail."""
        return list(self.entry["caught_by"])

    @property
    def allowed(self) -> set[str]:
        """Requirements that may fail."""
        return {*self.caught_by, *self.entry.get("also", [])}

    @property
    def network(self) -> str:
        """The network over which it is certified."""
        networks = TABLES[self.protocol]["networks"]
        return str(self.entry.get("network", networks[self.index % len(networks)]))

    def profile(self) -> str:
        """The profile: short timers, one network, and where the entry names a role that one only."""
        table, role = TABLES[self.protocol], self.entry.get("role")
        text = (ROOT / "tests/profiles" / table["profile" if role is None else "role_profile"]).read_text()
        text = _changed(text, "ics", "networks", [self.network])
        if role is not None:
            text = _changed(text, f"ics.{self.protocol}", "roles", [role])
        for key, value in self.entry.get("ixit", {}).items():
            text = text.replace(f"[ixit.{self.protocol}]\n", f"[ixit.{self.protocol}]\n{key} = {json.dumps(value)}\n")
        return text


def _changed(text: str, table: str, key: str, value: list[str]) -> str:
    """A profile with another value of a key of one table."""
    pattern = rf"(^\[{re.escape(table)}\]\n(?:[^\[\n].*\n|\n)*?{key} = ).*$"
    changed, count = re.subn(pattern, lambda found: found[1] + json.dumps(value), text, flags=re.MULTILINE)
    assert count == 1, (table, key)
    return changed


EXPECTED = {
    name: Expected(protocol, entry, index)
    for index, (protocol, name, entry) in enumerate(
        (protocol, name, entry)
        for protocol, table in TABLES.items()
        for name, entry in table.items()
        if isinstance(entry, dict) and "caught_by" in entry
    )
}
CHOSEN = [name for name in EXPECTED if ALL_CASES or (zlib.crc32(name.encode()) + 3) % 4 == 0]
"""`make test` takes a quarter of the deviations."""

BESIDE = 8
"""Beside the cases that have to catch it a deviation meets every eighth of the others, another eighth for each."""


def deviations() -> list[str]:
    """The names that the reference host knows."""
    listing = subprocess.run(
        [sys.executable, "-m", "reference", "--list-deviations"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [line.split()[0] for line in listing.stdout.splitlines() if line.strip()]


def test_every_deviation_has_its_requirement() -> None:
    """The reference and the lists of the protocols name the same deviations."""
    assert sorted(deviations()) == sorted(EXPECTED)


@pytest.mark.parametrize("name", CHOSEN)
def test_deviation_is_caught_where_it_belongs(name: str, tmp_path: Path) -> None:
    """Certify the deviating reference over one network at short timers and compare what is broken."""
    expected = EXPECTED[name]
    profile = tmp_path / "short.toml"
    profile.write_text(expected.profile())
    command = [sys.executable, "-m", "pytest", f"conformance/{expected.protocol}", "-q", "-p", "no:cacheprovider"]
    command += ["-k", expected.network, "--dut", str(profile), "--report", str(tmp_path)]
    command += ["--dut-arg=--deviate", f"--dut-arg={name}"]
    if not ALL_CASES:
        command += [f"--requirement={identifier}" for identifier in expected.caught_by]
        command += [f"--beside={BESIDE}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (tmp_path / "results.json").exists(), run.stdout + run.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    broken = {
        requirement["id"] for requirement in results["requirements"] if requirement["verdict"] in ("FAIL", "DEVIATION")
    }
    errors = [case["id"] for case in results["cases"] if case["verdict"] in ("ERROR", "NOT RUN")]
    assert not errors
    assert set(expected.caught_by) <= broken, f"not caught: {run.stdout[-2000:]}"
    assert broken <= expected.allowed, run.stdout[-2000:]
    # A broken should leaves the device conformant, though other cases may find their preamble spoilt by it.
    assert (run.returncode == 1) == any(one["verdict"] == "FAIL" for one in results["requirements"])
