# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m conformance`: the command `roamproof`, from a tree that is not installed."""

import sys

from conformance.command.main import main

if __name__ == "__main__":
    sys.exit(main())
