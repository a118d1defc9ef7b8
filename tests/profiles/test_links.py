# SPDX-License-Identifier: GPL-2.0-or-later
"""Profiles of devices with two links: what they give for each, and what is wrong with one, in one line."""

from pathlib import Path

import pytest

from profiles import InterfaceLink, ProfileError, load

ROOT = Path(__file__).resolve().parents[2]
GOOD = (ROOT / "tests/profiles/hosts.toml").read_text()
LINKS = """
[link.inside]
kind = "interface"
interface = "eth1"
dut_mac = "02:00:00:00:00:01"
[link.outside]
kind = "interface"
interface = "eth2"
dut_mac = "02:00:00:00:00:02"
"""
ADDRESSES = """
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
ALL = GOOD + LINKS + ADDRESSES


def written(folder: Path, text: str) -> Path:
    """A profile of this text."""
    path = folder / "links.toml"
    path.write_text(text)
    return path


def test_a_profile_may_have_all_three_links(tmp_path: Path) -> None:
    profile = load(written(tmp_path, ALL))
    assert profile.link.link
    assert profile.link.link.kind == "namespace"
    inside, outside = profile.link.of("inside"), profile.link.of("outside")
    assert isinstance(inside, InterfaceLink)
    assert isinstance(outside, InterfaceLink)
    assert (inside.interface, outside.dut_mac) == ("eth1", "02:00:00:00:00:02")
    addresses = [table.address for table in profile.ixit.ipv4.all]
    assert addresses == ["198.18.0.1", "10.1.0.1", "10.2.0.1"]
    assert [table.address for table in profile.ixit.ipff.all] == ["8.8.8.8.8", "8.8.8.1.1", "8.8.8.2.1"]


def test_the_only_link_stands_under_its_own_name(tmp_path: Path) -> None:
    profile = load(written(tmp_path, GOOD))
    assert (profile.link.inside, profile.ixit.ipv4.outside) == (None, None)
    assert len(profile.link.all) == len(profile.ixit.ipv4.all) == 1


WRONG: list[tuple[str, str, str]] = [
    ('kind = "interface"\ninterface = "eth1"', 'kind = "bridge"', "link.inside.kind: must be 'namespace', 'interface'"),
    ('kind = "interface"\ninterface = "eth1"', 'kind = "interface"', "link.inside.interface: is missing: the tester's"),
    ('dut_mac = "02:00:00:00:00:02"', 'dut_mac = "02"', "link.outside.dut_mac: must be the Ethernet address of one"),
    ('dut_mac = "02:00:00:00:00:02"', 'mac = "02"', "link.outside.dut_mac: is missing"),
    (LINKS, "[link.beside]\nkind = 'namespace'", "link.beside: is not a key; allowed are kind"),
    (
        'interface = "eth2"',
        'interface = "eth1"',
        'link: link.inside and link.outside must be two interfaces, not "eth1"',
    ),
    (
        'kind = "interface"\ninterface = "eth2"\ndut_mac = "02:00:00:00:00:02"',
        'kind = "namespace"',
        "link: link.inside and link.outside must be of the same kind",
    ),
    ('address = "10.1.0.1"', "", "ixit.ipv4.inside.address: is missing: the device's own IPv4 address"),
    (
        'tester_last = "10.2.0.99"',
        'tester_last = "10.2.0.20"',
        "ixit.ipv4.outside: tester_first to tester_last must hold",
    ),
    ("10.2.0", "10.1.0", "ixit.ipv4: tester_first to tester_last of inside and of outside must not overlap"),
    ("8.8.8.2.", "8.8.8.1.", "ixit.ipff: tester_first to tester_last of inside and of outside must not overlap"),
    (
        "[ixit.ipff.inside]",
        "[ixit.ipff.inside]\nethertype = 0x88B6",
        "ixit.ipff: ethertype must be the same on every link",
    ),
    ("[ixit.ipff.inside]", '[ixit.ipff.inside]\nudp = "rfc768"', "ixit.ipff: udp must be the same on every link"),
    (
        "[ixit.ipv4.inside]",
        "[ixit.ipv4.inside]\nicmp_protocol = 7",
        "ixit.ipv4: icmp_protocol must be the same on every",
    ),
]


@pytest.mark.parametrize(("old", "new", "reason"), WRONG)
def test_wrong_links(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert old in ALL
    path = written(tmp_path, ALL.replace(old, new))
    with pytest.raises(ProfileError) as error:
        load(path)
    assert f"{path}: {reason}" in str(error.value)
    assert "\n" not in str(error.value)
