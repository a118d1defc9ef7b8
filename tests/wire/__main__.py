# SPDX-License-Identifier: GPL-2.0-or-later
"""`make wire`: the reference as a box at the end of a cable, each of its roles twice, beside the same over namespaces.

Writes one line for each role: cases, seconds, and every requirement whose verdict is another one than over namespaces.
The reports of the roles are merged into one. Exit code 1 where a verdict differs.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from profiles import Role, load
from reports.__main__ import main as reports
from tests.testbed.lab import ROOT
from tests.testbed.runs import Run, run
from tests.wire.box import certify

PROFILE = ROOT / "profiles/reference.toml"
TIMES = 2


def main() -> int:
    """Certify every role, or those named."""
    claimed = load(PROFILE).claimed
    parser = argparse.ArgumentParser(prog="python -m tests.wire", description=__doc__.partition(": ")[2])
    parser.add_argument("roles", nargs="*", metavar="ROLE", help=", ".join(role.qualified for role in claimed))
    parser.add_argument("-o", "--output", type=Path, default=Path("out-wire"), help="where the merged report goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        chosen = [role for role in claimed if not options.roles or role.qualified in options.roles]
        differing = [_judge(role, folder / role.qualified.replace(" ", "-")) for role in chosen]
        last = [str(folder / role.qualified.replace(" ", "-") / f"run{TIMES - 1}/report") for role in chosen]
        reports(["merge", *last, "-o", str(options.output)])
    return 1 if any(differing) else 0


def _judge(role: Role, folder: Path) -> bool:
    """Whether a verdict of the role differs."""
    cases = f"conformance/{role.protocol}"
    beside = folder / "beside"
    beside.mkdir(parents=True)
    usual = run(cases, PROFILE, beside, "--role", role.qualified)
    began = time.monotonic()
    wired = certify(PROFILE, role, folder, cases, "--role", role.qualified, times=TIMES)
    seconds = (time.monotonic() - began) / TIMES
    lines = [line for number, one in enumerate(wired, 1) for line in differences(usual, one, number)]
    count = len(wired[0].results["cases"])
    _say(f"{role.qualified:18} {count:5} cases {seconds:6.1f} s a run  {'; '.join(lines) or 'no verdict differs'}")
    return bool(lines)


def differences(usual: Run, wired: Run, number: int) -> list[str]:
    """The requirements of a run over the wire that came out otherwise than over namespaces.

    But for scenarios of the specifications that have addresses of their own: on a real wire those are nobody's.
    """
    verdicts = {one["id"]: one["verdict"] for one in usual.results["requirements"]}
    found = {one["id"]: one["verdict"] for one in wired.results["requirements"]}
    foreign = {
        name
        for case in wired.results["cases"]
        for name in case["requirements"]
        if case["verdict"] == "NOT APPLICABLE" and "link.kind is not namespace" in case["reason"]
    }
    return [
        f"run {number}: {name} is {found.get(name, 'missing')}, {verdict} over namespaces"
        for name, verdict in verdicts.items()
        if found.get(name) != verdict and not (name in foreign and found.get(name) == "NOT APPLICABLE")
    ]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
