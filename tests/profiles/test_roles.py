# SPDX-License-Identifier: GPL-2.0-or-later
"""Roles: qualified by their protocol, claimed in a profile, judged by their own cases and those of others."""

from pathlib import Path

from conformance.applicability import claimed_for, rules_out, unclaimed
from conformance.catalogue import load as load_catalogue
from profiles import PROTOCOLS, ROLES, Profile, Role, load

ROOT = Path(__file__).resolve().parents[2]
ROLE = {role.qualified: role for role in ROLES}
SERVER, NODE = ROLE["mops server"], ROLE["mops mobile node"]
HOSTS = (ROOT / "tests/profiles/hosts.toml").read_text()


def profile(folder: Path, *changes: tuple[str, str]) -> Profile:
    """The reference's profile with some lines replaced."""
    text = HOSTS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "device.toml"
    path.write_text(text)
    return load(path)


def test_roles_with_cases() -> None:
    assert list(ROLE) == [
        "mops server",
        "mops mobile node",
        "mops anycast server",
        "mops NAT router",
        "mops firewall",
        "rehash host",
        "migrate server",
        "migrate mobile node",
        "msocks proxy",
        "msocks mobile node",
        "sacip server",
        "sacip mobile node",
        "legacy host",
        "legacy NAT",
        "legacy firewall",
    ]
    assert all(role.protocol in PROTOCOLS for role in ROLES)
    assert NODE.folder == "mobile_node"


def test_claimed_roles_are_told_apart_by_protocol(tmp_path: Path) -> None:
    assert load(ROOT / "profiles/reference.toml").claimed == ROLES
    without = profile(tmp_path, ('[ics.rehash]\nroles = ["host"]', ""))
    assert without.claimed == tuple(role for role in ROLES if role.links == ("link",) and role.protocol != "rehash")


def test_a_role_that_is_not_claimed_rules_its_cases_out(tmp_path: Path) -> None:
    device = profile(tmp_path, ('["server", "mobile node", "anycast server"]', '["mobile node"]'))
    line = f'{device.path}: ics.mops.roles does not name "server"'
    assert rules_out(device, SERVER, "ipv4", []) == line
    assert rules_out(device, NODE, "ipv4", []) == ""
    assert claimed_for(device.claimed, SERVER) is None


def test_a_network_that_is_not_claimed_rules_its_cases_out(tmp_path: Path) -> None:
    device = profile(tmp_path, ('["ipff", "ipv4"]', '["ipv4"]'))
    assert rules_out(device, NODE, "ipff", []) == f'{device.path}: ics.networks does not name "ipff"'


def test_a_claim_that_is_not_made_rules_its_requirements_out(tmp_path: Path) -> None:
    device = profile(tmp_path, ("\nudp = true", "\nudp = false"))
    about_udp = [one for one in load_catalogue() if "mops.udp" in one.ics]
    assert about_udp
    for requirement in about_udp:
        assert unclaimed(device, requirement) == f"{device.path}: ics.mops.udp is false"
        assert rules_out(device, NODE, "ipv4", [requirement]) == f"{device.path}: ics.mops.udp is false"
    others = [one for one in load_catalogue() if one.protocol == "MOPS" and not one.ics]
    assert [one.id for one in others if unclaimed(device, one)] == []


def test_a_role_is_judged_by_the_cases_of_others_too() -> None:
    """A device that claims only a role whose `also` names "server" meets the cases of servers, in its own role."""
    anycast = ROLE["mops anycast server"]
    assert anycast.judged_by == ("anycast server", "server")
    assert claimed_for((NODE, anycast), SERVER) == anycast
    assert claimed_for((anycast, SERVER), SERVER) == SERVER
    assert claimed_for((SERVER,), anycast) is None


def test_another_protocols_role_of_the_same_name_is_another_role() -> None:
    other = Role("sacip", "server", also=("mobile node",))
    assert claimed_for((other,), SERVER) is None
    assert claimed_for((other,), NODE) is None
