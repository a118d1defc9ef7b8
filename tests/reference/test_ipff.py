# SPDX-License-Identifier: GPL-2.0-or-later
"""The network `ipff` of the reference in every reading of its drafts: what the kernel gets, and what the wire gets."""

import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference.bump.ipff_wire import Reading
from reference.system.addresses import KERNEL_PREFIX
from reference.system.configuration import ConfigurationError, Table
from tests.lab.crossing import OWN, PEER, Crossing, sealed
from tests.lab.ipff import DRAFT, EARLIER, Ipff, internet_checksum, number
from tests.mops.played_node import AWAY, SERVER, PlayedNode, on_the_wire

TCP, UDP, ICMP = 6, 17, 1
READINGS = {
    "draft": DRAFT,
    "protocol 58": Ipff(icmp=58),
    "plain": Ipff(icmp=None),
    "UDP with Length": Ipff(udp="rfc768"),
    "24 bytes": Ipff("24-byte"),
    "earlier": EARLIER,
}
SEGMENT = struct.pack("!HHIIHHHH", 1027, 7, 1000, 2000, 5 << 12 | 0x18, 8192, 0, 0)

each_reading = pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)


def ipv6_pseudo_header(source: int, destination: int, protocol: int, length: int) -> bytes:
    return struct.pack("!8sQ8sQII", KERNEL_PREFIX, source, KERNEL_PREFIX, destination, length, protocol)


@each_reading
@pytest.mark.parametrize("data", [b"", b"odd", b"even", bytes(1440)])
def test_a_segment_crosses_both_ways(reading: Ipff, data: bytes) -> None:
    crossing = Crossing(reading)
    segment = SEGMENT + data
    wire = reading.packet(PEER, OWN, TCP, sealed(segment, 16, reading.pseudo_header(PEER, OWN, TCP, len(segment))))
    header = struct.pack("!IHBB", 6 << 28, len(segment), TCP, 64)
    addresses = KERNEL_PREFIX + struct.pack("!Q", PEER) + KERNEL_PREFIX + struct.pack("!Q", OWN)
    kernel = sealed(segment, 16, ipv6_pseudo_header(PEER, OWN, TCP, len(segment)))
    assert crossing.into_kernel(wire) == header + addresses + kernel
    back = sealed(segment, 16, ipv6_pseudo_header(OWN, PEER, TCP, len(segment)))
    expected = sealed(segment, 16, reading.pseudo_header(OWN, PEER, TCP, len(segment)))
    assert crossing.onto_wire(TCP, back) == reading.packet(OWN, PEER, TCP, expected)


@each_reading
@pytest.mark.parametrize("data", [b"", b"odd", b"even", bytes(1440)])
def test_a_datagram_crosses_both_ways(reading: Ipff, data: bytes) -> None:
    crossing, ports = Crossing(reading), struct.pack("!HH", 1027, 7)
    wire = on_the_wire(reading, UDP, PEER, OWN, ports + bytes(2) + data)
    inside = ports + struct.pack("!HH", 8 + len(data), 0) + data
    got = crossing.into_kernel(reading.packet(PEER, OWN, UDP, wire))
    assert got is not None
    assert got[40:] == sealed(inside, 6, ipv6_pseudo_header(PEER, OWN, UDP, len(inside)))
    assert struct.unpack_from("!H", got, 4) == (len(inside),)
    back = sealed(inside, 6, ipv6_pseudo_header(OWN, PEER, UDP, len(inside)))
    expected = on_the_wire(reading, UDP, OWN, PEER, ports + bytes(2) + data)
    assert crossing.onto_wire(UDP, back) == reading.packet(OWN, PEER, UDP, expected)


@each_reading
def test_a_datagram_without_checksum_has_none_at_the_kernel_either(reading: Ipff) -> None:
    """Which drops it, as a receiver of IPFF has to."""
    crossing = Crossing(reading)
    head = struct.pack("!HH", 1027, 7) + (b"" if reading.udp == "v5" else struct.pack("!H", 12)) + bytes(2)
    got = crossing.into_kernel(reading.packet(PEER, OWN, UDP, head + b"data"))
    assert got is not None
    assert got[40:] == struct.pack("!HHHH", 1027, 7, 12, 0) + b"data"


