# SPDX-License-Identifier: GPL-2.0-or-later
"""One frame of every shape of the TCP Rehash option."""

from scapy.packet import Packet

from layers.rehash.packets import ADDR, INIT, RehashOption
from layers.samples import MOVED4, NODE4, PLAIN, SYN, ipv4
from layers.tcp_options import put_option


def frames() -> dict[str, Packet]:
    """Complete Ethernet frames by name."""
    addr = RehashOption(control=ADDR, nonce=0x0BADCAFE, old=NODE4, new=MOVED4)
    return {
        "rehash-init": ipv4(put_option(SYN, RehashOption(control=INIT, nonce=0x01020304, new=NODE4))),
        "rehash-addr": ipv4(put_option(PLAIN, addr), src=MOVED4),
    }
