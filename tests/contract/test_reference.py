# SPDX-License-Identifier: GPL-2.0-or-later
"""The DUT contract from both sides: what a profile makes of it, the reference understands as a process.

The suite's side and the reference's share no code: what they have in common is the JSON, and it is proved here.
"""

from typing import Any

import pytest

from profiles import Profile, Role, load
from reference.roles import ROLES as OF_REFERENCE
from testbed.device.dut_config import configuration
from tests.lab.host import ROOT, Lab

STARTS_REFERENCE = ["{python}", "-m", "reference"]
PROFILES = [load(path) for folder in ("profiles", "tests/profiles") for path in sorted((ROOT / folder).glob("*.toml"))]
ROLES = [
    pytest.param(profile, role, id=f"{profile.path.stem}-{role.qualified}")
    for profile in PROFILES
    for role in profile.claimed
    if role.links == ("link",)
]
"""A device in the middle runs no service: it is started by the tests that certify it."""


def dut_config(profile: Profile, role: Role) -> dict[str, Any]:
    """DUT_CONFIG as the suite writes it; the neighbours' Ethernet address is that of the lab's wire."""
    whole = configuration(profile, role)
    if "ipff" in whole["networks"]:
        whole["networks"]["ipff"]["neighbour_mac"] = "02:00:00:00:00:01"
    return whole


@pytest.mark.parametrize(("profile", "role"), ROLES)
def test_reference_serves_what_a_profile_describes(profile: Profile, role: Role) -> None:
    assert list(profile.dut.command[:3]) == STARTS_REFERENCE
    whole = dut_config(profile, role)
    with Lab(*profile.dut.command[3:], whole=whole) as lab:
        assert lab.ready["ready"] is True
        assert lab.call("status")["version"] == lab.ready["version"]
        for network in whole["networks"]:
            assert lab.peer(network, service=whole["services"]["echo"]).connect().echo(b"hello")
        assert lab.stop() == 0


@pytest.mark.parametrize(("profile", "role"), ROLES)
def test_verbs_that_the_role_needs_are_there(profile: Profile, role: Role) -> None:
    whole = dut_config(profile, role)
    with Lab(*profile.dut.command[3:], whole=whole) as lab:
        listener = lab.call("listen", port=0, service="manual")
        assert {"connections": [], "listeners": [{"listener": 1, "port": 7}, listener]} == lab.call("sockets")
        if not role.moves:
            return
        for network, table in whole["networks"].items():
            first = getattr(profile.ixit, network).of("link").moves_to[0]
            assert lab.call("move", address=str(first)) == {}, table


def test_every_role_is_somewhere() -> None:
    """The profiles of the reference claim every role that the reference has."""
    ours = [one for one in PROFILES if one.path.parent == ROOT / "profiles" and one.path.stem.startswith("reference")]
    claimed = {(role.protocol, role.name) for profile in ours for role in profile.claimed}
    assert claimed == {(role.protocol, role.name) for role in OF_REFERENCE}