@each_reading
@pytest.mark.parametrize("spoilt", [0, 1, 0x8000])
def test_a_message_is_intact_within_if_it_is_on_the_wire(reading: Ipff, spoilt: int) -> None:
    crossing = Crossing(reading)
    body = struct.pack("!HHBBHQQ", 100, 0, 1, 2, 0, 6 << 50 | PEER, 1 << 50 | OWN) + bytes(8)
    pseudo = b"" if reading.icmp is None else reading.pseudo_header(PEER, OWN, reading.icmp, len(body))
    wire = sealed(body, 2, pseudo)
    wire = wire[:2] + struct.pack("!H", struct.unpack_from("!H", wire, 2)[0] ^ spoilt) + wire[4:]
    within = crossing.message(reading.packet(PEER, OWN, ICMP, wire))
    assert (internet_checksum(within) == 0) == (not spoilt)
    assert within[:2] + within[4:] == body[:2] + body[4:]
    sent = crossing.network.build(PEER, ICMP, sealed(body, 2, b""))
    pseudo = b"" if reading.icmp is None else reading.pseudo_header(OWN, PEER, reading.icmp, len(body))
    assert sent == reading.packet(OWN, PEER, ICMP, sealed(body, 2, pseudo))


DRAFT_PACKET = DRAFT.packet(PEER, OWN, TCP, SEGMENT)


def changed(at: int, value: bytes) -> bytes:
    return DRAFT_PACKET[:at] + value + DRAFT_PACKET[at + len(value) :]


@pytest.mark.parametrize(
    ("packet", "taken"),
    [
        (DRAFT_PACKET, True),
        (DRAFT_PACKET + b"padding", True),
        (changed(0, bytes([4 << 4 | DRAFT_PACKET[0] & 15])), False),
        (changed(0, bytes([6 << 4 | DRAFT_PACKET[0] & 15])), False),
        (DRAFT.packet(1 << 50 | PEER, OWN, TCP, SEGMENT), True),
        (DRAFT.packet(0x3FF << 50 | PEER, OWN, TCP, SEGMENT), True),
        (DRAFT_PACKET[:-1], False),
        (DRAFT_PACKET[:19], False),
        (DRAFT.packet(number("525.8.78.3.999"), OWN, TCP, SEGMENT), True),
        (DRAFT.packet(number("525.8.78.3.1000"), OWN, TCP, SEGMENT), False),
        (DRAFT.packet(number("1023.8.78.3.9"), OWN, TCP, SEGMENT), False),
        (DRAFT.packet(PEER, OWN + 1, TCP, SEGMENT), False),
        (DRAFT.packet(OWN, OWN, TCP, SEGMENT), False),
        (DRAFT.packet(PEER, OWN, 300, SEGMENT), False),
        (DRAFT.packet(PEER, OWN, UDP, b"short"), True),
        (DRAFT.packet(PEER, OWN, TCP, b""), True),
    ],
)
def test_what_is_taken_from_the_wire(packet: bytes, taken: bool) -> None:
    """Reserved is ignored; another version, a length beyond the frame and a field above 999 are not taken."""
    assert (Crossing(DRAFT).into_kernel(packet) is not None) == taken


@pytest.mark.parametrize(
    ("key", "value"), [("header", "25-byte"), ("icmp_checksum", "none"), ("icmp_pseudo_protocol", 6), ("udp", "v6")]
)
def test_an_unknown_reading_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"ipff\.{key} is .*, allowed: "):
        Reading.read(Table({key: value}, "ipff."))


@each_reading
def test_a_node_moves_with_its_connections(reading: Ipff) -> None:
    """TCP and UDP in both directions after a move that the server has agreed to."""
    host = PlayedNode(reading=reading)
    connection, flow = host.open(), host.speak(mobile=True, unique_id=7)
    host.move(AWAY)
    host.agree()
    for talk, kind in ((connection, "tcp"), (flow, "udp")):
        wire, kernel = host.goes_on(talk)
        assert [(one[0], one[1], one[2]) for one in wire] == [(kind, AWAY, SERVER)]
        assert len(kernel) == 1


@each_reading
@settings(deadline=None)
@given(protocol=st.integers(0, 0x3FFF), payload=st.binary(max_size=60))
@example(protocol=255, payload=b"")
@example(protocol=256, payload=b"x")
@example(protocol=300, payload=bytes(40))
def test_any_packet_crosses_or_is_dropped(reading: Ipff, protocol: int, payload: bytes) -> None:
    """The header has 14 bits for the protocol, that of IPv6 has eight."""
    got = Crossing(reading).into_kernel(reading.packet(PEER, OWN, protocol, payload))
    assert (got is None) == (protocol > 255)
