# SPDX-License-Identifier: GPL-2.0-or-later
"""SACIP in a profile."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from profiles.role import Claims, Role
from profiles.table import Seconds, Table

if TYPE_CHECKING:
    from profiles.model import Profile

ROLES = (Role("sacip", "server"), Role("sacip", "mobile node", moves=True))

SLIDES_ROUTER = "192.168.1.4"
"""The default router of the slides' second scenario."""


class ICS(Claims):
    """What the device claims of SACIP."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of SACIP")
    slides: bool = Field(
        default=False,
        description="the device takes the addresses of the slides (192.168.1.0/24) by the verb `add_address`, and its "
        "default router is 192.168.1.4",
    )


class IXIT(Table):
    """SACIP."""

    byte_order: Literal["captured", "network"] = Field(
        default="captured", description="order of the bytes of the new address: reversed as captured, or network order"
    )
    stragglers_s: Seconds = Field(
        default=0.1,
        description="longest time in seconds after a notification in which segments that were queued still leave from "
        "the old address",
    )


def dut_config(profile: "Profile", _: Role) -> dict[str, Any]:
    """The byte order, and the router where the device claims to have that of the slides."""
    router = SLIDES_ROUTER if profile.ics.sacip.slides else None
    return {"byte_order": profile.ixit.sacip.byte_order, "router": router}
