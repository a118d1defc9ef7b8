# SPDX-License-Identifier: GPL-2.0-or-later
"""The power of the suite: a reference made wrong in one way fails in the requirement that it breaks, and in no other.

`<protocol>.toml` beside this file says for each deviation which requirements must catch it (`caught_by`) and which
others fail with it of necessity (`also`). A deviation that needs the role mobile node or an optional part of the
server names its `role`.

`make power` runs every deviation against all cases. `make test` takes a quarter of them, always the same, each against
the cases that have to catch it and a part of the others.
"""

import json
import os
import subprocess
import sys
import tomllib
import zlib
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ALL_CASES = bool(os.environ.get("ALL_CASES"))
EXPECTED: dict[str, tuple[str, dict[str, Any]]] = {
    name: (file.stem, entry)
    for file in sorted(HERE.glob("*.toml"))
    for name, entry in tomllib.loads(file.read_text()).items()
}
CHOSEN = [name for name in EXPECTED if ALL_CASES or (zlib.crc32(name.encode()) + 3) % 4 == 0]
"""`make test` takes a quarter of the deviations."""

BESIDE = {"mops": 8, "rehash": 8, "legacy": 8}
"""Beside the cases that have to catch it a deviation meets every eighth of the others, another eighth for each."""

NETWORKS = {"mops": ("ipff", "ipv4"), "rehash": ("ipv4",), "legacy": ("ipv4",)}
PROFILES = {"legacy": "short-legacy.toml"}


def deviations() -> list[str]:
    """The names that the reference host knows."""
    listing = subprocess.run(
        [sys.executable, "-m", "reference", "--list-deviations"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split()[0] for line in listing.stdout.splitlines() if line.strip()]


def test_every_deviation_has_its_requirement() -> None:
    """The lists of the reference and of this folder name the same deviations."""
    assert sorted(deviations()) == sorted(EXPECTED)


@pytest.mark.parametrize("name", CHOSEN)
def test_deviation_is_caught_where_it_belongs(name: str, tmp_path: Path) -> None:
    """Certify the deviating reference over one network at short timers and compare what is broken."""
    protocol, entry = EXPECTED[name]
    networks = NETWORKS[protocol]
    network = entry.get("network", networks[list(EXPECTED).index(name) % len(networks)])
    profile = tmp_path / "short.toml"
    short = PROFILES.get(protocol, "short-end-hosts.toml" if "role" in entry else "short.toml")
    text = (ROOT / "tests/profiles" / short).read_text()
    text = text.replace('networks = ["ipff", "ipv4"]', f'networks = ["{network}"]')
    text = text.replace("[ixit.mops]", f'[ixit.mops]\nmigrate_seq = "{entry.get("migrate_seq", "window")}"')
    profile.write_text(text.replace('roles = ["server", "mobile node"]', f'roles = ["{entry.get("role")}"]'))
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"conformance/{protocol}",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        network,
    ]
    command += ["--dut", str(profile), "--dut-arg=--deviate", f"--dut-arg={name}", "--report", str(tmp_path)]
    if not ALL_CASES:
        command += [f"--requirement={identifier}" for identifier in entry["caught_by"]]
        command += [f"--beside={BESIDE[protocol]}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (tmp_path / "results.json").exists(), run.stdout + run.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    broken = {
        requirement["id"] for requirement in results["requirements"] if requirement["verdict"] in ("FAIL", "DEVIATION")
    }
    errors = [case["id"] for case in results["cases"] if case["verdict"] in ("ERROR", "NOT RUN")]
    assert not errors
    assert set(entry["caught_by"]) <= broken, f"not caught: {run.stdout[-2000:]}"
    assert broken <= set(entry["caught_by"]) | set(entry.get("also", [])), run.stdout[-2000:]
    # A broken should leaves the device conformant, though other cases may find their preamble spoilt by it.
    assert (run.returncode == 1) == any(one["verdict"] == "FAIL" for one in results["requirements"])


def test_the_broken_requirement_is_named_among_all_roles(tmp_path: Path) -> None:
    """The reference with every role, wrong in one way: not conformant, exit code 1, that requirement and no other."""
    asked = {"MOPS-4.1-34", "MOPS-4.1-101", "REHASH-6.1-01"}
    command = [sys.executable, "-m", "pytest", "conformance", "--dut", "profiles/reference.toml", "-q"]
    command += ["--dut-arg=--deviate", "--dut-arg=sequence-below-window", "--report", str(tmp_path)]
    command += [f"--requirement={identifier}" for identifier in asked]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout[-2000:]
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["verdict"] == "not conformant"
    verdicts = {one["id"]: one["verdict"] for one in results["requirements"] if one["id"] in asked}
    assert verdicts == {"MOPS-4.1-34": "FAIL", "MOPS-4.1-101": "PASS", "REHASH-6.1-01": "PASS"}
