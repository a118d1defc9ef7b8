# SPDX-License-Identifier: GPL-2.0-or-later
"""A box with one role, started by hand at the end of a cable (tests/wire/lab.py), and runs of the suite against it."""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from profiles import Profile, Role, load
from testbed.device.dut_config import configuration
from tests.testbed.lab import ROOT
from tests.testbed.runs import Run, environment
from tests.wire.lab import Cable

REFERENCE = (sys.executable, "-m", "reference")
_TIMEOUT_S = 3600


def profile_of(known: Path, role: Role, folder: Path, *, changes: Iterable[tuple[str, str]] = ()) -> Path:
    """The profile of a box in this role alone: what a profile with more roles says, over `lab0`."""
    sections = re.split(r"(?m)^(?=\[)", known.read_text())
    kept = [_for_role(section, role, folder) for section in sections]
    text = "".join(kept)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "box.toml"
    path.write_text(text)
    return path


def _for_role(section: str, role: Role, folder: Path) -> str:
    if section.startswith("[dut]"):
        agent = f'agent = ["{sys.executable}", "-m", "tests.wire.agent", "{folder}/agent"]'
        return re.sub(r"(?m)^(command|fork_server) = .*\n", "", re.sub(r"(?m)^agent = .*$", agent, section))
    if section.startswith("[link]"):
        return '[link]\nkind = "interface"\ninterface = "lab0"\ndut_mac = "MAC"\n\n'
    if named := re.match(r"\[ics\.(\w+)\]", section):
        if named[1] != role.protocol:
            return ""
        return re.sub(r"(?m)^roles = .*$", f'roles = ["{role.name}"]', section)
    return section


def certify(
    known: Path, role: Role, folder: Path, cases: Iterable[str], *options: str,
    box: Iterable[str] = REFERENCE, offload: bool = False, mtu: int = 1500, times: int = 1,
    changes: Iterable[tuple[str, str]] = (),
) -> list[Run]:  # fmt: skip
    """Certify the box so many times in a row, each time into a report of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    profile = profile_of(known, role, folder, changes=changes)
    cable = Cable([*box], configuration(_known(known), role), offload=offload, mtu=mtu)
    cable.write(folder / "cable.json")
    pytest = [sys.executable, "-m", "pytest", *cases, "-n", "0", "-q", "--tb=short", "-p", "no:cacheprovider"]
    runs = [[*pytest, "--dut", str(profile), "--report", str(folder / f"report{n}"), *options] for n in range(times)]
    script = f'sed -i "s/MAC/$(cat {folder}/mac0)/" {profile}\n' + "".join(
        f"{subprocess.list2cmdline(run)} > {folder}/console{n} 2>&1; echo $? > {folder}/code{n}\n"
        for n, run in enumerate(runs)
    )
    lab = [sys.executable, "-m", "tests.wire.lab", str(folder / "cable.json"), "--", "sh", "-c", script]
    subprocess.run(lab, cwd=ROOT, env=environment(), timeout=_TIMEOUT_S, check=True)
    return [
        Run(int((folder / f"code{n}").read_text()), (folder / f"console{n}").read_text(), folder / f"report{n}")
        for n in range(times)
    ]


def _known(path: Path) -> Profile:
    return load(path)
