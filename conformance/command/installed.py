# SPDX-License-Identifier: GPL-2.0-or-later
"""What `roamproof` is where it is installed: one package, with the tree of the repository as data in it.

The tree's packages have names that others have too, `profiles` or `reports`. They lie in the folder `tree` of this
package and not beside it: nothing else in the environment can import them, and they can hide nobody's. This program
alone has the folder first in its path.
"""

import sys
from pathlib import Path


def main() -> int:
    """The command; its exit code."""
    sys.path.insert(0, str(Path(__file__).with_name("tree")))
    from conformance.command.main import main as command

    return command()
