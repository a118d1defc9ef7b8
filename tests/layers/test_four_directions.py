# SPDX-License-Identifier: GPL-2.0-or-later
"""Every message: fields to bytes, bytes to fields, bytes to bytes, and bytes that are damaged or reserved."""

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import pytest
from scapy.fields import ConditionalField
from scapy.layers.inet import IP
from scapy.packet import Packet, Raw

import layers
from layers.fields import UIntField
from layers.icmpv5 import ICMPv5
from layers.ipff import IPFF
from layers.packet import ChecksummedPacket, TolerantPacket
from layers.tcp_options import TCPOption
from tests.layers.vector import Vector
from tests.layers.vectors import VECTORS

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector.cls.__name__}-{len(vector.data)}")


ABSTRACT = {TolerantPacket, ChecksummedPacket, TCPOption}


def rebuilt(packet: Packet) -> bytes:
    packet.clear_cache()
    return bytes(packet)


def seen(packet: Packet) -> dict[str, Any]:
    return {field.name: getattr(packet, field.name) for field in packet.fields_desc}


def message_classes() -> list[type[Packet]]:
    found: set[type[Packet]] = set()
    for module in pkgutil.walk_packages(layers.__path__, "layers."):
        if not module.name.endswith("__main__"):
            members = inspect.getmembers(import_module(module.name), inspect.isclass)
            found |= {cls for _, cls in members if issubclass(cls, TolerantPacket) and not cls.__name__.startswith("_")}
    return sorted(found - ABSTRACT, key=lambda cls: cls.__name__)


def test_every_message_has_a_vector() -> None:
    assert set(message_classes()) == {vector.cls for vector in VECTORS}


@each_vector
def test_fields_build_the_bytes(vector: Vector) -> None:
    assert bytes(vector.cls(**vector.given)).hex() == vector.data.hex()


@each_vector
def test_bytes_dissect_to_the_fields(vector: Vector) -> None:
    assert seen(vector.cls(vector.data)) == {**vector.given, **vector.computed}


@each_vector
def test_dissected_message_rebuilds_without_cache(vector: Vector) -> None:
    assert rebuilt(vector.cls(vector.data)).hex() == vector.data.hex()


@each_vector
def test_fields_as_dissected_build_the_bytes_again(vector: Vector) -> None:
    assert bytes(vector.cls(**seen(vector.cls(vector.data)))).hex() == vector.data.hex()


@each_vector
def test_any_single_bit_survives_dissection_and_rebuild(vector: Vector) -> None:
    for bit in range(len(vector.data) * 8):
        flipped = bytearray(vector.data)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        assert rebuilt(vector.cls(bytes(flipped))).hex() == flipped.hex(), f"bit {bit}"


@each_vector
def test_each_bit_of_a_number_goes_where_only_it_belongs(vector: Vector) -> None:
    """Reserved bits above all: each can be set, lands on the wire once, and moves no other."""
    packet = vector.cls(vector.data)
    fields = vector.cls.fields_desc
    numbers = [field for field in fields if isinstance(field, UIntField) and field.name not in vector.shaping]
    used = 0
    for field in numbers:
        kept = {name: value for name, value in seen(packet).items() if name != field.name}
        plain = int.from_bytes(bytes(vector.cls(**kept, **{field.name: 0})))
        for bit in range(field.size):
            changed = int.from_bytes(bytes(vector.cls(**kept, **{field.name: 1 << bit}))) ^ plain
            assert changed.bit_count() == 1, f"{field.name} bit {bit}"
            assert not used & changed, f"{field.name} bit {bit} is another's"
            used |= changed


@each_vector
def test_every_truncation_is_bytes_kept_and_no_exception(vector: Vector) -> None:
    for length in range(1, len(vector.data)):
        cut = vector.data[:length]
        packet = vector.cls(cut)
        assert isinstance(packet, vector.cls | Raw)
        assert rebuilt(packet).hex() == cut.hex()
        assert packet.summary()
        if length < vector.cls.needs(cut):
            assert type(packet) is Raw


@each_vector
def test_trailing_bytes_are_the_payload(vector: Vector) -> None:
    packet = vector.cls(vector.data + b"trailing")
    assert packet.lastlayer().load == b"trailing"
    assert rebuilt(packet) == vector.data + b"trailing"


@pytest.mark.parametrize("carrier", [IPFF, IP])
def test_truncation_inside_a_carrier_never_raises(carrier: type[Packet]) -> None:
    for vector in VECTORS:
        if issubclass(vector.cls, ChecksummedPacket):
            whole = bytes(carrier() / vector.cls(vector.data))
            for length in range(carrier.minimum if carrier is IPFF else 20, len(whole)):
                assert bytes(carrier(whole[:length])) == whole[:length]


@each_vector
def test_summary_is_one_printable_line(vector: Vector) -> None:
    assert vector.cls(vector.data).summary().isprintable()


@pytest.mark.parametrize("cls", message_classes(), ids=lambda cls: cls.__name__)
def test_no_field_hides_behind_an_attribute_of_scapy(cls: type[Packet]) -> None:
    assert not [field.name for field in cls.fields_desc if hasattr(Packet, field.name) or field.name in dir(cls)]


@pytest.mark.parametrize("cls", message_classes(), ids=lambda cls: cls.__name__)
def test_house_style(cls: type[Packet]) -> None:
    assert cls.__doc__
    assert cls._name
    for field in cls.fields_desc:
        inner = field.fld if isinstance(field, ConditionalField) else field
        assert inner.name.islower()


@each_vector
def test_copy_is_equal_and_apart(vector: Vector) -> None:
    packet = vector.cls(vector.data)
    twin = packet.copy()
    assert twin == packet
    first = vector.cls.fields_desc[0].name
    setattr(twin, first, 1)
    twin.clear_cache()
    assert bytes(packet) == vector.data


def test_unknown_icmpv5_type_stays_generic() -> None:
    packet = ICMPv5(bytes.fromhex("0007 1234 abcd"))
    assert type(packet) is ICMPv5
    assert (packet.type, packet.checksum, packet.load) == (7, 0x1234, b"\xab\xcd")
