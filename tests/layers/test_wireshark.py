# SPDX-License-Identifier: GPL-2.0-or-later
"""Wireshark's reading of every message beside that of the layers, field by field."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from scapy.fields import ConditionalField
from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from layers import icmpv5, ipff, samples
from layers.binding import bind_defaults
from layers.fields import TableField
from layers.icmpv5 import ICMPv5, ICMPv5EchoRequest
from layers.ipff import UDPv5
from layers.packet import ChecksummedPacket
from layers.tcp_options import recognised
from tests.layers import wireshark
from tests.layers.vectors import FILTERS
from tests.layers.wireshark import Reading, decode, shown

# What Wireshark computes and the layers have as a method.
RIGHT = (["1"], ["True"])
"""How Wireshark 4.0 and 4.4 word that something is right."""

GENERATED = ("checksum_ok", "public_key")

pytestmark = wireshark.needed


@pytest.fixture(scope="module")
def frames() -> dict[str, Packet]:
    return {name: Ether(bytes(frame)) for name, frame in samples.frames().items()}


@pytest.fixture(scope="module")
def decoded(frames: dict[str, Packet], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    path = tmp_path_factory.mktemp("wireshark") / "all.pcap"
    return decode(frames, path, "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE")


def ours(packet: Packet) -> dict[str, list[Any]]:
    """The reading of the layers, under Wireshark's names."""
    messages = [layer for layer in packet.iterpayloads() if isinstance(layer, (ICMPv5, *FILTERS))]
    if TCP in packet:
        messages += recognised(packet)
    reading: dict[str, list[Any]] = {}
    for message in messages:
        prefix = FILTERS.get(type(message), "icmpv5")
        for field in message.fields_desc:
            value = getattr(message, field.name)
            if isinstance(field, TableField):
                for column, name in enumerate(field.columns):
                    reading[f"{prefix}.{name}"] = [row[column] for row in value]
            elif isinstance(field, ConditionalField) or field.addfield(message, b"", field.any2i(message, value)):
                reading[f"{prefix}.{field.name}"] = value if isinstance(value, list) else [value]
    return {name: values for name, values in reading.items() if values not in ([], [b""])}


def theirs(reading: Reading, name: str, like: list[Any]) -> list[Any]:
    fields = reading.get(name, [])
    if isinstance(like[0], bytes):
        return [bytes.fromhex(field.get("value")) for field in fields]
    if isinstance(like[0], int):
        return [int(field.get("show"), 0) for field in fields]
    return shown(reading, name)


@pytest.mark.parametrize("name", samples.frames())
def test_every_field_agrees(name: str, frames: dict[str, Packet], decoded: dict[str, Reading]) -> None:
    expected = ours(frames[name])
    assert {key: theirs(decoded[name], key, values) for key, values in expected.items()} == expected


@pytest.mark.parametrize("name", samples.frames())
def test_wireshark_sees_no_field_that_the_layers_do_not(
    name: str, frames: dict[str, Packet], decoded: dict[str, Reading]
) -> None:
    prefixes = (*(f"{prefix}." for prefix in FILTERS.values()), "icmpv5.")
    seen = {field for field in decoded[name] if field.startswith(prefixes) and not field.endswith(GENERATED)}
    assert seen == set(ours(frames[name]))


def checksum_fields(packet: Packet) -> list[str]:
    """Where Wireshark says what it thinks of the checksum of the message."""
    carriers = {TCP: "tcp.checksum.status", UDP: "udp.checksum.status", ICMPv5: "icmpv5.checksum_ok"}
    carriers[UDPv5] = "udpv5.checksum_ok"
    carriers |= {cls: f"{FILTERS[cls]}.checksum_ok" for cls in FILTERS if issubclass(cls, ChecksummedPacket)}
    layers = list(packet.iterpayloads())
    return [
        name
        for cls, name in carriers.items()
        if any(isinstance(layer, cls) for layer in layers) and (cls is ICMPv5 or not issubclass(cls, ICMPv5))
    ]


@pytest.mark.parametrize("name", samples.frames())
def test_wireshark_finds_every_checksum_right(
    name: str, frames: dict[str, Packet], decoded: dict[str, Reading]
) -> None:
    """Over IPFF too, where Wireshark's TCP and UDP compute theirs from a stand-in address. Some messages have none."""
    for verdict in checksum_fields(frames[name]):
        assert shown(decoded[name], verdict) in RIGHT


