# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP options: the walker, get and put, and what is registered."""

import pytest
from scapy.fields import ConditionalField, RawVal
from scapy.layers.inet import IP, TCP

from layers import tcp_options
from layers.fields import HexField, UIntField
from layers.tcp_options import (
    TCPOption,
    TimestampOption,
    get_option,
    option_area,
    put_option,
    recognised,
    register,
    registered,
    walk_options,
)

SYN = TCP(sport=1027, dport=80, flags="S", options=[("MSS", 1460), ("NOP", None), ("WScale", 7)])


class Numbered(TCPOption):
    """An option of 16 bytes that takes a whole kind."""

    name = "Numbered"
    fields_desc = [
        UIntField("kind", 253, 8),
        UIntField("length", 16, 8),
        UIntField("control", 1, 16),
        HexField("nonce", 0, 32),
        HexField("rest", 0, 64),
    ]


class Experiment(TCPOption):
    """An option after RFC 6994; with length 2 without ExID."""

    name = "Experiment"
    fields_desc = [
        UIntField("kind", 254, 8),
        UIntField("length", 4, 8),
        ConditionalField(HexField("exid", 0x4D4F, 16), lambda option: option.length != 2),
    ]

    def identity(self) -> tuple[int, ...]:
        return (self.kind,) if self.length == 2 else (self.kind, self.exid)


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        ("", []),
        ("01", [(0, 1, "01", "")]),
        ("020405b4 01 fd02", [(0, 2, "020405b4", ""), (4, 1, "01", ""), (5, 253, "fd02", "")]),
        ("01 00 dead", [(0, 1, "01", ""), (1, 0, "00dead", "")]),
        ("fd", [(0, 253, "fd", "length missing")]),
        ("01 fd00 01", [(0, 1, "01", ""), (1, 253, "fd0001", "length 0 of option 253, with 3 bytes left")]),
        ("fd01", [(0, 253, "fd01", "length 1 of option 253, with 2 bytes left")]),
        ("fd05 0000", [(0, 253, "fd050000", "length 5 of option 253, with 4 bytes left")]),
    ],
)
def test_walk_tells_every_option_and_names_what_is_wrong(area: str, expected: list[tuple[int, int, str, str]]) -> None:
    walked = [(raw.offset, raw.kind, raw.raw.hex(), raw.fault) for raw in walk_options(bytes.fromhex(area))]
    assert walked == expected


def test_put_option_keeps_the_others_and_pads() -> None:
    packet = put_option(SYN, Experiment())
    assert option_area(packet).hex() == "020405b4 01 030307 fe044d4f".replace(" ", "")
    assert packet.options == [*SYN.options, (254, b"MO")]
    assert TCP(bytes(packet)).dataofs == 8
    assert SYN.options == [("MSS", 1460), ("NOP", None), ("WScale", 7)]


def test_put_option_replaces_its_like_in_place() -> None:
    packet = put_option(put_option(TCP(), Numbered(nonce=1)), Experiment())
    changed = put_option(packet, Numbered(nonce=2))
    assert get_option(changed, Numbered).nonce == 2
    assert [raw.kind for raw in walk_options(option_area(changed))] == [253, 254]


def test_put_option_with_a_wrong_length_goes_on_the_wire_as_it_is() -> None:
    for length in (0, 1, 3, 15, 17, 255):
        packet = put_option(SYN, Numbered(length=length))
        header = bytes(packet)
        assert header[12] >> 4 == len(header) // 4 == 11
        assert header[28:30] == bytes([253, length])


def test_option_goes_ahead_of_what_cannot_be_read() -> None:
    broken = TCP(dataofs=6, options=RawVal(b"\xfd\x09\x00\x00"))
    packet = put_option(broken, Experiment())
    assert get_option(packet, Experiment)
    assert option_area(packet) == b"\xfe\x04MO\xfd\x09\x00\x00"


def test_options_beyond_forty_bytes_are_refused() -> None:
    packet = put_option(put_option(SYN, Numbered()), TimestampOption(length=12) / b"xy")
    with pytest.raises(ValueError, match="field options: 56 bytes, where a TCP header has room for 40"):
        put_option(packet, Experiment(length=20) / bytes(16))


def test_option_area_ends_where_the_header_says() -> None:
    packet = put_option(TCP(), Experiment())
    packet.dataofs = 5
    assert option_area(packet) == b""
    assert get_option(packet, Experiment) is None


def test_options_survive_a_segment_read_from_the_wire() -> None:
    segment = IP(bytes(IP(dst="198.18.0.1") / put_option(SYN, Numbered(control=16)) / b"data"))
    changed = put_option(segment, Experiment())
    del changed[TCP].chksum, changed.len, changed.chksum
    again = IP(bytes(changed))
    assert get_option(again, Numbered).control == 16
    assert get_option(again, Experiment)
    assert again.load == b"data"


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_options, "_registered", [])


class NumberedExperiment(Experiment):
    """An experiment of the kind that another option takes as a whole."""

    name = "Numbered experiment"
    fields_desc = [UIntField("kind", 253, 8), *Experiment.fields_desc[1:]]


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_options_are_recognised_by_kind_and_then_by_exid_in_whatever_order_they_register(
    order: tuple[int, ...],
) -> None:
    classes = (NumberedExperiment, Numbered, Experiment)
    for place in order:
        register(classes[place])
    assert registered() == classes
    area = bytes(Experiment()) + bytes(NumberedExperiment(length=16) / bytes(12)) + bytes(Numbered())
    segment = TCP(bytes(put_option(TCP(), Numbered()))[:20] + area)
    segment.dataofs = (20 + len(area)) // 4
    segment.options = RawVal(area)
    assert [type(option) for option in recognised(segment)] == [Experiment, NumberedExperiment, Numbered]


@pytest.mark.usefixtures("own_registry")
def test_two_options_cannot_be_the_same() -> None:
    class Twin(Numbered):
        name = "Twin"

    register(Numbered)
    with pytest.raises(ValueError, match=r"Twin and Numbered are the same option \(253,\)"):
        register(Twin)


def test_every_option_of_a_protocol_is_registered() -> None:
    ours = {cls for cls in TCPOption.__subclasses__() if cls.__module__.startswith("layers.")}
    assert ours - {TimestampOption} == set(registered())
