# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames as Wireshark reads them with our dissectors."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from scapy.packet import Packet
from scapy.utils import wrpcap

SCRIPT = Path(__file__).parents[2] / "layers/roamproof.lua"
ETHERNET = 1  # link type
Reading = dict[str, list[Any]]

needed = pytest.mark.skipif(
    shutil.which("tshark") is None, reason="tshark is not installed (Debian: apt-get install tshark)"
)


def decode(frames: dict[str, Packet], path: Path, *preferences: str) -> dict[str, Reading]:
    """The fields of every frame by name; writes the capture to `path`. No line of Lua may have raised."""
    wrpcap(str(path), list(frames.values()), linktype=ETHERNET)
    options = [word for preference in preferences for word in ("-o", preference)]
    run = subprocess.run(
        ["tshark", "-n", "-X", f"lua_script:{SCRIPT}", *options, "-r", str(path), "-T", "pdml"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not re.search("Lua Error|Lua: ", run.stderr + run.stdout)
    packets = ElementTree.fromstring(run.stdout).findall("packet")
    return dict(zip(frames, map(_fields, packets), strict=True))


def shown(reading: Reading, name: str) -> list[str]:
    """What Wireshark shows in the fields of this name."""
    return [field.get("show") for field in reading.get(name, [])]


def _fields(packet: ElementTree.Element) -> Reading:
    reading: Reading = defaultdict(list)
    for field in packet.iter("field"):
        reading[field.get("name", "")].append(field)
    return reading
