# SPDX-License-Identifier: GPL-2.0-or-later
"""Wireshark's reading of every message beside that of the layers, field by field."""

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from layers import samples
from layers.describe import OPTIONS
from layers.fields import TableField
from layers.ipff import IPFF, ICMPv5
from layers.migrate import MigrateOption, MigratePermittedOption, permitted_key
from layers.mops import MOPSAnycastAck, MOPSMigrate, MOPSNATAck
from layers.msocks import (
    MSOCKSReconnect,
    MSOCKSReconnectReply,
    Socks5Greeting,
    Socks5Reply,
    Socks5Request,
    Socks5Selection,
)
from layers.rehash import RehashOption
from layers.sacip import NETWORK, SACIP
from layers.tcp_options import MobileCapableOption, get_option

SCRIPT = Path(__file__).parents[2] / "layers/wireshark/roamproof.lua"
PREFIXES = {
    IPFF: "ipff",
    MOPSMigrate: "mops.migrate",
    MOPSAnycastAck: "mops.anycast",
    MOPSNATAck: "mops.nat",
    MobileCapableOption: "mobile_capable",
    RehashOption: "rehash",
    MigratePermittedOption: "permitted",
    MigrateOption: "migrate",
    Socks5Greeting: "msocks.greeting",
    Socks5Selection: "msocks.selection",
    Socks5Request: "msocks.request",
    Socks5Reply: "msocks.reply",
    MSOCKSReconnect: "msocks.reconnect",
    MSOCKSReconnectReply: "msocks.reconnect_reply",
    SACIP: "sacip",
}
ETHERNET = 1  # link type
Reading = dict[str, list[Any]]

pytestmark = pytest.mark.skipif(
    shutil.which("tshark") is None, reason="tshark is not installed (Debian: apt-get install tshark)"
)


@pytest.fixture(scope="module")
def frames() -> dict[str, Packet]:
    return {name: Ether(bytes(frame)) for name, frame in samples.frames().items()}


