# SPDX-License-Identifier: GPL-2.0-or-later
"""A plain router in a profile: the made-up protocol of the suite's own tests of devices with two links."""

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from profiles.role import Claims, Role

if TYPE_CHECKING:
    from profiles.model import Profile

ROLES = (Role("router", "router", links=("inside", "outside")),)


class ICS(Claims):
    """What the device claims to be."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of devices that forward packets")


def dut_config(profile: "Profile", _: Role) -> dict[str, Any]:
    """Nothing: the device has no table of its own."""
    return {}
