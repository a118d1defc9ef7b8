# SPDX-License-Identifier: GPL-2.0-or-later
"""How frames are written for people: one line, and decoded fields."""

from dataclasses import dataclass

from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import ARP
from scapy.packet import Packet, Padding, Raw

from testbed.wire.capture import Frame
from testbed.wire.network import Network


@dataclass(frozen=True)
class Description:
    """A frame in words: who, to whom, what, and every decoded field as (layer, field, value)."""

    source: str
    destination: str
    summary: str
    fields: list[tuple[str, str, str]]


def describe(network: Network, frame: Frame) -> Description:
    """Write a frame of `network` (or an ARP message) for people."""
    packet = network.dissect(frame.data)
    if arp := packet.getlayer(ARP):
        what = f"ARP who has {arp.pdst}" if arp.op == 1 else f"ARP {arp.psrc} is at {arp.hwsrc}"
        return Description(str(arp.psrc), str(arp.pdst), what, _fields(packet))
    source, destination = str(getattr(packet, "src", "?")), str(getattr(packet, "dst", "?"))
    upper = packet.payload
    if isinstance(upper, (TCP, UDP)):
        source, destination = f"{source}:{upper.sport}", f"{destination}:{upper.dport}"
    return Description(source, destination, summary(upper), _fields(packet))


def summary(message: Packet) -> str:
    """A transport message in one line."""
    if isinstance(message, TCP):
        length = len(message.payload)
        data = f" {length} bytes" if length else ""
        return f"TCP [{message.flags}] seq {message.seq} ack {message.ack} win {message.window}{data}"
    if isinstance(message, UDP):
        return f"UDP {len(message.payload)} bytes"
    if isinstance(message, (Raw, Padding)):
        return f"{len(message)} bytes"
    text = message.mysummary()
    return str((text[0] if isinstance(text, tuple) else text) or message.name)


def _fields(packet: Packet) -> list[tuple[str, str, str]]:
    rows = []
    layer: Packet | None = packet
    while layer:
        if not isinstance(layer, Padding):
            for field in layer.fields_desc:
                value = layer.getfieldval(field.name)
                rows.append((str(layer.name), field.name, str(field.i2repr(layer, value))))
        layer = layer.payload or None
    return rows
