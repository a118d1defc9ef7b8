# SPDX-License-Identifier: GPL-2.0-or-later
"""IPFF in every reading: bytes by struct alone, checksums of what is above, bindings, padding, answers."""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Padding, Raw

from layers import icmpv5, ipff
from layers.binding import bind_defaults
from layers.icmpv5 import ICMPv5EchoReply, ICMPv5EchoRequest, ICMPv5Redirect
from layers.ipff import HEADERS, IPFF, IPFF24, UDPv5, ipff_checksum_ok
from layers.mops import MOPSMigrate
from tests.lab.ipff import DRAFT, EARLIER, Ipff, internet_checksum, number

ENDS = {"src": "525.8.78.3.9", "dst": "8.8.8.8.8"}
MAC = "02:00:00:00:00:01"
SRC, DST = number(ENDS["src"]), number(ENDS["dst"])
READINGS = {
    "draft": DRAFT,
    "protocol 58 in the pseudo-header": Ipff(icmp=58),
    "plain checksum": Ipff(icmp=None),
    "UDP with Length": Ipff(udp="rfc768"),
    "24 bytes with pseudo-header": Ipff("24-byte", 1, "v5"),
    "all as earlier": EARLIER,
}
SEGMENT = struct.pack("!HHIIHHHH", 1027, 80, 1000, 0, 5 << 12 | 2, 8192, 0, 0)


def sealed(segment: bytes, at: int, pseudo_header: bytes) -> bytes:
    """A segment whose checksum, at this place, is that over the pseudo-header and itself."""
    return segment[:at] + struct.pack("!H", internet_checksum(pseudo_header + segment)) + segment[at + 2 :]


@pytest.fixture(params=READINGS.values(), ids=READINGS)
def reading(request: pytest.FixtureRequest) -> Iterator[Ipff]:
    """Every reading, with the layers bound to it."""
    chosen: Ipff = request.param
    ipff.bind_header(chosen.header)
    ipff.bind_udp(chosen.udp)
    icmpv5.bind_checksum("plain" if chosen.icmp is None else "pseudo-header")
    icmpv5.bind_pseudo_protocol(chosen.icmp or 1)
    yield chosen
    bind_defaults()


def built(reading: Ipff, upper: Packet) -> bytes:
    return bytes(HEADERS[reading.header](**ENDS) / upper)


def test_bytes_of_the_draft_written_out() -> None:
    """Nothing is computed here: Version 5, the address 525.8.78.3.9, Protocol 6, Hops to Live 64, Payload Length 4."""
    wire = "50020d0204e00c09 0018080200802008 40 00 0004 64617461"
    assert bytes(IPFF(**ENDS, protocol=6) / b"data") == bytes.fromhex(wire)
    assert IPFF.pseudo_header(SRC, DST, 6, 4) == bytes.fromhex("00020d0204e00c09 0018080200802008 0000 0004")


def test_tcp_segment(reading: Ipff) -> None:
    wire = sealed(SEGMENT, 16, reading.pseudo_header(SRC, DST, 6, len(SEGMENT)))
    segment = TCP(sport=1027, dport=80, seq=1000, flags="S", window=8192)
    assert built(reading, segment) == reading.packet(SRC, DST, 6, wire)


@pytest.mark.parametrize("data", [b"", b"odd", b"even"])
def test_udp_datagram(reading: Ipff, data: bytes) -> None:
    ports = struct.pack("!HH", 1027, 7)
    blank = ports + (bytes(2) if reading.udp == "v5" else struct.pack("!HH", 8 + len(data), 0)) + data
    at = 4 if reading.udp == "v5" else 6
    wire = sealed(blank, at, reading.pseudo_header(SRC, DST, 17, len(blank)))
    shape = UDPv5 if reading.udp == "v5" else UDP
    assert built(reading, shape(sport=1027, dport=7) / data) == reading.packet(SRC, DST, 17, wire)


