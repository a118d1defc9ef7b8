# SPDX-License-Identifier: GPL-2.0-or-later
"""The addresses of an anycast server: one more on each network, and the device is told."""

from pathlib import Path

import pytest

from profiles import ProfileError, load
from testbed.device.dut_config import configuration

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = (ROOT / "tests/profiles/hosts.toml").read_text()
NEITHER = "ixit.mops.anycast must name host addresses of the network that are neither the tester's nor ixit."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            ', "198.18.0.100"]',
            "]",
            'ixit.mops.anycast must name an address of ipv4: ics.mops.roles names "anycast server"',
        ),
        ('"8.8.8.8.100"', '"525.8.78.1.1"', f"{NEITHER}ipff.address: 525.8.78.1.1"),
        ('"8.8.8.8.100"', '"8.8.8.8.8"', f"{NEITHER}ipff.address: 8.8.8.8.8"),
        ('"198.18.0.100"', '"198.19.1.1"', f"{NEITHER}ipv4.address: 198.19.1.1"),
        ('"198.18.0.100"', '"198.18.0.1"', f"{NEITHER}ipv4.address: 198.18.0.1"),
        ('"198.18.0.100"', '"10.0.0.1"', f"{NEITHER}ipv4.address: 10.0.0.1"),
        ('"198.18.0.100"', '"198.18.0.0"', f"{NEITHER}ipv4.address: 198.18.0.0"),
    ],
)
def test_wrong_address_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "device.toml"
    assert old in REFERENCE
    path.write_text(REFERENCE.replace(old, new, 1))
    with pytest.raises(ProfileError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {message}"


def test_other_roles_need_none(tmp_path: Path) -> None:
    path = tmp_path / "device.toml"
    text = REFERENCE.replace(', "anycast server"]', "]").replace('anycast = ["8.8.8.8.100", "198.18.0.100"]\n', "")
    path.write_text(text)
    profile = load(path)
    assert profile.ixit.mops.anycast_on("ipff") == ""


def test_device_is_told() -> None:
    profile = load(ROOT / "tests/profiles/hosts.toml")
    (role,) = [role for role in profile.claimed if role.name == "anycast server"]
    content = configuration(profile, role)
    assert content["networks"]["ipv4"]["address"] == "198.18.0.1"
    assert content["mops"]["anycast"] == ["8.8.8.8.100", "198.18.0.100"]
    assert content["mops"]["anycast_continues"] == "unicast"
    assert profile.ixit.mops.anycast_on("ipv4") == "198.18.0.100"