def decode(frames: dict[str, Packet], path: Path, *preferences: str) -> dict[str, Reading]:
    wrpcap(str(path), list(frames.values()), linktype=ETHERNET)
    options = [word for preference in preferences for word in ("-o", preference)]
    run = subprocess.run(
        ["tshark", "-n", "-X", f"lua_script:{SCRIPT}", *options, "-r", str(path), "-T", "pdml"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Lua Error" not in run.stderr + run.stdout
    packets = ElementTree.fromstring(run.stdout).findall("packet")
    return dict(zip(frames, map(_fields, packets), strict=True))


def _fields(packet: ElementTree.Element) -> Reading:
    reading: Reading = defaultdict(list)
    for field in packet.iter("field"):
        reading[field.get("name", "")].append(field)
    return reading


@pytest.fixture(scope="module")
def decoded(frames: dict[str, Packet], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    path = tmp_path_factory.mktemp("wireshark") / "all.pcap"
    return decode(frames, path, "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE", "mobility_options.kind:254")


def ours(packet: Packet) -> Reading:
    """The reading of the layers, under Wireshark's names."""
    messages = [layer for layer in packet.iterpayloads() if isinstance(layer, (ICMPv5, *PREFIXES))]
    if TCP in packet:
        messages += [option for cls in OPTIONS if (option := get_option(packet, cls))]
    reading: Reading = {}
    for message in messages:
        prefix = PREFIXES.get(type(message), "icmpv5")
        for field in message.fields_desc:
            value = getattr(message, field.name)
            if isinstance(field, TableField):
                for column, name in enumerate(field.columns):
                    reading[f"{prefix}.{name}"] = [row[column] for row in value]
            elif field.name != "byte_order":
                reading[f"{prefix}.{field.name}"] = value if isinstance(value, list) else [value]
    return {name: values for name, values in reading.items() if values not in ([], [b""])}


def theirs(reading: Reading, name: str, like: list[Any]) -> list[Any]:
    fields = reading.get(name, [])
    if isinstance(like[0], bytes):
        return [bytes.fromhex(field.get("value")) for field in fields]
    if isinstance(like[0], int):
        return [int(field.get("show"), 0) for field in fields]
    return [field.get("show") for field in fields]


@pytest.mark.parametrize("name", samples.frames())
def test_every_field_agrees(name: str, frames: dict[str, Packet], decoded: dict[str, Reading]) -> None:
    expected = ours(frames[name])
    assert {key: theirs(decoded[name], key, values) for key, values in expected.items()} == expected


@pytest.mark.parametrize("name", samples.frames())
def test_wireshark_sees_no_field_that_the_layers_do_not(
    name: str, frames: dict[str, Packet], decoded: dict[str, Reading]
) -> None:
    prefixes = (*(f"{prefix}." for prefix in PREFIXES.values()), "icmpv5.")
    seen = {field for field in decoded[name] if field.startswith(prefixes)}
    assert seen - {"icmpv5.checksum_ok", "sacip.checksum_ok", "permitted.public_key"} == set(ours(frames[name]))


@pytest.mark.parametrize("name", samples.frames())
def test_wireshark_finds_every_checksum_right(
    name: str, frames: dict[str, Packet], decoded: dict[str, Reading]
) -> None:
    """Over IPFF too, where Wireshark's TCP and UDP compute theirs from a stand-in address."""
    verdicts = {
        TCP: "tcp.checksum.status",
        UDP: "udp.checksum.status",
        SACIP: "sacip.checksum_ok",
    }
    packet = frames[name]
    expected = [verdict for layer, verdict in verdicts.items() if layer in packet] or ["icmpv5.checksum_ok"]
    for verdict in expected:
        assert [field.get("show") for field in decoded[name][verdict]] == ["1"]


def test_wireshark_finds_a_wrong_checksum(tmp_path: Path) -> None:
    wrong = {
        "icmpv5.checksum_ok": samples.ipff(samples.migrate(checksum=1)),
        "sacip.checksum_ok": samples.ipv4(SACIP(checksum=1)),
        "tcp.checksum.status": samples.ipff(TCP(chksum=1)),
    }
    decoded = decode(wrong, tmp_path / "wrong.pcap", "tcp.check_checksum:TRUE")
    assert {name: decoded[name][name][0].get("show") for name in wrong} == dict.fromkeys(wrong, "0")


def test_wireshark_joins_the_split_key(frames: dict[str, Packet], decoded: dict[str, Reading]) -> None:
    key = permitted_key(frames["migrate-permitted-key"])
    assert key == samples.PUBLIC_KEY
    shown = decoded["migrate-permitted-key"]["permitted.public_key"]
    assert [field.get("show") for field in shown] == [key.hex()]


def test_preferences_follow_a_profile(tmp_path: Path) -> None:
    frames = {
        "sacip": samples.frames()["sacip-network"],
        "own-kind": samples.frames()["mobile-capable-own-kind"],
        "ethertype": samples.frames()["migrate"],
        "ipv4": samples.frames()["migrate-ipv4"],
    }
    frames["ethertype"].type = 0x9999
    frames["ipv4"]["IP"].proto = 200
    decoded = decode(
        frames,
        tmp_path / "own.pcap",
        "sacip.captured:FALSE",
        "mobility_options.kind:77",
        "ipff.ethertype:39321",
        "icmpv5.ipv4:200",
    )
    assert frames["sacip"][SACIP].byte_order == NETWORK
    assert decoded["sacip"]["sacip.new_address"][0].get("show") == samples.MOVED4
    assert decoded["own-kind"]["mobile_capable.kind"][0].get("show") == "77"
    for name in ("ethertype", "ipv4"):
        assert decoded[name]["mops.migrate.count"]


def test_truncated_messages_raise_no_error_in_lua(tmp_path: Path) -> None:
    frames = {}
    for name, frame in samples.frames().items():
        whole = bytes(frame)
        frames |= {f"{name}-{length}": Raw(whole[:length]) for length in range(15, len(whole), 3)}
    assert len(decode(frames, tmp_path / "cut.pcap")) == len(frames) > 500
