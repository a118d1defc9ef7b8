# SPDX-License-Identifier: GPL-2.0-or-later
"""A packet in one line, for people."""

from collections.abc import Iterator

from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import NoPayload, Packet, Padding, Raw

from layers.ipff import IPFF, UDPv5, ipff_checksum_ok
from layers.packet import ChecksummedPacket
from layers.tcp_options import option_area, recognised, walk_options


def describe(packet: Packet) -> str:
    """Addresses, message, TCP options and what is wrong with them, in one line of printable text."""
    segment = packet.getlayer(TCP)
    transport = segment or packet.getlayer(UDP) or packet.getlayer(UDPv5)
    words = [*_transport(packet, transport), *_options(segment)] if transport else [_summary(packet)]
    words.extend(f"[{fault}]" for fault in _faults(packet, segment, transport))
    return "  ".join(words)


def _summary(packet: Packet) -> str:
    return str(packet.summary()).removeprefix("Ether / ")


def _transport(packet: Packet, transport: Packet) -> Iterator[str]:
    network = packet.getlayer(IPFF, _subclass=True) or packet.getlayer(IP)
    src, dst = (network.src, network.dst) if network else ("?", "?")
    yield f"{src}:{transport.sport} > {dst}:{transport.dport} {transport.name}"
    if isinstance(transport, TCP):
        yield f"{transport.flags or 'no flags'} seq {transport.seq} ack {transport.ack}"
    data = transport.payload
    if isinstance(data, Raw) and not isinstance(data, Padding):
        yield f"{len(data.load)} bytes"
    elif not isinstance(data, Padding | NoPayload):
        yield _summary(data)


def _options(segment: Packet | None) -> Iterator[str]:
    for option in recognised(segment) if segment is not None else ():
        yield f"<{option.mysummary()}>"


def _faults(packet: Packet, segment: Packet | None, transport: Packet | None) -> Iterator[str]:
    message = packet.lastlayer()
    while message.underlayer is not None and not isinstance(message, ChecksummedPacket):
        message = message.underlayer
    if isinstance(message, ChecksummedPacket):
        if not message.checksum_ok():
            yield "wrong checksum"
    elif transport is not None and isinstance(transport.underlayer, IPFF) and not ipff_checksum_ok(packet):
        yield "wrong checksum"
    if segment is not None:
        yield from (raw.fault for raw in walk_options(option_area(segment)) if raw.fault)
