# SPDX-License-Identifier: GPL-2.0-or-later
"""How frames are written for people: one line, and decoded fields."""

from typing import NamedTuple

from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import ARP
from scapy.packet import Packet, Padding, Raw

from layers.ipff import UDPv5
from testbed.wire.capture import Frame
from testbed.wire.network import Network
from testbed.wire.printable import printable
from testbed.wire.quick import quick_words


class Description(NamedTuple):
    """A frame in words: who, to whom, what."""

    source: str
    destination: str
    summary: str


def describe(network: Network, frame: Frame) -> Description:
    """Write a frame of `network` (or an ARP message) for people."""
    words = quick_words(network, frame.data)
    return Description(*words) if words else describe_dissected(network.dissect(frame.data))


def describe_dissected(packet: Packet) -> Description:
    """The same of a network packet, or of an Ethernet frame, as the layers read it."""
    if arp := packet.getlayer(ARP):
        what = f"ARP who has {arp.pdst}" if arp.op == 1 else f"ARP {arp.psrc} is at {arp.hwsrc}"
        return Description(str(arp.psrc), str(arp.pdst), what)
    source, destination = str(getattr(packet, "src", "?")), str(getattr(packet, "dst", "?"))
    upper = packet.payload
    if isinstance(upper, (TCP, UDP, UDPv5)):
        source, destination = f"{source}:{upper.sport}", f"{destination}:{upper.dport}"
    return Description(source, destination, summary(upper))


def decoded_fields(network: Network, frame: Frame) -> list[tuple[str, str, str]]:
    """Every field of a frame of `network` as (layer, field, value)."""
    rows = []
    layer: Packet | None = network.dissect(frame.data)
    while layer:
        if not isinstance(layer, Padding):
            for field in layer.fields_desc:
                value = layer.getfieldval(field.name)
                rows.append((str(layer.name), field.name, printable(str(field.i2repr(layer, value)))))
        layer = layer.payload or None
    return rows


def summary(message: Packet) -> str:
    """A transport message in one line."""
    if isinstance(message, TCP):
        length = _length(message.payload)
        data = f" {length} bytes" if length else ""
        return f"TCP [{message.flags}] seq {message.seq} ack {message.ack} win {message.window}{data}"
    if isinstance(message, (UDP, UDPv5)):
        return f"UDP {_length(message.payload)} bytes"
    if isinstance(message, (Raw, Padding)):
        return f"{len(message)} bytes"
    text = message.mysummary()
    return printable(str((text[0] if isinstance(text, tuple) else text) or message.name))


def _length(data: Packet) -> int:
    """Bytes of data, without those that only fill the frame up."""
    padding = data.getlayer(Padding)
    return len(data) - (len(padding) if padding else 0)
