# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that were built before the drafts of IPFF were known: the reference in every reading of them, certified."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reports.verdicts import ExitCode

ROOT = Path(__file__).resolve().parents[2]
PROFILE = ROOT / "tests/profiles/short-earlier-ipff.toml"
READINGS = {
    "all as earlier": "",
    "Protocol 58 and UDP of RFC 768": """
header = "draft-00"
icmp_checksum = "pseudo-header"
icmp_pseudo_protocol = 58
""",
}
ABOUT = (
    "MOPS-4.1-03",
    "MOPS-4.1-04",
    "MOPS-4.1-58",
    "MOPS-4.1-87",
    "MOPS-4.1-102",
    "MOPS-4.1-139",
    "MOPS-4.2-05",
    "MOPS-4.2-13",
)
COMPANIONS = ("MOPS-ipff.3-01", "MOPS-ipff.3-02", "MOPS-icmp-01", "MOPS-udp-01", "MOPS-addressing.3-01")


@pytest.mark.parametrize("changed", READINGS.values(), ids=READINGS)
def test_the_reference_is_right_in_every_reading(tmp_path: Path, changed: str) -> None:
    """Nothing fails, and what depends on the reading is passed, at a server, a mobile node and an anycast server."""
    keys = "|".join(re.findall(r"^(\w+) =", changed, re.MULTILINE)) or "nothing"
    text = re.sub(rf"^(?:{keys}) = .*\n", "", PROFILE.read_text(), flags=re.MULTILINE)
    profile = tmp_path / "earlier.toml"
    profile.write_text(text.replace("[ixit.ipff]\n", f"[ixit.ipff]\n{changed.lstrip()}"))
    command = [sys.executable, "-m", "pytest", "conformance/mops", "-q", "-p", "no:cacheprovider", "-k", "ipff"]
    command += ["--dut", str(profile), "--report", str(tmp_path / "out")]
    command += [f"--requirement={identifier}" for identifier in (*ABOUT, *COMPANIONS)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == ExitCode.PARTIAL, run.stdout[-2000:]
    results = json.loads((tmp_path / "out/results.json").read_text())
    verdicts = {one["id"]: one["verdict"] for one in results["requirements"]}
    assert {verdicts[identifier] for identifier in (*ABOUT, *COMPANIONS)} == {"PASS"}


def test_a_device_of_another_reading_is_not_reached(tmp_path: Path) -> None:
    """A device that keeps to the drafts cannot be certified by a profile that says otherwise."""
    text = re.sub(r"^fork_server.*\n", "", PROFILE.read_text(), flags=re.MULTILINE)
    profile = tmp_path / "told.toml"
    text = text.replace('["{python}", "-m", "reference"]', f'["{{python}}", "-c", "{_DEAF}"]')
    profile.write_text(text + "[ixit]\ntcp_within_s = 0.2\n")
    command = [sys.executable, "-m", "pytest", "conformance/mops/server", "-q", "-p", "no:cacheprovider"]
    command += ["--dut", str(profile), "--report", str(tmp_path / "out"), "--requirement=MOPS-4.1-03"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 8, run.stdout[-2000:]
    assert "no echo service at 8.8.8.8.8 over ipff" in run.stdout + run.stderr


#: The reference, whatever it is told of IPFF.
_DEAF = (
    "import json, os, runpy, sys; "
    "path = os.environ['DUT_CONFIG']; told = json.load(open(path)); "
    "[told['networks']['ipff'].pop(key, None) for key in ('header', 'icmp_checksum', 'udp')]; "
    "json.dump(told, open(path, 'w')); sys.argv = ['reference']; "
    "runpy.run_module('reference', run_name='__main__')"
)
