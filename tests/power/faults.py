# SPDX-License-Identifier: GPL-2.0-or-later
"""The model of faults on the command line: says which cells are empty, and writes docs/faults.md."""

import argparse
import sys

from tests.power.certified import ROOT
from tests.power.faults_model import Model
from tests.power.faults_page import page

PAGE = ROOT / "docs/faults.md"


def main(arguments: list[str]) -> int:
    """Write the page if there is no empty cell; 1 otherwise, or where something else is wrong with the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.power.faults", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/faults.md")
    options = parser.parse_args(arguments)
    model = Model.read()
    troubles = list(model.troubles())
    sys.stdout.write("".join(f"{trouble}\n" for trouble in troubles) or "no cell is empty\n")
    if options.write and not troubles:
        PAGE.write_text(page(model))
    return int(bool(troubles))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
