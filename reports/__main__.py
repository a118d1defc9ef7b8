# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m reports RESULTS [-o certificate.html]`: make the certificate again from the results of a run.

RESULTS is a results.json or the folder of a run. Where there is a journal in it, results.json is made from it too: that
of a run that has died, or that goes on.

`python -m reports compare` compares the results of two runs, `python -m reports coverage` makes the page that shows
what of the specifications the cases judge, `python -m reports merge` makes one report of runs of several roles; they
explain themselves with `--help`. `python -m reports exit-codes` prints
the table of docs/exit-codes.md, `python -m reports schema` docs/results.schema.json: the JSON Schema of results.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports import compare, coverage, merge
from reports.certificate import write_certificate
from reports.files import ResultsError
from reports.folder import RESULTS
from reports.journal import JOURNAL, read_journal
from reports.legend import exit_codes_table
from reports.model import json_schema


def _exit_codes(words: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="python -m reports exit-codes").parse_args(words)
    sys.stdout.write(exit_codes_table())
    return 0


def _schema(words: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="python -m reports schema").parse_args(words)
    sys.stdout.write(json_schema())
    return 0


COMMANDS = {
    "compare": compare.main,
    "coverage": coverage.main,
    "merge": merge.main,
    "exit-codes": _exit_codes,
    "schema": _schema,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: that of the command, or 2 with one line on standard error when the input is wrong."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = COMMANDS.get(words[0]) if words else None
    try:
        return command(words[1:]) if command else _certificate(words)
    except (ResultsError, OSError) as error:
        print(f"python -m reports: {error}", file=sys.stderr)
        return 2


def _certificate(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reports",
        description=__doc__.partition(": ")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", type=Path, metavar="RESULTS", help="results.json, or the folder of a run")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: certificate.html beside the results"
    )
    options = parser.parse_args(words)
    path: Path = options.results
    out = options.output or ""
    if not path.is_dir():
        print(write_certificate(path, out=out))
    elif (path / JOURNAL).exists():
        results, cases = read_journal(path / JOURNAL)
        results.write(path / RESULTS, map(cases.line, cases.index))
        print(write_certificate(results, path, out, cases))
    else:
        print(write_certificate(path / RESULTS, out=out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
