# SPDX-License-Identifier: GPL-2.0-or-later
"""Ordinary hosts and boxes, which have never heard of any of the protocols, in a profile."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from profiles.role import Claims, Role
from profiles.table import Seconds, Table

if TYPE_CHECKING:
    from profiles.model import Profile

_BETWEEN = ("inside", "outside")

ROLES = (
    Role("legacy", "host"),
    Role("legacy", "NAT", links=_BETWEEN, also=("firewall",)),
    Role("legacy", "firewall", links=_BETWEEN),
)


class ICS(Claims):
    """What the device claims to be without knowing any of the protocols."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of devices that have never heard of any of these protocols")
    transparent: bool = Field(
        default=True,
        description="the box is meant to leave TCP's sequence numbers and options as they are (RFC 2979)",
    )
    nat_exclusive_ports: bool = Field(
        default=True,
        description="no outside port of a NAT is two inside hosts' at once, whatever the destinations (RFC 7857, 3)",
    )
    nat_udp_timer_settable: bool = Field(
        default=False, description="the NAT's UDP mapping timer is as short as `ixit.legacy.nat_udp_timeout_s` says"
    )
    nat_long_timers: bool = Field(default=False, description="the run may wait for minutes for a NAT's timers")


class IXIT(Table):
    """Ordinary boxes: a NAT's timers."""

    nat_udp_timeout_s: Seconds = Field(
        default=300.0, description="a NAT's UDP mapping timer in seconds (RFC 4787, REQ-5)"
    )
    nat_outside_mtu: Annotated[int, Field(ge=576, le=9000)] = Field(
        default=1500,
        description="the MTU of a NAT's outside link; cases about larger packets need one below the inside's",
    )


def dut_config(profile: "Profile", role: Role) -> dict[str, Any]:
    """What a box that can be told has to set; a host finds no table of its own."""
    if role.name == "host":
        return {}
    timer = profile.ixit.legacy.nat_udp_timeout_s
    settable = profile.ics.legacy.nat_udp_timer_settable
    return {"udp_timeout_s": timer if settable else None, "outside_mtu": profile.ixit.legacy.nat_outside_mtu}
