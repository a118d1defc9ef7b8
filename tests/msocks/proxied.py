# SPDX-License-Identifier: GPL-2.0-or-later
"""A mobile node, the reference proxy and a correspondent, each with the kernel's own TCP."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.lab.host import ROOT
from tests.lab.three import FIRST, Reference, Three

NODE = tuple(f"10.0.1.{last}" for last in range(1, 13))
PROXY, CORRESPONDENT = "10.0.0.1", "198.19.0.1"
PORT = 1080
LIBRARY = [sys.executable, "-m", "reference.msocks.client", f"{PROXY}:{PORT}"]


def told(**changes: Any) -> dict[str, Any]:
    """What the proxy is told, with changes of the table `msocks`."""
    return {
        "protocol": "msocks",
        "role": "proxy",
        "networks": {
            "ipv4": {
                "inside": {"address": PROXY, "prefix_length": 16},
                "outside": {"address": "198.18.0.1", "prefix_length": 15},
            }
        },
        "msocks": {"port": PORT, "hold_s": 5.0, "replay_bytes": 65536, **changes},
    }


def street(folder: Path) -> Three:
    """The three namespaces."""
    return Three(folder, [(NODE[:1], 16), ((CORRESPONDENT,), 15)])


def proxy(three: Three, *arguments: str, **changes: Any) -> Reference:
    """The reference as the proxy, or what `arguments` name instead."""
    return Reference(three, told(**changes), *arguments)


class Moving:
    """Moves the node from one address to the next."""

    def __init__(self, three: Three) -> None:
        script = str(ROOT / "tests/lab/readdress.py")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
        self._process = three.start(FIRST, [sys.executable, script, NODE[0]], **pipes)

    def __call__(self, number: int) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{NODE[number + 1]}\n".encode())
        assert self._process.stdout.readline() == b"done\n"
