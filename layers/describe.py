# SPDX-License-Identifier: GPL-2.0-or-later
"""A packet in one line, for people."""

from collections.abc import Iterator

from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import NoPayload, Packet, Padding, Raw

from layers.cut import cut_bytes, missing, network_header
from layers.ipff import IPFF, LINKS, UDPv5, ipff_checksum_ok
from layers.packet import ChecksummedPacket
from layers.tcp_options import option_area, recognised, walk_options


def describe(packet: Packet) -> str:
    """Addresses, message, TCP options and what is wrong with them, in one line of printable text.

    Of a packet that the capture has cut, or that is a fragment, nothing is called wrong that the absent bytes decide.
    """
    segment = packet.getlayer(TCP)
    transport = segment or packet.getlayer(UDP) or packet.getlayer(UDPv5)
    words = [*_transport(packet, transport), *_options(segment)] if transport else [_summary(packet)]
    words.extend(f"[{fault}]" for fault in _faults(packet, segment, transport))
    if lost := cut_bytes(packet):
        words.append(f"[cut by the capture, {packet.wirelen - lost} of {packet.wirelen} bytes]")
    return "  ".join(words)


def _summary(packet: Packet) -> str:
    """What the layers above the link say; the bytes of one that the capture has cut are not told as data."""
    text = str(packet.summary()).removeprefix(f"{type(packet).__name__} / " if type(packet) in LINKS else "")
    return text.removesuffix(" / Raw") if missing(packet) else text


def _transport(packet: Packet, transport: Packet) -> Iterator[str]:
    network = network_header(packet)
    src, dst = (network.src, network.dst) if network else ("?", "?")
    yield f"{src}:{transport.sport} > {dst}:{transport.dport} {transport.name}"
    if isinstance(transport, TCP):
        yield f"{transport.flags or 'no flags'} seq {transport.seq} ack {transport.ack}"
    data = transport.payload
    if length := _data_length(transport):
        yield f"{length} bytes"
    elif not isinstance(data, Padding | NoPayload):
        yield _summary(data)


def _data_length(transport: Packet) -> int:
    """How many bytes of data stood on the wire that no layer knows, or that the capture has cut: what is a part of a
    message may look like another one."""
    data = transport.payload
    if lost := missing(transport):
        there = 0 if isinstance(data, NoPayload) else len(data.original)
        return max(0, there + lost - _cut_options(transport))
    return len(data.load) if isinstance(data, Raw) and not isinstance(data, Padding) else 0


def _cut_options(transport: Packet) -> int:
    """How many bytes of the header's options the capture does not have."""
    if not isinstance(transport, TCP) or not missing(transport):
        return 0
    return max(0, int(transport.dataofs) * 4 - len(transport.original))


def _options(segment: Packet | None) -> Iterator[str]:
    for option in recognised(segment) if segment is not None else ():
        yield f"<{option.mysummary()}>"


def _faults(packet: Packet, segment: Packet | None, transport: Packet | None) -> Iterator[str]:
    if not missing(packet) and not _is_fragment(packet):
        yield from _checksum_faults(packet, transport)
    if segment is not None and not _cut_options(segment):
        yield from (raw.fault for raw in walk_options(option_area(segment)) if raw.fault)


def _is_fragment(packet: Packet) -> bool:
    """Whether the packet is the first part of one that goes on in other frames."""
    header = packet.getlayer(IP)
    return header is not None and bool(header.flags.MF)


def _checksum_faults(packet: Packet, transport: Packet | None) -> Iterator[str]:
    message = packet.lastlayer()
    while message.underlayer is not None and not isinstance(message, ChecksummedPacket):
        message = message.underlayer
    if isinstance(message, ChecksummedPacket):
        if not message.checksum_ok():
            yield "wrong checksum"
    elif transport is not None and isinstance(transport.underlayer, IPFF) and not ipff_checksum_ok(packet):
        yield "wrong checksum"
