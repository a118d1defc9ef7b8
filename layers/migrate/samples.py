# SPDX-License-Identifier: GPL-2.0-or-later
"""One frame of every shape of the TCP Migrate options."""

from scapy.packet import Packet

from layers.migrate.packets import NO_KEY, MigrateOption, put_permitted, request, token
from layers.samples import MOVED4, SYN, ipv4
from layers.tcp_options import put_option

PUBLIC_KEY = bytes(range(1, 26))


def frames() -> dict[str, Packet]:
    """Complete Ethernet frames by name."""
    proof = MigrateOption(reqno=1, token=token(1000, 2000), request=request(1000, 2000, NO_KEY, 3000, 1))
    return {
        "migrate-permitted": ipv4(put_permitted(SYN)),
        "migrate-permitted-key": ipv4(put_permitted(SYN, curve=1, public_key=PUBLIC_KEY)),
        "migrate-syn": ipv4(put_option(SYN, proof), src=MOVED4),
    }
