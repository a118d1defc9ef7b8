# SPDX-License-Identifier: GPL-2.0-or-later
"""IPFF as a carrier: checksums of what is above, bindings, padding, requests and replies."""

import struct
from collections.abc import Callable, Iterator

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Padding, Raw

from layers import ipff
from layers.ipff import (
    IPFF,
    ICMPv5EchoReply,
    ICMPv5EchoRequest,
    ICMPv5Redirect,
    ipff_checksum_ok,
    pseudo_header,
)

ENDS = {"src": "525.8.78.3.9", "dst": "8.8.8.8.8"}
MAC = "02:00:00:00:00:01"
SRC, DST = 0x00020D0204E00C09, 0x0000080200802008


def test_pseudo_header_has_zeros_where_the_header_has_protocol_and_reserved() -> None:
    assert pseudo_header(*ENDS.values(), 6, 20).hex() == "00020d0204e00c09 0000080200802008 00000014 00000006".replace(
        " ", ""
    )


@pytest.mark.parametrize(
    "upper", [TCP(flags="S"), TCP(options=[("MSS", 1460)]) / b"odd", UDP() / b"four", UDP() / b"5"]
)
def test_checksum_equals_that_of_ipv6_with_the_same_words(upper: Packet) -> None:
    """Scapy's own IPv6 sum is the witness: its longer pseudo-header differs by zeros only."""
    witness = IPv6(src=f"::{_groups(SRC)}", dst=f"::{_groups(DST)}") / upper.copy()
    built = IPFF(bytes(IPFF(**ENDS, reserved=0xFF, reserved2=0x3FFF) / upper))
    assert built.payload.chksum == IPv6(bytes(witness)).payload.chksum
    assert ipff_checksum_ok(built)


def _groups(number: int) -> str:
    return ":".join(f"{word:x}" for word in struct.unpack("!4H", number.to_bytes(8)))


def test_explicit_checksum_is_left_alone() -> None:
    built = IPFF(bytes(IPFF(**ENDS) / TCP(chksum=0xBEEF)))
    assert built[TCP].chksum == 0xBEEF
    assert not ipff_checksum_ok(built)


def test_udp_checksum_of_zero_is_sent_as_ones() -> None:
    plain = bytes(IPFF(**ENDS) / UDP(sport=0, dport=0, len=8))
    total = struct.unpack("!H", plain[30:32])[0]
    built = bytes(IPFF(**ENDS) / UDP(sport=total, dport=0, len=8))
    assert built[30:32] == b"\xff\xff"


def test_checksum_is_computed_again_after_an_edit_above_an_untouched_header() -> None:
    packet = IPFF(bytes(IPFF(**ENDS) / TCP(dport=80) / b"data"))
    packet[TCP].dport = 81
    assert not ipff_checksum_ok(packet)
    del packet[TCP].chksum
    assert ipff_checksum_ok(IPFF(bytes(packet)))


def test_checksum_follows_an_address_put_in_raw() -> None:
    raw = bytes(IPFF(protocol=RawVal(b""), src=RawVal((6 << 50 | SRC).to_bytes(8)), dst=ENDS["dst"]) / TCP())
    assert ipff_checksum_ok(IPFF(raw))


@pytest.mark.parametrize("upper", [TCP() / b"data", UDP() / b"data", ICMPv5EchoRequest() / b"data", ICMPv5Redirect()])
def test_any_damage_above_the_header_shows_in_the_checksum(upper: Packet) -> None:
    whole = bytes(IPFF(**ENDS) / upper)
    for at in range(24, len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        packet = IPFF(bytes(damaged))
        if not isinstance(packet.payload, Raw):
            assert not ipff_checksum_ok(packet), f"byte {at}"


def test_checksum_of_an_unknown_protocol_is_no_answer() -> None:
    with pytest.raises(ValueError, match="Raw above IPFF has no checksum"):
        ipff_checksum_ok(IPFF(bytes(IPFF(protocol=99) / b"data")))


def test_bytes_after_payload_length_are_padding() -> None:
    frame = Ether(bytes(Ether(dst=MAC) / IPFF(**ENDS) / ICMPv5EchoRequest() / b"ping") + bytes(8))
    assert frame[Padding].load == bytes(8)
    assert frame[Raw].load == b"ping"
    assert ipff_checksum_ok(frame)


@pytest.mark.parametrize(
    ("payload", "protocol"), [(TCP(), 6), (UDP(), 17), (ICMPv5EchoRequest(), 1), (ICMPv5Redirect(), 1)]
)
def test_protocol_number_follows_the_payload_and_leads_back(payload: Packet, protocol: int) -> None:
    packet = IPFF(bytes(IPFF() / payload))
    assert packet.protocol == protocol
    assert type(packet.payload) is type(payload)


@pytest.fixture
def rebound() -> Iterator[None]:
    yield
    ipff.bind_ethertype(ipff.DEFAULT_ETHERTYPE)
    ipff.bind_icmpv5_protocol(ipff.DEFAULT_ICMPV5_PROTOCOL)
    ipff.bind_ipv4_protocol(ipff.DEFAULT_IPV4_PROTOCOL)


@pytest.mark.usefixtures("rebound")
@pytest.mark.parametrize(
    ("bind", "carrier", "field", "before", "after", "upper"),
    [
        (ipff.bind_ethertype, Ether(dst=MAC), "type", 0x88B5, 0x88B6, IPFF),
        (ipff.bind_icmpv5_protocol, IPFF(), "protocol", 1, 58, ICMPv5Redirect),
        (ipff.bind_ipv4_protocol, IP(dst="198.18.0.1"), "proto", 254, 200, ICMPv5Redirect),
    ],
)
def test_a_number_can_be_bound_anew(
    bind: Callable[[int], None], carrier: Packet, field: str, before: int, after: int, upper: type[Packet]
) -> None:
    dissect = type(carrier)
    old = bytes(carrier / upper())
    assert getattr(dissect(old), field) == before
    bind(after)
    packet = dissect(bytes(carrier / upper()))
    assert getattr(packet, field) == after
    assert type(packet.payload) is upper
    assert isinstance(dissect(old).payload, Raw)


def test_a_later_fragment_is_no_message() -> None:
    fragment = IP(bytes(IP(dst="198.18.0.1", proto=254, frag=3) / bytes(ICMPv5Redirect())))
    assert isinstance(fragment.payload, Raw)


def test_echo_reply_answers_its_request_only() -> None:
    request = IPFF(**ENDS) / ICMPv5EchoRequest() / b"ping"
    back = IPFF(src=ENDS["dst"], dst=ENDS["src"])
    reply = back / ICMPv5EchoReply() / b"ping"
    assert reply.answers(request)
    assert reply.hashret() == request.hashret()
    assert not request.answers(reply)
    assert not (back / ICMPv5EchoReply() / b"pong").answers(request)
    assert not (IPFF(**ENDS) / ICMPv5EchoReply() / b"ping").answers(request)
    assert not (back / TCP()).answers(request)


def test_tcp_segment_answers_over_ipff() -> None:
    syn = IPFF(**ENDS) / TCP(sport=1027, dport=80, flags="S", seq=7)
    syn_ack = IPFF(src=ENDS["dst"], dst=ENDS["src"]) / TCP(sport=80, dport=1027, flags="SA", ack=8)
    assert syn_ack.answers(syn)
    assert syn_ack.hashret() == syn.hashret()