def test_migrate(reading: Ipff) -> None:
    row = struct.pack("!HHI", 1027, 2098, 0x12345678)
    body = struct.pack("!HHBBHQQ", 100, 0, 1, 0, 0, 6 << 50 | SRC, 1 << 50 | SRC + 1) + row
    covered = b"" if reading.icmp is None else reading.pseudo_header(SRC, DST, reading.icmp, len(body))
    message = MOPSMigrate(
        previous_source=ENDS["src"], migrated_source="525.8.78.3.10", entries=[(1027, 2098, 0x12345678)]
    )
    assert built(reading, message) == reading.packet(SRC, DST, 1, sealed(body, 2, covered))


@pytest.mark.parametrize(
    "upper", [TCP() / b"data", ICMPv5EchoRequest() / b"data", ICMPv5Redirect(), MOPSMigrate(entries=[(1, 2, 3)])]
)
def test_any_damage_above_the_header_shows_in_the_checksum(reading: Ipff, upper: Packet) -> None:
    whole = built(reading, upper.copy())
    header = HEADERS[reading.header]
    assert ipff_checksum_ok(header(whole))
    for at in range(len(header()), len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        packet = header(bytes(damaged))
        if not isinstance(packet.payload, Raw):
            assert not ipff_checksum_ok(packet), f"byte {at}"


@pytest.mark.parametrize(("shape", "start"), [(UDPv5, 20), (UDP, 20)])
def test_any_damage_to_a_datagram_shows(shape: type[Packet], start: int) -> None:
    ipff.bind_udp("v5" if shape is UDPv5 else "rfc768")
    try:
        whole = bytes(IPFF(**ENDS) / shape() / b"data")
        for at in range(start, len(whole)):
            damaged = bytearray(whole)
            damaged[at] ^= 0x10
            assert not ipff_checksum_ok(IPFF(bytes(damaged))), f"byte {at}"
    finally:
        bind_defaults()


def test_misdelivered_message_has_a_wrong_checksum() -> None:
    """What the pseudo-header is for: another source, destination, or protocol than the sender's."""
    whole = bytes(IPFF(**ENDS) / ICMPv5EchoRequest() / b"ping")
    for at in (7, 15):
        moved = bytearray(whole)
        moved[at] ^= 1
        assert not ipff_checksum_ok(IPFF(bytes(moved)))


def test_reserved_version_hops_and_service_are_not_covered() -> None:
    packet = IPFF(bytes(IPFF(**ENDS, reserved=0x3FF, hops_to_live=1, type_of_service=0xFF) / ICMPv5EchoRequest()))
    assert ipff_checksum_ok(packet)
    assert packet.payload.checksum == IPFF(bytes(IPFF(**ENDS) / ICMPv5EchoRequest())).payload.checksum


def test_message_over_ipv4_has_no_pseudo_header() -> None:
    message = bytes(IP(src="198.18.0.9", dst="198.18.0.1") / ICMPv5EchoRequest() / b"ping")[20:]
    assert internet_checksum(message) == 0
    assert IP(bytes(IP() / ICMPv5EchoRequest())).payload.checksum_ok()


def test_explicit_checksum_is_left_alone() -> None:
    for upper, name in ((TCP(chksum=0xBEEF), "chksum"), (UDPv5(chksum=0xBEEF), "chksum")):
        packet = IPFF(bytes(IPFF(**ENDS) / upper))
        assert packet.payload.getfieldval(name) == 0xBEEF
        assert not ipff_checksum_ok(packet)


@pytest.mark.parametrize(("shape", "at"), [(UDPv5, 24), (UDP, 26)])
def test_udp_checksum_of_zero_is_sent_as_ones(shape: type[Packet], at: int) -> None:
    plain = bytes(IPFF(**ENDS) / shape(sport=0, dport=0))
    total = struct.unpack_from("!H", plain, at)[0]
    assert bytes(IPFF(**ENDS) / shape(sport=total, dport=0))[at : at + 2] == b"\xff\xff"


def test_checksum_is_computed_again_after_an_edit_above_an_untouched_header() -> None:
    packet = IPFF(bytes(IPFF(**ENDS) / TCP(dport=80) / b"data"))
    packet[TCP].dport = 81
    assert not ipff_checksum_ok(packet)
    del packet[TCP].chksum
    assert ipff_checksum_ok(IPFF(bytes(packet)))


def test_checksum_follows_an_address_put_in_raw() -> None:
    word = RawVal((5 << 60 | SRC).to_bytes(8))
    raw = bytes(IPFF(version=RawVal(b""), reserved=RawVal(b""), src=word, dst=ENDS["dst"]) / TCP())
    assert ipff_checksum_ok(IPFF(raw))


def test_checksum_of_an_unknown_protocol_is_no_answer() -> None:
    with pytest.raises(ValueError, match="Raw above IPFF has no checksum"):
        ipff_checksum_ok(IPFF(bytes(IPFF(protocol=99) / b"data")))


def test_fields_above_999_can_be_encoded() -> None:
    assert IPFF(bytes(IPFF(src="1000.999.0.1023.1", dst="1023.1023.1023.1023.1023"))).src == "1000.999.0.1023.1"


def test_bytes_after_payload_length_are_padding() -> None:
    frame = Ether(bytes(Ether(dst=MAC) / IPFF(**ENDS) / ICMPv5EchoRequest() / b"ping") + bytes(8))
    assert frame[Padding].load == bytes(8)
    assert frame[Raw].load == b"ping"
    assert ipff_checksum_ok(frame)


@pytest.mark.parametrize(
    ("payload", "protocol"), [(TCP(), 6), (UDPv5(), 17), (ICMPv5EchoRequest(), 1), (ICMPv5Redirect(), 1)]
)
@pytest.mark.parametrize("header", HEADERS.values())
def test_protocol_number_follows_the_payload_and_leads_back(header: type[IPFF], payload: Packet, protocol: int) -> None:
    packet = header(bytes(header() / payload.copy()))
    assert packet.protocol == protocol
    assert type(packet.payload) is type(payload)


@pytest.fixture
def rebound() -> Iterator[None]:
    yield
    bind_defaults()


@pytest.mark.usefixtures("rebound")
@pytest.mark.parametrize(
    ("bind", "carrier", "field", "before", "after", "upper"),
    [
        (ipff.bind_ethertype, Ether(dst=MAC), "type", 0x88B5, 0x88B6, IPFF),
        (icmpv5.bind_icmpv5_protocol, IPFF(), "protocol", 1, 58, ICMPv5Redirect),
        (icmpv5.bind_ipv4_protocol, IP(dst="198.18.0.1"), "proto", 254, 200, ICMPv5Redirect),
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


@pytest.mark.usefixtures("rebound")
@pytest.mark.parametrize(
    ("bind", "reading", "layers"),
    [(ipff.bind_header, "24-byte", (IPFF24, UDPv5)), (ipff.bind_udp, "rfc768", (IPFF, UDP))],
)
def test_a_reading_can_be_bound(bind: Callable[[Any], None], reading: str, layers: tuple[type[Packet], ...]) -> None:
    bind(reading)
    header, datagram = layers
    packet = Ether(bytes(Ether(dst=MAC) / header(**ENDS) / datagram(sport=1027, dport=7) / b"data"))
    assert [type(layer) for layer in packet.iterpayloads()] == [Ether, header, datagram, Raw]
    assert packet.type == 0x88B5


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


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (TCP(sport=1027, dport=80, flags="S", seq=7), TCP(sport=80, dport=1027, flags="SA", ack=8)),
        (UDPv5(sport=1027, dport=80), UDPv5(sport=80, dport=1027)),
    ],
)
def test_a_segment_answers_over_ipff(there: Packet, back: Packet) -> None:
    request = IPFF(**ENDS) / there
    reply = IPFF(src=ENDS["dst"], dst=ENDS["src"]) / back
    assert reply.answers(request)
    assert reply.hashret() == request.hashret()
    assert not request.answers(request)
