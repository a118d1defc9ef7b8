# SPDX-License-Identifier: GPL-2.0-or-later
"""Forwarding between two wires: hops, checksums, sizes, fragments, and what the device answers itself."""

import select
import socket
import struct

import pytest

from reference.bump.checksum import is_intact
from reference.bump.fragments import Fragments
from tests.lab.box import INSIDE, MACS, NEIGHBOURS, PlayedBox, RouterRole, configuration
from tests.lab.host import Lab
from tests.lab.wire import ETHERTYPE, ICMP_PROTOCOL, NETWORKS, network_packet, udp_datagram

NEAR = {"ipff": "10.2.0.1.1", "ipv4": "10.0.1.1"}
FAR = {"ipff": "525.8.78.16.1", "ipv4": "198.19.0.1"}
UDP = 17


@pytest.fixture
def played() -> PlayedBox:
    return PlayedBox(RouterRole, configuration("none router"))


def datagram(network: str, data: bytes = b"data", hops: int = 64, source: str = "", destination: str = "") -> bytes:
    """A datagram from the inside to the outside."""
    ends = source or NEAR[network], destination or FAR[network]
    return with_hops(network, network_packet(network, *ends, UDP, udp_datagram(network, ends, (1027, 80), data)), hops)


def with_hops(network: str, packet: bytes, hops: int) -> bytes:
    if network == "ipff":
        return packet[:16] + bytes([hops]) + packet[17:]
    header = packet[:8] + bytes([hops]) + packet[9:10] + bytes(2) + packet[12:20]
    total = sum(struct.unpack("!10H", header))
    return header[:10] + struct.pack("!H", 0xFFFF - total % 0xFFFF) + header[12:] + packet[20:]


@pytest.mark.parametrize("network", NETWORKS)
def test_a_packet_takes_one_hop(played: PlayedBox, network: str) -> None:
    played.put("inside", network, datagram(network))
    assert played.take("outside") == [datagram(network, hops=63)]
    assert played.take("inside") == []
    back = datagram(network, source=FAR[network], destination=NEAR[network])
    played.put("outside", network, back)
    assert played.take("inside") == [with_hops(network, back, 63)]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_last_hop_is_told_to_the_sender(played: PlayedBox, network: str) -> None:
    packet = datagram(network, hops=1)
    played.put("inside", network, packet)
    assert played.take("outside") == []
    (error,) = played.take("inside")
    if network == "ipv4":
        assert error[20:22] == b"\x0b\x00"
        assert error[28:] == packet
        assert is_intact(error[20:])
    else:
        assert error[20:22] == b"\x00\x03"
        assert error[24:] == packet + bytes(24 - len(packet) + 20)


def test_what_is_too_large_goes_in_fragments_or_is_told(played: PlayedBox) -> None:
    played.box.outside.mtu = 1000
    packet = datagram("ipv4", bytes(range(256)) * 4)
    played.put("inside", "ipv4", packet)
    pieces = played.take("outside")
    assert [len(piece) <= 1000 for piece in pieces] == [True, True]
    fragments = Fragments(8, 4000)
    joined = [fragments.add(piece[:20], piece[20:]) for piece in pieces][-1]
    assert joined is not None
    assert joined[20:] == packet[20:]
    dont = bytearray(packet)
    dont[6] = 0x40
    played.put("inside", "ipv4", with_hops("ipv4", bytes(dont), 64))
    assert played.take("outside") == []
    (error,) = played.take("inside")
    assert error[20:22] == b"\x03\x04"
    assert error[26:28] == (1000).to_bytes(2, "big")
    large = datagram("ipff", bytes(1000))
    played.put("inside", "ipff", large)
    assert played.take("outside") == []
    (error,) = played.take("inside")
    assert error[20:22] == b"\x00\x02"
    assert error[24:28] == (1000).to_bytes(4, "big")


def test_fragments_are_put_together(played: PlayedBox) -> None:
    played.box.inside.mtu = 600
    packet = datagram("ipv4", bytes(range(256)) * 4)
    parts = [packet[:20] + packet[20 + at : 20 + at + 400] for at in (0, 400, 800)]
    for index in (2, 0, 1):
        header = bytearray(parts[index][:20])
        struct.pack_into("!H", header, 2, len(parts[index]))
        struct.pack_into("!H", header, 6, index * 50 | (0x2000 if index < 2 else 0))
        played.put("inside", "ipv4", with_hops("ipv4", bytes(header) + parts[index][20:], 64))
    assert played.take("outside") == [with_hops("ipv4", packet, 63)]


@pytest.mark.parametrize("network", NETWORKS)
def test_echo_requests_to_itself_are_answered(played: PlayedBox, network: str) -> None:
    kind = {"ipff": b"\x00\x80", "ipv4": b"\x08\x00"}[network]
    message = kind + bytes(2) + b"12345678data"
    total = 0xFFFF - sum(struct.unpack(f"!{len(message) // 2}H", message)) % 0xFFFF
    message = kind + total.to_bytes(2, "big") + message[4:]
    protocol = 1 if network == "ipv4" else ICMP_PROTOCOL["ipff"]
    played.put("inside", network, network_packet(network, NEAR[network], INSIDE[network], protocol, message))
    (answer,) = played.take("inside")
    assert answer[20:22] == {"ipff": b"\x00\x81", "ipv4": b"\x00\x00"}[network]
    assert answer[24:] == message[4:]


class BoxLab(Lab):
    """A running device between two wires."""

    wires = 2


def test_it_forwards_between_real_wires() -> None:
    """As a process, between two real interfaces, without root."""
    with BoxLab(whole=configuration("mops firewall")) as lab:
        assert lab.call("status")["forwarded"] == 0
        frame = MACS["inside"] + NEIGHBOURS["inside"] + ETHERTYPE["ipff"].to_bytes(2, "big") + datagram("ipff")
        lab.raws[0].send(frame)
        assert received(lab.raws[1])[14:] == datagram("ipff", hops=63)
        assert lab.call("status")["forwarded"] == 1
        assert lab.stop() == 0


def received(raw: socket.socket) -> bytes:
    assert select.select([raw], [], [], 4)[0]
    return raw.recv(2048)
