# SPDX-License-Identifier: GPL-2.0-or-later
"""What 100,000 mappings of the reference take: of its process, and of the kernel where it carries their flows."""

import json
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from testbed.device.linux import CLONE_NEWNET, become_root_in_user_namespace, unshare

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Measure in a namespace of its own, and print."""
    command = [sys.executable, "-m", "bench.mappings", "--measure"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found, console = json.loads(done.stdout), Console()
    for name in ("process", "kernel"):
        if isinstance(found[name], str):
            console.print(f"the {name} has none here: {found[name]}")
            continue
        size, seconds = found[name]
        console.print(
            f"{found['count']} of the {name}: {size * found['count'] / 1e6:.0f} MB, {seconds * 1e6:.1f} us each"
        )
    return 0


def measure() -> None:
    """Become the reference's measurement, in a namespace of its own."""
    if os.geteuid():
        become_root_in_user_namespace()
    unshare(CLONE_NEWNET)
    os.execv(sys.executable, [sys.executable, "-m", "reference.middlebox.nat.size"])


if __name__ == "__main__":
    measure()
