# SPDX-License-Identifier: GPL-2.0-or-later
"""The messages of MOPS and SACIP for a connection of the tester: whole, damaged, cut short, at their longest."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from scapy.packet import Packet

from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS, MOPSAnycastAck, MOPSMigrate, MOPSNATAck
from layers.sacip import CAPTURED, NETWORK, SACIP
from testbed.peers.icmp import error_about
from testbed.peers.tcp import TcpPeer

_HEADER = 24
"""Bytes of a MOPS message in front of its entries."""


@dataclass(frozen=True)
class Message:
    """A message that an ordinary host does not know, for a connection and another address of the tester.

    It travels as ICMP of IPv4 (`is_icmp`) or in the protocol number that carries ICMPv5.
    """

    name: str
    build: Callable[[TcpPeer, str], Packet]
    is_icmp: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Damage:
    """What becomes of a message before it is sent in a packet that has room for so many bytes."""

    name: str
    apply: Callable[[Packet, int], bytes]

    def __str__(self) -> str:
        return self.name


def _migrate(code: int, peer: TcpPeer, elsewhere: str) -> Packet:
    return MOPSMigrate(
        code=code,
        previous_source=peer.station.address,
        migrated_source=elsewhere,
        entries=[(peer.port, peer.port, peer.snd_nxt)],
    )


def _anycast(peer: TcpPeer, elsewhere: str) -> Packet:
    ports = {"source_port": peer.remote_port, "destination_port": peer.port}
    anycast, unicast = peer.station.address, elsewhere
    return MOPSAnycastAck(anycast_destination=anycast, unicast_destination=unicast, **ports)


def _nat(peer: TcpPeer, elsewhere: str) -> Packet:
    sources = {"original_source": peer.remote, "translated_source": elsewhere}
    return MOPSNATAck(**sources, entries=[(peer.remote_port, peer.remote_port)])


def _sacip(byte_order: str, code: int, peer: TcpPeer, elsewhere: str) -> Packet:
    return SACIP(byte_order=byte_order, code=code, new_address=elsewhere)


MOPS_MIGRATE = Message("Migrate", partial(_migrate, MIGRATE))
ANYCAST = Message("anycast acknowledgement", _anycast)
NAT = Message("NAT acknowledgement", _nat)
MOPS = [
    MOPS_MIGRATE,
    Message("Migrate, atomic", partial(_migrate, MIGRATE_ATOMIC)),
    Message("Migrate, success", partial(_migrate, SUCCESS)),
    Message("Migrate, failed", partial(_migrate, FAILED)),
    ANYCAST,
    NAT,
]

NOTIFICATIONS = [
    Message("as captured", partial(_sacip, CAPTURED, 0), is_icmp=True),
    Message("network order", partial(_sacip, NETWORK, 0), is_icmp=True),
    Message("code 1", partial(_sacip, CAPTURED, 1), is_icmp=True),
    Message("code 255", partial(_sacip, CAPTURED, 255), is_icmp=True),
]

ONE_OF_EACH = [MOPS_MIGRATE, ANYCAST, NAT, Message("SACIP", partial(_sacip, CAPTURED, 0), is_icmp=True)]


def _error(kind: int, code: int, peer: TcpPeer, elsewhere: str) -> Packet:
    return error_about(peer, kind, code)


SOFT_ERRORS = [
    Message("network unreachable", partial(_error, 3, 0), is_icmp=True),
    Message("host unreachable", partial(_error, 3, 1), is_icmp=True),
    Message("source route failed", partial(_error, 3, 5), is_icmp=True),
]


def _cut(length: int, message: Packet, _: int) -> bytes:
    return bytes(message)[:length]


def _wrong_checksum(message: Packet, _: int) -> bytes:
    content = bytearray(bytes(message))
    content[3] ^= 0xFF
    return bytes(content)


def _longest(message: Packet, room: int) -> bytes:
    """As many entries, or else as much padding, as a packet has room for."""
    longer = message.copy()
    if isinstance(message, MOPSMigrate):
        longer.entries = [(port, port, port) for port in range(1, 1 + (room - _HEADER) // 8)]
    elif isinstance(message, MOPSNATAck):
        longer.entries = [(port, port) for port in range(1, 1 + (room - _HEADER) // 4)]
    return bytes(longer / bytes(room - len(bytes(longer))))


DAMAGES = [
    Damage("cut to nothing", partial(_cut, 0)),
    Damage("cut to 1 byte", partial(_cut, 1)),
    Damage("cut to 4 bytes", partial(_cut, 4)),
    Damage("cut to 7 bytes", partial(_cut, 7)),
    Damage("one byte short", partial(_cut, -1)),
    Damage("wrong checksum", _wrong_checksum),
    Damage("longest", _longest),
]
