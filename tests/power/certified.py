# SPDX-License-Identifier: GPL-2.0-or-later
"""Altered references, certified: what `tests/<protocol>/power.toml` says of each, and how it is run."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TABLES = {file.parent.name: tomllib.loads(file.read_text()) for file in sorted(ROOT.glob("tests/*/power.toml"))}
KINDS: dict[str, str] = tomllib.loads((ROOT / "tests/power/faults.toml").read_text())["kinds"]
"""The kinds of faults that a deviation may be of, with their meaning."""

PLAIN = "plain"
"""The kind of a deviation that breaks the text of its requirement outright, whatever came before."""

ALL_CASES = bool(os.environ.get("ALL_CASES"))
SEED = os.environ.get("SEED", "1")
"""Which sample `make test` takes."""

BESIDE = 8
"""Beside the cases that an alteration is about it meets every eighth of the others, another eighth for each."""

_SAMPLE = 40


@dataclass(frozen=True)
class Entry:
    """One alteration: its table in `power.toml`; `index` is its place among all of its kind."""

    protocol: str
    name: str
    content: dict[str, Any]
    index: int

    @property
    def network(self) -> str:
        """The network over which it is certified."""
        networks = TABLES[self.protocol]["networks"]
        return str(self.content.get("network", networks[self.index % len(networks)]))

    @property
    def kinds(self) -> list[str]:
        """The kinds of faults that a deviation is of; ValueError where its entry names none or an unknown one."""
        named = self.content.get("kind", [])
        kinds = [named] if isinstance(named, str) else list(named)
        if not kinds or not {*kinds} <= {*KINDS, PLAIN}:
            allowed = ", ".join((PLAIN, *KINDS))
            raise ValueError(
                f"tests/{self.protocol}/power.toml: {self.name}: kind is {named}; allowed is one of {allowed}"
            )
        return kinds

    @property
    def sampled(self) -> bool:
        """Whether `make test` takes it: a fortieth of all, which one the seed says."""
        return ALL_CASES or zlib.crc32(f"{SEED} {self.name}".encode()) % _SAMPLE == 0

    def profile(self) -> str:
        """The profile: short timers, one network, where the entry names a role that one only, and its values."""
        table, role = TABLES[self.protocol], self.content.get("role")
        of_a_role = table.get("role_profiles", {}).get(role, table.get("role_profile", table["profile"]))
        name = table["profile"] if role is None else of_a_role
        text = (ROOT / "tests/profiles" / name).read_text()
        text = changed(text, "ics", "networks", [self.network])
        if role is not None:
            text = changed(text, f"ics.{self.protocol}", "roles", [role])
        for place in ("ics", "ixit"):
            for key, value in self.content.get(place, {}).items():
                text = _with(text, f"{place}.{self.protocol}", key, value)
        return text

    def certify(self, option: str, folder: Path, requirements: list[str]) -> "Certified":
        """Certify the reference with `option` naming this alteration, over one network, at short timers.

        Without ALL_CASES only cases of these requirements are run, and an eighth of the others.
        """
        words = [f"--dut-arg={option}", f"--dut-arg={self.name}"]
        if not ALL_CASES:
            words += [f"--requirement={identifier}" for identifier in requirements]
            words += [f"--beside={BESIDE}"]
        return certify(f"conformance/{self.protocol}", self.network, self.profile(), folder, words)


@dataclass(frozen=True)
class Certified:
    """What came of it: the results, pytest's exit code and the end of what it said."""

    results: dict[str, Any]
    code: int
    said: str

    def requirements(self, *verdicts: str) -> set[str]:
        """The requirements with one of these verdicts."""
        return {one["id"] for one in self.results["requirements"] if one["verdict"] in verdicts}

    def cases(self, *verdicts: str) -> dict[str, str]:
        """The reasons of the cases with one of these verdicts."""
        return {one["id"]: one["reason"] for one in self.results["cases"] if one["verdict"] in verdicts}


def certify(cases: str, network: str, text: str, folder: Path, words: Iterable[str]) -> Certified:
    """Certify what a profile of this text describes by the cases in a folder of the tree, over one network."""
    profile = folder / "short.toml"
    profile.write_text(text)
    command = [sys.executable, "-m", "pytest", cases, "-q", "-p", "no:cacheprovider", "-k", network]
    command += ["--dut", str(profile), "--report", str(folder / "report"), *words]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    results = folder / "report/results.json"
    assert results.exists(), run.stdout + run.stderr
    return Certified(json.loads(results.read_text()), run.returncode, run.stdout[-2000:])


def entries(kind: str) -> Iterator[Entry]:
    """Every deviation, or every variant, of every protocol."""
    index = 0
    for protocol, table in TABLES.items():
        tables = table.get("variants", {}) if kind == "variant" else table
        for name, content in tables.items():
            if kind == "variant" or (isinstance(content, dict) and "caught_by" in content):
                entry = Entry(protocol, name, content, index)
                assert kind == "variant" or entry.kinds
                yield entry
                index += 1


def known(kind: str) -> list[str]:
    """The names that the reference knows."""
    command = [sys.executable, "-m", "reference", f"--list-{kind}s"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [line.split()[0] for line in listing.stdout.splitlines() if line.strip()]


def changed(text: str, table: str, key: str, value: object) -> str:
    """A profile with another value of a key of one table."""
    text, count = re.subn(_pattern(table, key), lambda found: found[1] + json.dumps(value), text, flags=re.MULTILINE)
    assert count == 1, (table, key)
    return text


def _with(text: str, table: str, key: str, value: object) -> str:
    """A profile with a value of a key of one table, which may have it already."""
    if re.search(_pattern(table, key), text, flags=re.MULTILINE):
        return changed(text, table, key, value)
    assert f"[{table}]\n" in text, table
    return text.replace(f"[{table}]\n", f"[{table}]\n{key} = {json.dumps(value)}\n")


def _pattern(table: str, key: str) -> str:
    return rf"(^\[{re.escape(table)}\]\n(?:[^\[\n].*\n|\n)*?{key} = ).*$"
