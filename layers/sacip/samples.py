# SPDX-License-Identifier: GPL-2.0-or-later
"""One frame of every shape of the SACIP notification."""

from scapy.packet import Packet

from layers.sacip.packets import NETWORK, SACIP
from layers.samples import MOVED4, ipv4


def frames() -> dict[str, Packet]:
    """Complete Ethernet frames by name."""
    return {
        "sacip": ipv4(SACIP(new_address=MOVED4)),
        "sacip-network": ipv4(SACIP(byte_order=NETWORK, new_address=MOVED4)),
    }
