# SPDX-License-Identifier: GPL-2.0-or-later
"""The messages of MOPS and SACIP by name, for a connection of the tester; damaged, cut short, at their longest."""

from collections.abc import Callable

from scapy.packet import Packet

from conformance.rehash.tester.peer import RehashPeer
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS, MOPSAnycastAck, MOPSMigrate, MOPSNATAck
from layers.sacip import CAPTURED, NETWORK, SACIP
from testbed.wire.station import Station

ICMP = 1
ROOM = 1480
"""Bytes that an IPv4 packet has room for behind its header on Ethernet."""

Make = Callable[[RehashPeer, Station], Packet]


def migrate(code: int) -> Make:
    """MOPS Migrate of the connection to where `elsewhere` is."""

    def make(peer: RehashPeer, elsewhere: Station) -> Packet:
        return MOPSMigrate(
            code=code,
            previous_source=peer.station.address,
            migrated_source=elsewhere.address,
            entries=[(peer.port, peer.port, peer.snd_nxt)],
        )

    return make


def anycast(peer: RehashPeer, elsewhere: Station) -> Packet:
    """The acknowledgement of an anycast server for the connection."""
    unicast, ports = elsewhere.address, {"source_port": peer.remote_port, "destination_port": peer.port}
    return MOPSAnycastAck(anycast_destination=peer.station.address, unicast_destination=unicast, **ports)


def nat(peer: RehashPeer, elsewhere: Station) -> Packet:
    """The acknowledgement of a NAT router for the connection."""
    sources = {"original_source": peer.remote, "translated_source": elsewhere.address}
    return MOPSNATAck(**sources, entries=[(peer.remote_port, peer.remote_port)])


def sacip(byte_order: str, **fields: int) -> Make:
    """SACIP: the connection's peer is to be found at another address now."""
    return lambda peer, elsewhere: SACIP(byte_order=byte_order, new_address=elsewhere.address, **fields)


MOPS: dict[str, Make] = {
    "Migrate": migrate(MIGRATE),
    "Migrate, atomic": migrate(MIGRATE_ATOMIC),
    "Migrate, success": migrate(SUCCESS),
    "Migrate, failed": migrate(FAILED),
    "anycast acknowledgement": anycast,
    "NAT acknowledgement": nat,
}

NOTIFICATIONS: dict[str, Make] = {
    "as captured": sacip(CAPTURED),
    "network order": sacip(NETWORK),
    "code 1": sacip(CAPTURED, code=1),
    "code 255": sacip(CAPTURED, code=255),
}

ALL: dict[str, Make] = {
    "Migrate": MOPS["Migrate"],
    "anycast acknowledgement": anycast,
    "NAT acknowledgement": nat,
    "SACIP": NOTIFICATIONS["as captured"],
}


def is_sacip(message: Packet | bytes) -> bool:
    """Whether it travels as ICMP of IPv4."""
    return isinstance(message, SACIP)


def wrong_checksum(message: Packet) -> bytes:
    """The message with a checksum that is not its own."""
    content = bytearray(bytes(message))
    content[3] ^= 0xFF
    return bytes(content)


def longest(message: Packet) -> bytes:
    """As many entries, or else as much padding, as a packet has room for."""
    longer = message.copy()
    if isinstance(message, MOPSMigrate):
        longer.entries = [(port, port, port) for port in range(1, 1 + (ROOM - 24) // 8)]
    elif isinstance(message, MOPSNATAck):
        longer.entries = [(port, port) for port in range(1, 1 + (ROOM - 24) // 4)]
    return bytes(longer / bytes(ROOM - len(bytes(longer))))


DAMAGE: dict[str, Callable[[Packet], bytes]] = {
    "cut to nothing": lambda message: b"",
    "cut to 1 byte": lambda message: bytes(message)[:1],
    "cut to 4 bytes": lambda message: bytes(message)[:4],
    "cut to 7 bytes": lambda message: bytes(message)[:7],
    "one byte short": lambda message: bytes(message)[:-1],
    "wrong checksum": wrong_checksum,
    "longest": longest,
}
