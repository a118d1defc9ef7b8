# SPDX-License-Identifier: GPL-2.0-or-later
"""MSOCKS: address kinds, replies, and what the data of a segment looks like."""

from typing import Any

import pytest
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Raw

from layers import msocks
from layers.msocks import (
    MSOCKSReconnect,
    MSOCKSReconnectReply,
    Socks5Greeting,
    Socks5Reply,
    Socks5Request,
    Socks5Selection,
)
from tests.layers.strict import strict_dissection as strict_dissection

pytestmark = pytest.mark.usefixtures("strict_dissection")


@pytest.mark.parametrize(
    ("address", "kind", "wire"),
    [
        ("192.0.2.1", 1, "c0000201"),
        ("2001:db8::1", 4, "20010db8000000000000000000000001"),
        ("a.example", 3, "09612e6578616d706c65"),
        ("", 3, "00"),
    ],
)
def test_address_decides_its_type(address: str, kind: int, wire: str) -> None:
    built = bytes(Socks5Request(address=address, port=0x1234))
    assert built.hex() == f"050100{kind:02x}{wire}1234"
    assert Socks5Request(built).address == address


def test_stated_type_wins_over_the_look_of_the_address() -> None:
    assert bytes(Socks5Request(address_type=3, address="192.0.2.1"))[3:14] == b"\x03\x09192.0.2.1"
    assert bytes(Socks5Request(address_type=9, address="192.0.2.1"))[3:8] == b"\x09\xc0\x00\x02\x01"
    unknown = Socks5Request(b"\x05\x01\x00\x09\x00\x50rest")
    assert (unknown.address_type, unknown.address, unknown.port) == (9, "", 80)


@pytest.mark.parametrize(
    ("answer", "question", "expected"),
    [
        (Socks5Selection(method=2), Socks5Greeting(methods=[0, 2]), True),
        (Socks5Selection(method=0xFF), Socks5Greeting(methods=[0]), True),
        (Socks5Selection(method=2), Socks5Greeting(methods=[0]), False),
        (Socks5Reply(), Socks5Request(), True),
        (Socks5Reply(reply=5), MSOCKSReconnect(), True),
        (Socks5Reply(reply=0), MSOCKSReconnect(), False),
        (MSOCKSReconnectReply(), MSOCKSReconnect(), True),
        (MSOCKSReconnectReply(), Socks5Request(), False),
    ],
)
def test_answers(answer: Packet, question: Packet, expected: bool) -> None:
    assert bool(answer.answers(question)) is expected


TO_PROXY = {"sport": 1027, "dport": 1080}
FROM_PROXY = {"sport": 1080, "dport": 1027}


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        (TO_PROXY, Socks5Greeting(methods=[0])),
        (TO_PROXY, Socks5Request()),
        (TO_PROXY, MSOCKSReconnect()),
        (FROM_PROXY, Socks5Selection()),
        (FROM_PROXY, Socks5Reply()),
        (FROM_PROXY, MSOCKSReconnectReply()),
        (FROM_PROXY, Raw(b"the application's own data")),
        (TO_PROXY, Raw(b"\x05")),
        (TO_PROXY, Raw(b"\x05\x80\x00\x01cut")),
        ({"sport": 1027, "dport": 1081}, Raw(b"\x05\x01\x00")),
    ],
)
def test_segment_is_what_it_looks_like(ports: dict[str, Any], message: Packet) -> None:
    packet = IP(bytes(IP(dst="198.18.0.1") / TCP(**ports) / message))
    assert type(packet[TCP].payload) is type(message)


def test_another_port_takes_the_place_of_the_first() -> None:
    msocks.bind_port(4080)
    try:
        for port, cls in ((4080, Socks5Request), (1080, Raw)):
            assert type(TCP(bytes(TCP(dport=port) / Socks5Request())).payload) is cls
    finally:
        msocks.bind_port(msocks.DEFAULT_PORT)