def test_messages_of_every_kind_have_their_checksum_verified(frames: dict[str, Packet]) -> None:
    kinds = {field for packet in frames.values() for field in checksum_fields(packet)}
    assert {"tcp.checksum.status", "udp.checksum.status", "udpv5.checksum_ok", "icmpv5.checksum_ok"} <= kinds


def test_wireshark_finds_a_wrong_checksum(tmp_path: Path) -> None:
    wrong = {
        "icmpv5.checksum_ok": samples.ipff(ICMPv5EchoRequest(checksum=1)),
        "tcp.checksum.status": samples.ipff(TCP(chksum=1)),
        "udpv5.checksum_ok": samples.ipff(UDPv5(chksum=1)),
    }
    decoded = decode(wrong, tmp_path / "wrong.pcap", "tcp.check_checksum:TRUE")
    assert [shown(decoded[name], name) for name in wrong] == [["0"], ["0"], ["0"]]


READINGS = [
    ("24-byte", "plain", 1, "rfc768"),
    ("24-byte", "pseudo-header", 1, "v5"),
    ("draft-00", "pseudo-header", 58, "rfc768"),
    ("draft-00", "plain", 1, "v5"),
]


@pytest.mark.parametrize(("header", "checksum", "protocol", "udp"), READINGS)
def test_readings_follow_a_profile(tmp_path: Path, header: str, checksum: str, protocol: int, udp: str) -> None:
    """The header of another reading has fields of its own, and every checksum is right with the same preferences."""
    ipff.bind_header(header)
    ipff.bind_udp(udp)
    icmpv5.bind_checksum(checksum)
    icmpv5.bind_pseudo_protocol(protocol)
    try:
        carrier, datagram = ipff.HEADERS[header](src=samples.NODE, dst=samples.SERVER), ipff.DATAGRAMS[udp]
        uppers = {
            "icmpv5.checksum_ok": ICMPv5EchoRequest() / b"odd",
            "tcp.checksum.status": TCP(sport=1, dport=2) / b"odd",
            "udpv5.checksum_ok" if udp == "v5" else "udp.checksum.status": datagram(sport=1, dport=2) / b"odd",
        }
        frames = {name: Ether(bytes(Ether(**samples.MACS) / carrier / upper)) for name, upper in uppers.items()}
    finally:
        bind_defaults()
    preferences = (f"ipff.header:{header}", f"ipff.udp:{udp}", f"icmpv5.checksum:{checksum}")
    checks = ("tcp.check_checksum:TRUE", "udp.check_checksum:TRUE", f"icmpv5.pseudo_protocol:{protocol}")
    decoded = decode(frames, tmp_path / "readings.pcap", *preferences, *checks)
    prefix = "ipff24" if header == "24-byte" else "ipff"
    for name, frame in frames.items():
        assert shown(decoded[name], name) == ["1"]
        for field in carrier.fields_desc:
            value = getattr(frame.payload, field.name)
            assert theirs(decoded[name], f"{prefix}.{field.name}", [value]) == [value]


def test_preferences_follow_a_profile(tmp_path: Path) -> None:
    frames = {"ethertype": samples.frames()["echo-request"], "ipv4": samples.frames()["echo-ipv4"]}
    frames["ethertype"].type = 0x9999
    frames["ipv4"]["IP"].proto = 200
    decoded = decode(frames, tmp_path / "own.pcap", "ipff.ethertype:39321", "icmpv5.ipv4:200")
    for name in frames:
        assert shown(decoded[name], "icmpv5.type") == ["128"]


def test_truncated_messages_raise_no_error_in_lua(tmp_path: Path) -> None:
    frames = {}
    for name, frame in samples.frames().items():
        whole = bytes(frame)
        frames |= {f"{name}-{length}": Raw(whole[:length]) for length in range(15, len(whole), 3)}
    assert len(decode(frames, tmp_path / "cut.pcap")) == len(frames) > 500


def test_script_finds_its_neighbours_from_its_own_folder(tmp_path: Path) -> None:
    """Named without a folder, as from a shell that stands there."""
    decode({"echo": samples.frames()["echo-request"]}, tmp_path / "echo.pcap")
    command = ["tshark", "-X", "lua_script:roamproof.lua", "-r", str(tmp_path / "echo.pcap")]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=wireshark.SCRIPT.parent)
    assert "ICMPv5" in run.stdout
    assert "Lua" not in run.stderr
