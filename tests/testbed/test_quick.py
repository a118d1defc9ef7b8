# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames read quickly are put in the words of the layers."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from layers.binding import bind_defaults
from layers.samples import frames as samples
from testbed.wire.headers import LETTERS, TCP_PROTOCOL, UDP_PROTOCOL
from testbed.wire.network import Network
from testbed.wire.notation import describe_dissected
from testbed.wire.quick import quick_words
from tests.testbed.known_networks import READINGS, known

MACS = "02:00:00:00:00:01", "02:00:00:00:00:02"
AREAS = [b"", b"\x02\x04\x05\x78", b"\x05\x0a" + bytes(8) + b"\x00\x00", b"\x1e\x04\x00\x00", b"\x1d\x04\x01\x02"]
AREAS += [b"\x08\x01\x00\x00", b"\xfd\x28\x00\x00", b"\x01\x01\x01\x00"]


@pytest.fixture(params=READINGS)
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    yield known(request.param)
    bind_defaults()


def enclosed(network: Network, protocol: int, payload: Packet | bytes) -> bytes:
    source = network.address(network.first + 3)
    return network.frame(*MACS, network.packet(source, network.dut, protocol, payload))


def tcp(**fields: Any) -> TCP:
    return TCP(**{"sport": 20_001, "dport": 7, "seq": 0xFFFFFFFF, "ack": 1, "window": 512} | fields)


def ordinary(network: Network) -> Iterator[bytes]:
    """Frames that need no layer."""
    for flags in LETTERS[:: 1 if network.has_arp else 7]:
        yield enclosed(network, TCP_PROTOCOL, tcp(flags=flags))
    for size in (0, 1, 5, 1400):
        yield enclosed(network, TCP_PROTOCOL, tcp(flags="PA") / Raw(bytes(size)))
        yield enclosed(network, UDP_PROTOCOL, network.datagram(sport=5000, dport=7) / Raw(bytes(size)))
    for port in (53, 67, 123, 179, 1080):
        yield enclosed(network, TCP_PROTOCOL, tcp(dport=port) / Raw(b"\x00\x05hello"))
        yield enclosed(network, UDP_PROTOCOL, network.datagram(sport=port, dport=port) / Raw(b"hello"))
    for operation in (1, 2):
        yield bytes(Ether(src=MACS[0]) / ARP(op=operation, psrc="198.19.0.7", pdst="198.18.0.1", hwsrc=MACS[0]))


def test_ordinary_frames_are_read_quickly_in_the_words_of_the_layers(network: Network) -> None:
    for frame in ordinary(network):
        assert quick_words(network, frame) == describe_dissected(network.dissect(frame))


def test_bytes_that_fill_a_frame_up_are_no_data(network: Network) -> None:
    for frame in ordinary(network):
        filled = frame + bytes(18)
        assert quick_words(network, filled) == quick_words(network, frame)
        assert describe_dissected(network.dissect(filled)) == quick_words(network, frame)


def test_frames_out_of_the_ordinary_are_left_to_the_layers_or_read_as_they_read_them(network: Network) -> None:
    chance = random.Random(1)
    frames = [*ordinary(network)][::5] + [bytes(frame) for frame in samples().values()]
    for area in AREAS:
        frames.append(enclosed(network, TCP_PROTOCOL, bytes(tcp(dataofs=5 + len(area) // 4)) + area + b"data"))
    if network.has_arp:
        within = {"src": "198.19.0.7", "dst": "198.18.0.1"}
        odd = [
            IP(**within, frag=1, proto=6),
            IP(**within, flags="MF"),
            IP(**within, options=[b"\x07\x07\x04" + bytes(4)]),
        ]
        frames += [network.frame(*MACS, header / tcp()) for header in odd]
    read = 0
    for frame in frames:
        cut = [frame[:size] for size in range(12, len(frame), 3)]
        spoilt = []
        for _ in range(60):
            copy = bytearray(frame)
            copy[chance.randrange(12, len(copy))] = chance.randrange(256)
            spoilt.append(bytes(copy))
        for one in (frame, *cut, *spoilt):
            if words := quick_words(network, one):
                read += 1
                assert words == describe_dissected(network.dissect(one)), one.hex()
    assert read > 300
