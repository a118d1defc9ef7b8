# SPDX-License-Identifier: GPL-2.0-or-later
"""Ordinary hosts, which have never heard of any of the protocols, in a profile. They have no values of their own."""

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from profiles.role import Claims, Role

if TYPE_CHECKING:
    from profiles.model import Profile

ROLES = (Role("legacy", "host"),)


class ICS(Claims):
    """What the device claims to be without knowing any of the protocols."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of devices that have never heard of any of these protocols")


def dut_config(profile: "Profile") -> dict[str, Any]:
    """Nothing: the device has no table of its own."""
    return {}
