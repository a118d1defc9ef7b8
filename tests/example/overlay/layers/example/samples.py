# SPDX-License-Identifier: GPL-2.0-or-later
"""One frame of every shape of a greeting."""

from layers.example.packets import ANSWER, Greeting
from scapy.packet import Packet

from layers.samples import ipv4


def frames() -> dict[str, Packet]:
    """Complete Ethernet frames by name."""
    return {"hello": ipv4(Greeting(number=7)), "answer": ipv4(Greeting(kind=ANSWER, number=7))}
