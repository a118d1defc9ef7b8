# SPDX-License-Identifier: GPL-2.0-or-later
"""`make chaos`: what happens to a run is drawn by SEED, COUNT times; each is judged. Without COUNT all of it, once.

A line for each attempt: its number, what was done, the exit code and the time, and what is wrong. The last line counts.
The exit code is 1 where anything is wrong. `--only WORD` keeps the attempts whose kind has the word.
"""

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.kinds import drawn, hostile, last_run
from tests.devices.hostile.__main__ import KINDS as HOSTILE


def main(arguments: list[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument(
        "--device", choices=HOSTILE, metavar="NAME", action="append", help="this hostile device, and no other"
    )
    options = parser.parse_args(arguments)
    attempts = drawn(options.seed, 0 if options.only else options.count)
    attempts = [one for one in attempts if options.only in one[0]][: options.count or None]
    if options.device:
        attempts = [("hostile device", hostile(name)) for name in options.device]
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="roamproof-chaos-") as folder:
        temporary = Path(folder, "temporary")
        temporary.mkdir()
        os.environ["TMPDIR"] = str(temporary)
        for number, (kind, attempt) in enumerate(attempts, 1):
            place = Path(folder, str(number))
            place.mkdir()
            words, found = attempt(place, random.Random(f"{options.seed} {number} {kind}"))
            wrong["left-overs"] += len(found.left_overs)
            wrong["invalid results"] += len(found.invalid)
            wrong["wrong exit codes"] += len(found.wrong_codes)
            wrong["without an end in time"] += len(found.late)
            print(f"{number:4} {kind}: {words}: exit code {found.code}, {found.seconds:.1f} s", flush=True)
            for line in found.faults:
                print(f"     WRONG: {line}", flush=True)
        left = last_run(Path(folder), temporary)
        wrong["left-overs"] += len(left)
        for line in left:
            print(f"     WRONG: {line}")
    names = "left-overs", "invalid results", "wrong exit codes", "without an end in time"
    print(f"{len(attempts)} attempts: " + ", ".join(f"{wrong[name]} {name}" for name in names))
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main())
