# SPDX-License-Identifier: GPL-2.0-or-later
"""What a capture has cut off its packets (a snap length): how long they were on the wire.

`Packet.wirelen` of the outermost layer says how many bytes there were; where it is None nothing is cut.
"""

from scapy.layers.inet import IP
from scapy.packet import NoPayload, Packet

from layers.fields import TableField
from layers.ipff import IPFF


def outermost(layer: Packet) -> Packet:
    """The packet that this layer is a part of."""
    while layer.underlayer is not None:
        layer = layer.underlayer
    return layer


def network_header(packet: Packet) -> Packet | None:
    """The IPFF or IPv4 header of a packet."""
    return packet.getlayer(IPFF, _subclass=True) or packet.getlayer(IP)


def cut_bytes(packet: Packet) -> int:
    """How many bytes at the end of the packet the capture does not have, padding too."""
    return 0 if packet.wirelen is None else int(packet.wirelen) - len(packet.original)


def missing(layer: Packet) -> int:
    """How many bytes of what the network header carries the capture does not have."""
    packet = outermost(layer)
    lost = cut_bytes(packet)
    network = network_header(packet)
    if not lost or network is None or not network.original:
        return lost
    if isinstance(network, IPFF):
        header, stated = network.minimum, network.payload_length
    else:
        header = network.ihl * 4
        stated = network.len - header
    there = max(0, len(network.original) - header)
    # A length of 0 is what the capture of a packet shows that the card is still to cut into segments.
    return lost if stated < 0 else max(0, min(lost, stated - there))


def rows(message: Packet, table: str) -> int:
    """How many rows the table had on the wire."""
    field: TableField = message.get_field(table)
    there = field.i2count(message, message.getfieldval(table))
    lost = missing(message)
    if not lost:
        return there
    rest = 0 if isinstance(message.payload, NoPayload) else len(message.payload.original)
    return int(min(message.getfieldval(field.count), there + (rest + lost) // field.row.size))
