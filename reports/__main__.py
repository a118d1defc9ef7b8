# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m reports RESULTS.json [-o certificate.html]`: make the certificate again from the results of a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from reports.certificate import write_certificate
from reports.model import ResultsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0, or 2 with one line on standard error when the input is wrong."""
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__.partition(": ")[2])
    parser.add_argument("results", type=Path, metavar="RESULTS.json", help="results of a run, evidence beside it")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: certificate.html beside the results"
    )
    options = parser.parse_args(arguments)
    try:
        written = write_certificate(options.results, out=options.output or "")
    except (ResultsError, OSError) as error:
        print(f"python -m reports: {error}", file=sys.stderr)
        return 2
    print(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
