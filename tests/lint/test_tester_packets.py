# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester's own packets: each is wrong in exactly the way that its case intends, and in no other.

`intended.toml` says what is wrong on purpose. The cases that it names are run, and an eighth of all others.
"""

import json
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from scapy.utils import RawPcapNgReader

from conformance.catalogue.cases import find_uses
from tests.lint.decoder import faults

ROOT = Path(__file__).resolve().parents[2]
INTENDED: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "intended.toml").read_text())
BESIDE = 8
FLOCKS = {
    "short-end-hosts.toml": ("mops", "rehash"),
    "short-legacy.toml": ("legacy",),
    "short-router.toml": ("mops/nat_router",),
}
"""Which folders of cases are run with which profile."""


CUT_SHORT = "0800 4500 001c 0000 0000 40fe {} c613 0001 c612 0001 0064 ff9b 0000 0000"


def base(case: dict[str, Any]) -> str:
    """Requirement and number of a case."""
    return str(case["id"].partition("[")[0])


def wrong(folder: Path, case: dict[str, Any]) -> list[list[str]]:
    """What is wrong with each frame of the tester's, of those with which something is."""
    frames = RawPcapNgReader(str(folder / case["evidence"]))
    sent = [data for (data, _), frame in zip(frames, case["frames"], strict=True) if frame["direction"] == "to dut"]
    return [sorted(found) for data in sent if (found := faults(bytes(data)))]


@pytest.mark.parametrize("profile", FLOCKS)
def test_packets_are_wrong_as_intended_and_in_no_other_way(profile: str, tmp_path: Path) -> None:
    folders = [f"conformance/{one}" for one in FLOCKS[profile]]
    judged = {use.requirement for folder in folders for use in find_uses(ROOT / folder)}
    named = [requirement for one in INTENDED if (requirement := one.rpartition(".")[0]) in judged]
    command = [sys.executable, "-m", "pytest", *folders, "-q", "--seed", "1"]
    command += ["--dut", f"tests/profiles/{profile}", "--report", str(tmp_path / "out")]
    command += ["-p", "no:cacheprovider", "-n", "0"]
    command += [f"--requirement={one}" for one in dict.fromkeys(named)] + [f"--beside={BESIDE}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    results = json.loads((tmp_path / "out/results.json").read_text())
    seen: dict[str, list[list[str]]] = defaultdict(list)
    for case in results["cases"]:
        if case["evidence"]:
            seen[base(case)] += wrong(tmp_path / "out", case)
    assert len(seen) > len(named), done.stdout[-2000:]
    assert {name: wrongly for name, found in seen.items() if (wrongly := _unintended(name, found))} == {}


def _unintended(name: str, found: list[list[str]]) -> list[str]:
    """What a case has sent that nobody intended, and what it was to send and has not."""
    intended = INTENDED.get(name, {"frames": []})
    allowed = [sorted(one) for one in intended["frames"]]
    if intended.get("by_chance"):
        return sorted({word for one in found for word in one} - {word for one in allowed for word in one})
    unknown = [", ".join(one) for one in found if one not in allowed]
    return sorted({*unknown, *(f"never sent: {', '.join(one)}" for one in allowed if one not in found)})


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (CUT_SHORT.format("edbc"), {"message cut short"}),
        (CUT_SHORT.format("edbd"), {"message cut short", "IPv4 checksum"}),
        ("86dd 6000", {"EtherType 0x86dd"}),
        ("0806 0001", set()),
    ],
)
def test_the_decoder_names_what_is_wrong(octets: str, found: set[str]) -> None:
    """Byte by byte, where nothing else vouches for it."""
    assert faults(bytes(12) + bytes.fromhex(octets)) == found
