# SPDX-License-Identifier: GPL-2.0-or-later
"""A mobile node, the reference proxy and a correspondent, each with the kernel's own TCP."""

from pathlib import Path
from typing import Any

from tests.lab.three import Reference, Three

NODE = tuple(f"10.0.1.{last}" for last in range(1, 13))
PROXY, CORRESPONDENT = "10.0.0.1", "198.19.0.1"
PORT = 1080


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
        "msocks": {"port": PORT, "hold_s": 3.0, "replay_bytes": 65536, **changes},
    }


def street(folder: Path) -> Three:
    """The three namespaces."""
    return Three(folder, [(NODE, 16), ((CORRESPONDENT,), 15)])


def proxy(three: Three, **changes: Any) -> Reference:
    """The reference as the proxy."""
    return Reference(three, told(**changes))
