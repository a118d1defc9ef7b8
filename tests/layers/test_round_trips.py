# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes in comes out again, whatever it is."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scapy.fields import FieldListField
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet

from layers.fields import FixedBytesField, IPFFAddressField, IPv4AddressField, TableField, UIntField, address_to_int
from layers.fields import address_to_str as dotted
from layers.icmpv5 import ICMPv5
from layers.ipff import HEADERS, IPFF, ipff_checksum_ok
from layers.tcp_options import ROOM, get_option, option_area, put_option, registered, walk_options
from tests.layers.vectors import VALUES, VECTORS

ADDRESSES = st.integers(0, (1 << 50) - 1).map(dotted)
IPV4 = st.ip_addresses(v=4).map(str)
MESSAGES = list({vector.cls: None for vector in VECTORS})
COMPUTED = {"checksum", "chksum", "count", "payload_length", "kind", "length", "exid"}


def values(field: Any) -> st.SearchStrategy[Any]:
    match field:
        case TableField():
            columns = (st.integers(0, (1 << 32 if code == "I" else 1 << 16) - 1) for code in field.columns.values())
            return st.lists(st.tuples(*columns), max_size=40)
        case IPFFAddressField():
            return ADDRESSES
        case IPv4AddressField():
            return IPV4
        case FixedBytesField():
            return st.binary(min_size=field.length, max_size=field.length)
        case UIntField():
            return st.integers(0, field.top)
        case FieldListField():
            return st.lists(values(field.field), max_size=255)
    return VALUES[type(field)]


def fields_of(cls: type[Packet]) -> st.SearchStrategy[dict[str, Any]]:
    """Values for all fields but those that are computed or that make the message what it is."""
    left_out = COMPUTED | ({"type"} if issubclass(cls, ICMPv5) else set())
    fields = [field for field in cls.fields_desc if field.name not in left_out]
    # A number without a default is taken from the field that it counts or describes.
    given = [field for field in fields if not (isinstance(field, UIntField) and field.default is None)]
    return st.fixed_dictionaries({field.name: values(field) for field in given})


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_fields_come_back(cls: type[Packet], data: st.DataObject) -> None:
    fields = data.draw(fields_of(cls))
    wire = bytes(cls(**fields))
    packet = cls(wire)
    assert {name: getattr(packet, name) for name in fields} == fields
    packet.clear_cache()
    assert bytes(packet) == wire
    if "checksum" in packet.fields:
        assert packet.checksum_ok()


@given(wire=st.binary(min_size=4, max_size=200), carrier=st.sampled_from([IPFF(), IP(dst="198.18.0.1")]))
def test_any_bytes_of_icmpv5_come_back(wire: bytes, carrier: Packet) -> None:
    packet = type(carrier)(bytes(carrier / ICMPv5(wire)))
    assert bytes(packet.payload) == wire
    packet.payload.clear_cache()
    assert bytes(packet.payload) == wire


@given(number=st.integers(0, (1 << 50) - 1))
def test_address_comes_back(number: int) -> None:
    parts = tuple(map(int, dotted(number).split(".")))
    assert address_to_int(dotted(number)) == address_to_int(parts) == number


@given(area=st.binary(max_size=60))
def test_walk_loses_no_byte(area: bytes) -> None:
    options = list(walk_options(area))
    assert b"".join(option.raw for option in options) == area
    assert all(not option.fault for option in options[:-1])


@given(chosen=st.lists(st.sampled_from(registered()), max_size=2, unique=True), data=st.data())
def test_options_put_are_the_options_got(chosen: list[Any], data: st.DataObject) -> None:
    options = [cls(**data.draw(fields_of(cls))) for cls in chosen]
    assume(sum(len(option) for option in options) <= ROOM)
    packet = TCP()
    for option in options:
        packet = put_option(packet, option)
    read = TCP(bytes(packet))
    for option in options:
        assert bytes(get_option(read, type(option))) == bytes(option)
    assert option_area(read) == option_area(packet)


@given(area=st.binary(max_size=20), option=st.sampled_from([cls() for cls in registered()]))
def test_put_option_leaves_other_bytes_alone(area: bytes, option: Packet) -> None:
    segment = TCP(bytes(TCP()[TCP])[:12] + bytes([(5 + len(area) // 4) << 4]) + bytes(7) + area[: len(area) // 4 * 4])
    before = [raw.raw for raw in walk_options(option_area(segment)) if raw.kind]
    after = [raw.raw for raw in walk_options(option_area(put_option(segment, option))) if raw.kind]
    assert bytes(option) in after
    if get_option(segment, type(option)) is None:
        after.remove(bytes(option))
        assert [kept.rstrip(b"\0") for kept in after] == [kept.rstrip(b"\0") for kept in before]


@given(
    header=st.sampled_from(list(HEADERS.values())),
    src=ADDRESSES,
    dst=ADDRESSES,
    data=st.binary(max_size=100),
    reserved=st.integers(0, 255),
)
def test_checksum_over_ipff_is_right_whatever_is_carried(
    header: type[IPFF], src: str, dst: str, data: bytes, reserved: int
) -> None:
    assert ipff_checksum_ok(header(bytes(header(src=src, dst=dst, reserved=reserved) / TCP() / data)))
