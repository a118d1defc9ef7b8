# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs over an interface link: the lab's wire, at whose other end the reference runs already."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from profiles import load
from testbed.device.dut_config import configuration
from tests.testbed.lab import ROOT, SERVER
from tests.testbed.runs import SHORT, TIMEOUT_S, Run, command, environment

WIRE_LAB = Path(__file__).with_name("wire_lab.py")
REFERENCE = (sys.executable, "-m", "reference")


def in_lab(
    folder: Path,
    cases: Path | str,
    *options: str,
    changes: Iterable[tuple[str, str]] = (),
    mtus: tuple[int, int] = (1500, 1500),
    kind: str = "interface",
    within: tuple[str, ...] = (),
) -> Run:
    """Run in the lab with the short profile, over the lab's interface; the lab runs the device.

    The lab writes the device's Ethernet address to a file, from where it gets into the profile. `mtus` are those of the
    lab's interface and of the device's. Of the `kind` "namespace" the run leaves the lab's interface alone. `within` is
    a command that runs the run.
    """
    text = SHORT.read_text()
    if kind == "interface":
        text = re.sub(r"^(command|fork_server|agent) = .*\n", "", text, flags=re.MULTILINE)
        changes = [('kind = "namespace"', 'kind = "interface"\ninterface = "lab0"\ndut_mac = "MAC"'), *changes]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    profile = folder / "lab.toml"
    profile.write_text(text)
    (folder / "dut.json").write_text(json.dumps(configuration(load(SHORT), SERVER)))
    fill = f'sed -i "s/MAC/$(cat {folder}/mac)/" {profile}; exec "$@"'
    words = command(cases, profile, folder, *options)
    lab = [sys.executable, str(WIRE_LAB), str(folder / "dut.json"), *map(str, mtus)]
    done = subprocess.run(
        [*lab, *REFERENCE, "--", "sh", "-c", fill, "sh", *within, *words],
        cwd=ROOT, env={**environment(), "PYTHONPATH": str(ROOT)}, timeout=TIMEOUT_S, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return Run(done.returncode, done.stdout, folder / "report")
