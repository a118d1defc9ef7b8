# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m testbed check-dut PROFILE`: try a device before any case."""

import sys
from collections.abc import Sequence

from testbed.run.contract import check

COMMANDS = {"check-dut": check.main}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: that of the command, or 2 with one line on standard error where there is none."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = COMMANDS.get(words[0]) if words else None
    if command is None:
        sys.stderr.write(f"python -m testbed: a command is needed: {', '.join(COMMANDS)}\n")
        return 2
    return command(words[1:])


if __name__ == "__main__":
    sys.exit(main())
