# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks: addresses and checksums; and what a device finds in its configuration."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.binding import bind_defaults
from layers.mops import MOPSMigrate
from profiles import ROLES, Role, load
from testbed.device.dut_config import configuration
from testbed.device.namespaces import fill_neighbours
from testbed.wire.headers import ETHERNET_HEADER, UDP_PROTOCOL
from testbed.wire.network import Network, networks
from tests.testbed.known_networks import READINGS, known

ROOT = Path(__file__).parents[2]
PROFILE = load(ROOT / "profiles/reference.toml")
MACS = "02:00:00:00:00:01", "02:00:00:00:00:02"
SIDES = """
[link.inside]
kind = "namespace"
[link.outside]
kind = "namespace"
[ixit.ipv4.inside]
address = "10.1.0.1"
prefix_length = 24
tester_first = "10.1.0.10"
tester_last = "10.1.0.99"
[ixit.ipv4.outside]
address = "10.2.0.1"
prefix_length = 24
tester_first = "10.2.0.10"
tester_last = "10.2.0.99"
[ixit.ipff.inside]
address = "8.8.8.1.1"
tester_first = "8.8.8.1.10"
tester_last = "8.8.8.1.99"
[ixit.ipff.outside]
address = "8.8.8.2.1"
tester_first = "8.8.8.2.10"
tester_last = "8.8.8.2.99"
"""


def role(qualified: str) -> Role:
    """The role of this name."""
    return next(one for one in ROLES if one.qualified == qualified)


@pytest.fixture(params=READINGS)
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    yield known(request.param)
    bind_defaults()


def datagram(network: Network) -> bytes:
    """A frame with a datagram of five bytes."""
    source = network.address(network.first)
    packet = network.packet(source, network.dut, UDP_PROTOCOL, network.datagram(sport=1027, dport=7) / b"hello")
    return network.frame(*MACS, packet)


def test_right_udp_checksum(network: Network) -> None:
    """What the tester sends itself is right, and its payload is told from the headers."""
    frame = datagram(network)
    assert network.udp_checksum_ok(frame)
    assert network.payload(frame)[len(network.datagram()) :] == b"hello"
    assert network.dissect(frame)[network.datagram].dport == 7


@pytest.mark.parametrize("at", [ETHERNET_HEADER + 15, -1])
def test_wrong_udp_checksum(network: Network, at: int) -> None:
    """One bit of an address, or of the data, makes it wrong."""
    frame = bytearray(datagram(network))
    frame[at] ^= 1
    assert not network.udp_checksum_ok(bytes(frame))


def test_message_checksum_is_that_of_the_layers(network: Network) -> None:
    """What a message has to carry between two ends, whatever it carries."""
    source = network.address(network.first)
    packet = network.packet(source, network.dut, network.icmp_protocol, MOPSMigrate(entries=[(1, 2, 3)]) / b"odd")
    frame = network.frame(*MACS, packet)
    message = network.dissect(frame).payload
    assert message.checksum_ok()
    ends = network.first, network.number(network.dut)
    for checksum in (b"\0\0", b"\xbe\xef"):
        octets = network.payload(frame)[:2] + checksum + network.payload(frame)[4:]
        assert network.message_checksum(*ends, octets) == message.checksum
        elsewhere = network.message_checksum(ends[0] + 1, ends[1], octets)
        assert (elsewhere == message.checksum) == (network.covered_beside(*ends, 4) == b"")


def test_hops_are_told(network: Network) -> None:
    """How many routers a packet may still pass."""
    header = network.header(datagram(network))
    assert header
    assert header.hops == 64


def test_places_are_those_of_hosts() -> None:
    """No address with a field above 999 has a place, and every place has an address of its own."""
    network = known("ipff")
    assert network.address(network.at(0)) == "0.0.0.0.0"
    assert network.address(network.at(network.places - 1)) == "999.999.999.999.999"
    number = network.number("525.8.78.0.999")
    assert network.address(network.at(network.place(number) + 1)) == "525.8.78.1.0"


def test_configuration_of_a_role() -> None:
    """Its networks, the values of its protocol, and services."""
    content = configuration(PROFILE, role("mops mobile node"))
    assert (content["protocol"], content["role"]) == ("mops", "mobile node")
    assert content["networks"]["ipv4"] == {"address": "198.18.0.1", "prefix_length": 15, "icmp_protocol": 254}
    assert content["networks"]["ipff"] == {
        "address": "8.8.8.8.8",
        "ethertype": 0x88B5,
        "icmp_protocol": 1,
        "header": "draft-00",
        "icmp_checksum": "pseudo-header",
        "icmp_pseudo_protocol": 1,
        "udp": "v5",
    }
    assert content["mops"]["mobile_capable"] == {"kind": 254, "length": 4, "exid": 0x4D4F}
    assert content["services"] == {"echo": 7}


def test_configuration_of_a_role_without_values() -> None:
    """It is told nothing of any protocol, and has the networks of its role."""
    content = configuration(PROFILE, role("legacy host"))
    assert sorted(content) == ["networks", "protocol", "role", "services"]
    assert list(content["networks"]) == ["ipv4"]


def test_the_configuration_of_a_role_with_two_links_has_a_table_for_each(tmp_path: Path) -> None:
    """The device's address on the inside and on the outside, and the neighbours' Ethernet address on each."""
    path = tmp_path / "sides.toml"
    path.write_text((ROOT / "tests/profiles/hosts.toml").read_text() + SIDES)
    profile = load(path)
    content = configuration(
        profile, Role("mops", "in the middle", networks=("ipff", "ipv4"), links=("inside", "outside"))
    )
    ipv4 = content["networks"]["ipv4"]
    assert {side: table["address"] for side, table in ipv4.items()} == {"inside": "10.1.0.1", "outside": "10.2.0.1"}
    fill_neighbours(content, MACS)
    assert [table["neighbour_mac"] for table in content["networks"]["ipff"].values()] == list(MACS)
    for side, address in (("inside", "10.1.0.1"), ("outside", "10.2.0.1")):
        known = networks(profile, ["ipff", "ipv4"], side)
        assert known["ipv4"].dut == address
        assert known["ipff"].ethertype == 0x88B5
    assert networks(profile, ["ipv4"], "link")["ipv4"].dut == "198.18.0.1"
