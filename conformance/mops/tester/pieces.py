# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrates in fragments of IPv4, which can be read in two ways where they overlap (RFC 791, 3.2)."""

from scapy.layers.inet import IP
from scapy.packet import Packet, Raw

from conformance.mops.migrate import ENTRY, HEADER
from conformance.mops.tester.crossing import Move
from testbed.wire import chance

_UNIT = 8
_MORE = 1


def read_otherwise(message: Packet, port: int) -> Packet:
    """A Migrate of one entry that asks for another port and has the same checksum: its identifier makes up for it."""
    ((previous, migrated, identifier),) = message.entries
    high, low = identifier >> 16, identifier & 0xFFFF
    low = (low + migrated - port) % 0xFFFF
    other = message.copy()
    other.entries = [(previous, port, high << 16 | low)]
    other.checksum = None
    return other


def in_pieces(move: Move, message: Packet, instead: Packet | None = None, *, first: bool = False) -> list[Packet]:
    """The fragments of a Migrate: its header with all entries but the last, and the last entry.

    With `instead` the last entry of another message comes too, before or after the message's own; the first fragment is
    the last to come then.
    """
    source, server = move.places[0].station, move.sessions[0].server.station.address
    network, identification = source.network, chance.randbits(16)
    whole = bytes(network.packet(source.address, server, network.icmp_protocol, message).payload)
    cut = len(whole) - ENTRY.size

    def piece(data: bytes, offset: int, more: int) -> Packet:
        fields = {"id": identification, "flags": more, "frag": offset // _UNIT, "proto": network.icmp_protocol}
        return IP(src=source.address, dst=server, **fields) / Raw(data)

    head, own = piece(whole[:cut], 0, _MORE), piece(whole[cut:], cut, 0)
    if instead is None:
        return [head, own]
    assert cut == HEADER
    other = piece(bytes(instead)[cut:], cut, 0)
    return [*([other, own] if first else [own, other]), head]
