# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m conformance.catalogue coverage`: what of the specifications the cases judge."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from conformance.catalogue.coverage import Coverage, State, print_table, write_json
from conformance.catalogue.loader import load
from conformance.catalogue.model import FOLDER, CatalogueError


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; the exit code is 2 for a catalogue or a case that is wrong."""
    options = _parser().parse_args(arguments)
    try:
        coverage = Coverage.of(load(options.catalogue), options.cases)
        print_table(coverage, Console())
        if options.open:
            for one in coverage.judged.values():
                if one.state is State.OPEN:
                    print(f"{one.requirement.id}  {one.requirement.strength}  {one.requirement.statement}")
        if options.json:
            write_json(coverage, options.json)
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename}: cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conformance.catalogue", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    coverage = commands.add_parser("coverage", help="how many requirements have a case, a reason, or neither")
    coverage.add_argument(
        "--json", type=Path, metavar="FILE", help="write it with the texts, for `python -m reports coverage FILE`"
    )
    coverage.add_argument("--open", action="store_true", help="list the requirements that have neither")
    coverage.add_argument("--catalogue", type=Path, default=FOLDER, metavar="DIR", help="folder of the protocols")
    coverage.add_argument("--cases", type=Path, default=FOLDER, metavar="DIR", help="folder of the cases")
    return parser


if __name__ == "__main__":
    sys.exit(main())
