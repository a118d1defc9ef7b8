# SPDX-License-Identifier: GPL-2.0-or-later
"""A box with one role, started by hand at the end of a cable (tests/wire/lab.py), and runs of the suite against it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from profiles import Role, link_key, load
from testbed.device.dut_config import configuration
from tests.testbed.lab import ROOT
from tests.testbed.runs import Run, command, environment
from tests.wire.lab import Cable

REFERENCE = (sys.executable, "-m", "reference")
_TIMEOUT_S = 3600
_MACS = ("MAC", "SECOND")
"""What stands in the profile until the box is there and has Ethernet addresses."""


def profile_of(known: Path, role: Role, folder: Path, *, changes: Iterable[tuple[str, str]] = ()) -> Path:
    """The profile of a box in this role alone: what one with more roles says, over `lab0`, or `lab0` and `lab1`."""
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
    if named := re.match(r"\[link\.?(\w*)\]", section):
        link = named[1] or "link"
        if link not in role.links:
            return ""
        wire = role.links.index(link)
        return f'[{link_key(link)}]\nkind = "interface"\ninterface = "lab{wire}"\ndut_mac = "{_MACS[wire]}"\n\n'
    if (named := re.match(r"\[ixit\.ip\w+\.?(\w*)\]", section)) and (named[1] or "link") not in role.links:
        return ""
    if named := re.match(r"\[ics\.(\w+)\]", section):
        if named[1] != role.protocol:
            return ""
        return re.sub(r"(?m)^roles = .*$", f'roles = ["{role.name}"]', section)
    return section


def certify(
    known: Path, role: Role, folder: Path, cases: Path | str, *options: str,
    box: Iterable[str] = REFERENCE, times: int = 1, changes: Iterable[tuple[str, str]] = (),
    within: Iterable[str] = (), profile: Path | None = None, **cards: Any,
) -> list[Run]:  # fmt: skip
    """Certify the box so many times in a row, each time into a folder of its own; `cards` are fields of `Cable`.

    `within` is a command that runs the run; with a `profile` it is not the box that is certified.
    """
    folder.mkdir(parents=True, exist_ok=True)
    box_profile = profile_of(known, role, folder, changes=changes)
    wires = len(role.links)
    Cable([*box], configuration(load(known), role), wires, **cards).write(folder / "cable.json")
    folders = [folder / f"run{number}" for number in range(times)]
    macs = (f"s/{name}/$(cat {folder}/mac{wire})/" for wire, name in enumerate(_MACS[:wires]))
    script = f'sed -i "{";".join(macs)}" {box_profile}\n'
    for one in folders:
        one.mkdir()
        words = shlex.join([*within, *command(cases, profile or box_profile, one, "-n", "0", *options)])
        script += f"{words} > {one}/console 2>&1; echo $? > {one}/code\n"
    lab = [sys.executable, "-m", "tests.wire.lab", str(folder / "cable.json"), "--", "sh", "-c", script]
    subprocess.run(lab, cwd=ROOT, env=environment(), timeout=_TIMEOUT_S, check=True)
    return [Run(int((one / "code").read_text()), (one / "console").read_text(), one / "report") for one in folders]
