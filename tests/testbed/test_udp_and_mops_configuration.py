# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP in the networks, and what a MOPS device finds in its configuration."""

from pathlib import Path

import pytest
from scapy.layers.inet import UDP

from profiles import ROLES, Role, load
from testbed.device.dut_config import configuration
from testbed.wire.network import ETHERNET_HEADER, UDP_PROTOCOL, Network, networks

PROFILE = load(Path(__file__).parents[2] / "profiles/reference.toml")
ROLE = {role.qualified: role for role in ROLES}
MACS = "02:00:00:00:00:01", "02:00:00:00:00:02"


@pytest.fixture(params=["ipff", "ipv4"])
def network(request: pytest.FixtureRequest) -> Network:
    return networks(PROFILE)[request.param]


def datagram(network: Network) -> bytes:
    """A frame with a datagram of five bytes."""
    source = network.address(network.first)
    packet = network.packet(source, network.dut, UDP_PROTOCOL, UDP(sport=1027, dport=7) / b"hello")
    return network.frame(*MACS, packet)


def test_right_udp_checksum(network: Network) -> None:
    """What the tester sends itself is right, and its payload is told from the headers."""
    frame = datagram(network)
    assert network.udp_checksum_ok(frame)
    assert network.payload(frame)[8:] == b"hello"


@pytest.mark.parametrize("at", [ETHERNET_HEADER + 19, -1])
def test_wrong_udp_checksum(network: Network, at: int) -> None:
    """One bit of an address, or of the data, makes it wrong."""
    frame = bytearray(datagram(network))
    frame[at] ^= 1
    assert not network.udp_checksum_ok(bytes(frame))


def test_configuration_of_a_mobile_node() -> None:
    """Timers and the option's numbers, which are null for a device that does not claim the option."""
    mops = configuration(PROFILE, ROLE["mops mobile node"])["mops"]
    assert mops == {
        "rate_limit_s": 5.0,
        "migrate_seq": "window",
        "retry_interval_s": 2.0,
        "retries": 3,
        "mobile_capable": {"kind": 254, "exid": 0x4D4F},
    }
    silent = PROFILE.ics.model_copy(update={"mops": PROFILE.ics.mops.model_copy(update={"mobile_capable": False})})
    plain = PROFILE.model_copy(update={"ics": silent})
    assert configuration(plain, ROLE["mops server"])["mops"]["mobile_capable"] is None


def test_configuration_of_a_legacy_host() -> None:
    """It is told nothing of any protocol."""
    content = configuration(PROFILE, ROLE["legacy host"])
    assert (content["protocol"], content["role"]) == ("legacy", "host")
    assert sorted(content) == ["networks", "protocol", "role", "services"]
    assert list(content["networks"]) == ["ipv4"]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.qualified)
def test_configuration_of_every_role(role: Role) -> None:
    """Protocol and role by name, the networks of the role, and no other protocol's table."""
    content = configuration(PROFILE, role)
    assert (content["protocol"], content["role"]) == (role.protocol, role.name)
    assert tuple(content["networks"]) == role.networks
    assert set(content) - {"protocol", "role", "networks", "services"} <= {role.protocol}
