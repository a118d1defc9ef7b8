# SPDX-License-Identifier: GPL-2.0-or-later
"""Run every benchmark, `python -m bench`, or one: `python -m bench speed --short`."""

import argparse
import sys
from collections.abc import Callable

from bench import handover, journal, layers, mappings, overlap, proxy, router, speed, steady

parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
NAMES = ("all", "handover", "journal", "layers", "mappings", "overlap", "proxy", "router", "speed", "steady")
parser.add_argument("benchmark", nargs="?", choices=NAMES, default="all")
parser.add_argument("--short", action="store_true", help="speed: a part of the cases, half a minute instead of eight")
parser.add_argument("--write", action="store_true", help="handover, speed, steady: keep the tables in docs")
parser.add_argument("--runs", type=int, default=steady.RUNS, metavar="N", help="steady: runs under each condition")
chosen = parser.parse_args()

benchmarks: dict[str, Callable[[], int]] = {
    "handover": lambda: handover.main(write=chosen.write),
    "journal": journal.main,
    "layers": layers.main,
    "mappings": mappings.main,
    "overlap": overlap.main,
    "proxy": proxy.main,
    "router": router.main,
    "speed": lambda: speed.main(short=chosen.short, write=chosen.write),
}
if chosen.benchmark == "steady":  # a quarter of an hour, and no benchmark of speed
    sys.exit(steady.main(runs=chosen.runs, write=chosen.write))
names = benchmarks if chosen.benchmark == "all" else [chosen.benchmark]
sys.exit(max(benchmarks[name]() for name in names))
