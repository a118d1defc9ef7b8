# SPDX-License-Identifier: GPL-2.0-or-later
"""One frame of every MOPS message and every shape of it."""

from scapy.packet import Packet

from layers.mops.packets import (
    FAILED,
    MIGRATE_ATOMIC,
    SUCCESS,
    MobileCapableOption,
    MOPSAnycastAck,
    MOPSMigrate,
    MOPSNATAck,
)
from layers.samples import MOVED, MOVED4, NODE, NODE4, SERVER, SERVER4, SYN, ipff, ipv4
from layers.tcp_options import put_option


def migrate(node: str = NODE, moved: str = MOVED, count: int = 1, **fields: int) -> MOPSMigrate:
    """A Migrate with so many entries."""
    entries = [(1027 + n, 2098 + n, 0x12345678 + n) for n in range(count)]
    return MOPSMigrate(previous_source=node, migrated_source=moved, entries=entries, **fields)


def nat_ack(count: int = 1, **fields: int) -> MOPSNATAck:
    """A NAT acknowledgement with so many entries."""
    entries = [(1027 + n, 5050 + n) for n in range(count)]
    return MOPSNATAck(original_source="10.2.0.0.1", translated_source="10.0.0.0.1", entries=entries, **fields)


def frames() -> dict[str, Packet]:
    """Complete Ethernet frames by name."""
    anycast = MOPSAnycastAck(
        anycast_destination=SERVER, unicast_destination="8.8.8.8.9", source_port=1027, destination_port=80
    )
    return {
        "migrate": ipff(migrate(), src=MOVED),
        "migrate-atomic": ipff(migrate(count=8, code=MIGRATE_ATOMIC, reserved=0xFFFF), src=MOVED),
        "migrate-success": ipff(migrate(code=SUCCESS), src=SERVER, dst=MOVED),
        "migrate-failed": ipff(migrate(code=FAILED, protocol=17, count=2), src=SERVER, dst=MOVED),
        "migrate-empty": ipff(migrate(count=0), src=MOVED),
        "migrate-ipv4": ipv4(migrate(NODE4, MOVED4, count=2), src=MOVED4),
        "anycast": ipff(anycast, src=SERVER, dst=NODE),
        "anycast-ipv4": ipv4(anycast.copy(), src=SERVER4, dst=NODE4),
        "nat": ipff(nat_ack(), src="10.2.0.0.99", dst="10.2.0.0.1"),
        "nat-level-2": ipff(nat_ack(count=3, nat_level=2, reserved=0xFF), src="10.2.0.0.99", dst="10.2.0.0.1"),
        "nat-ipv4": ipv4(nat_ack(count=2), src=SERVER4, dst=NODE4),
        "mobile-capable": ipff(put_option(SYN, MobileCapableOption())),
        "mobile-capable-ipv4": ipv4(put_option(SYN, MobileCapableOption())),
        "mobile-capable-own-kind": ipv4(put_option(SYN, MobileCapableOption(kind=77, length=2))),
    }
