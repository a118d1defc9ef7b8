# SPDX-License-Identifier: GPL-2.0-or-later
"""What the testbed reads and writes as bytes is what the layers read and build."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import IP, TCP, UDP

from layers.binding import bind_defaults
from profiles import load
from testbed.peers.build import is_plain, layered_segment, plain_segment
from testbed.peers.segment import Segment
from testbed.wire.capture import Frame
from testbed.wire.headers import LETTERS, TCP_PROTOCOL, UDP_PROTOCOL
from testbed.wire.network import Network, networks
from tests.testbed.known_networks import READINGS, known

PROFILE = load(Path(__file__).parents[2] / "profiles/reference.toml")
MACS = "02:00:00:00:00:01", "02:00:00:00:00:02"
AREAS = [b"", b"\x02\x04\x05\x78", b"\x01\x01\x08\x0a" + bytes(range(8)), bytes([1]) * 40]
DATA = [b"", b"x", b"hello", bytes(range(256)) * 5, bytes(1460)]


@pytest.fixture(params=READINGS)
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    yield known(request.param)
    bind_defaults()


def header(**fields: Any) -> dict[str, Any]:
    return {"sport": 20_001, "dport": 7, "seq": 1, "ack": 0, "flags": "PA", "window": 65535} | fields


def both(network: Network, fields: dict[str, Any], area: bytes, data: bytes) -> tuple[bytes, bytes]:
    """The frame with the bytes of the testbed, and the one that the layers build."""
    source, destination = network.first + 5, network.number(network.dut)
    plain = plain_segment(network, source, destination, fields, area, data)
    layered = network.packet(network.address(source), network.dut, TCP_PROTOCOL, layered_segment(fields, area, data))
    enclosed = network.enclose(source, destination, TCP_PROTOCOL, plain)
    return network.frame(*MACS, enclosed), network.frame(*MACS, layered)


@pytest.mark.parametrize("area", AREAS, ids=len)
@pytest.mark.parametrize("data", DATA, ids=len)
def test_segment_is_that_of_the_layers(network: Network, area: bytes, data: bytes) -> None:
    """With and without options, data of even and odd length."""
    plain, layered = both(network, header(), area, data)
    assert plain == layered


def test_flags_are_those_of_the_layers(network: Network) -> None:
    """Every combination, also in another order of the letters."""
    for flags in LETTERS:
        plain, layered = both(network, header(flags=flags[::-1]), b"", b"odd")
        assert plain == layered
        received = Segment.read(Frame(1, 0, False, layered), network)
        assert received
        assert received.flags == str(received.tcp.flags) == flags


@pytest.mark.parametrize("seq", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("ports", [(1, 65535), (65535, 1)])
def test_numbers_are_those_of_the_layers(network: Network, seq: int, ports: tuple[int, int]) -> None:
    """The ends of every range."""
    fields = header(seq=seq, ack=0xFFFFFFFF - seq, window=seq & 0xFFFF, sport=ports[0], dport=ports[1])
    plain, layered = both(network, fields, AREAS[2], b"data")
    assert plain == layered


@pytest.mark.parametrize("number", [0, 1, -1])
def test_addresses_are_those_of_the_layers(network: Network, number: int) -> None:
    """Of the whole range of the tester; carried bytes stay as they are."""
    source = network.first + number if number >= 0 else network.last
    for payload in DATA:
        packet = network.packet(network.address(source), network.dut, UDP_PROTOCOL, payload)
        assert network.enclose(source, network.number(network.dut), UDP_PROTOCOL, payload) == bytes(packet)


@pytest.mark.parametrize(
    ("fields", "area"),
    [
        ({"seq": RawVal(b"\0")}, b""),
        ({"dataofs": 4}, b""),
        ({"chksum": 1}, b""),
        ({"flags": 2}, b""),
        ({"flags": "X"}, b""),
        ({}, bytes(44)),
    ],
)
def test_what_is_not_ordinary_is_left_to_the_layers(fields: dict[str, Any], area: bytes) -> None:
    """Fields that an ordinary segment does not set, or not like this."""
    assert not is_plain(header(**fields), area)
    assert is_plain(header(), bytes(40))


@pytest.mark.parametrize("area", [*AREAS, b"\x05\x0a" + bytes(range(8)) + b"\0\0"], ids=len)
@pytest.mark.parametrize("data", DATA, ids=len)
@pytest.mark.parametrize("padding", [b"", bytes(6)], ids=["", "padded"])
def test_segment_reads_as_the_layers_do(network: Network, area: bytes, data: bytes, padding: bytes) -> None:
    """Every number of a segment, the options and the data; the padding of a short frame is not data."""
    _, frame = both(network, header(seq=77, ack=99, flags="FPA", window=1234), area, data)
    segment = Segment.read(Frame(1, 0, False, frame + padding), network)
    assert segment
    tcp = segment.tcp
    assert (segment.source_port, segment.destination_port) == (tcp.sport, tcp.dport)
    assert (segment.seq, segment.ack, segment.window) == (tcp.seq, tcp.ack, tcp.window)
    assert (segment.source, segment.destination) == (segment.packet.src, segment.packet.dst)
    assert (segment.flags, segment.area, segment.data) == (str(tcp.flags), area, data)
    assert network.tcp_checksum_ok(segment.frame.data)


@pytest.mark.parametrize(("words", "is_segment"), [(0, False), (4, False), (5, True), (6, True), (15, False)])
def test_a_data_offset_reads_as_the_layers_do_or_not_at_all(network: Network, words: int, is_segment: bool) -> None:
    """A header that begins before its own end, or ends after the segment, is none."""
    tcp = layered_segment(header(dataofs=words), b"", b"twelve bytes")
    packet = network.packet(network.address(network.first), network.dut, TCP_PROTOCOL, tcp)
    segment = Segment.read(Frame(1, 0, False, network.frame(*MACS, packet)), network)
    assert bool(segment) is is_segment
    assert segment is None or segment.data == bytes(segment.tcp.payload)


def test_what_is_no_segment(network: Network) -> None:
    """Another protocol, a frame of another network, one that is cut short, a later fragment."""
    source = network.address(network.first)

    def frame(protocol: int, payload: Any) -> bytes:
        return network.frame(*MACS, network.packet(source, network.dut, protocol, payload))

    segment = frame(TCP_PROTOCOL, TCP(sport=1, dport=2, flags="A"))
    assert Segment.read(Frame(1, 0, False, segment), network)
    assert Segment.read(Frame(1, 0, True, segment), network) is None
    for other in (
        frame(UDP_PROTOCOL, UDP(sport=1, dport=2) / bytes(20)),
        frame(TCP_PROTOCOL, bytes(19)),
        segment[:12] + b"\x08\x06" + segment[14:],
        segment[:30],
        b"",
    ):
        assert Segment.read(Frame(1, 0, False, other), network) is None


def test_fragment_is_no_segment() -> None:
    """What follows the first fragment has no header; the first one has."""
    network = networks(PROFILE, ["ipv4"], "link")["ipv4"]
    for offset, is_segment in ((0, True), (3, False)):
        packet = IP(src="198.19.0.1", dst=network.dut, frag=offset, flags="MF", proto=6) / bytes(TCP(flags="A"))
        found = Segment.read(Frame(1, 0, False, network.frame(*MACS, packet)), network)
        assert bool(found) == is_segment


def test_dissected_once(network: Network) -> None:
    """The same bytes give the same packet."""
    packet = network.packet(network.address(network.first), network.dut, TCP_PROTOCOL, TCP(flags="S"))
    frame = network.frame(*MACS, packet)
    assert network.dissect(frame) is network.dissect(bytes(bytearray(frame)))
