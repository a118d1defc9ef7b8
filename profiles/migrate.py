# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Migrate (6.829 lecture 16; formats and rules of draft-snoeren-tcp-migrate-00) in a profile."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from profiles.role import Claims, Role
from profiles.table import OptionKind, Seconds, Table

if TYPE_CHECKING:
    from profiles.model import Profile

ROLES = (Role("migrate", "server"), Role("migrate", "mobile node", moves=True))


class ICS(Claims):
    """What the device claims of TCP Migrate."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of TCP Migrate")
    insecure: bool = Field(default=True, description="connections without a key can migrate (the insecure variant)")
    secure: bool = Field(
        default=False, description="connections with a key of the curve secp192r1 can migrate (the secure variant)"
    )


class IXIT(Table):
    """TCP Migrate; the cases for legacy hosts send its options too."""

    permitted_kind: OptionKind = Field(default=15, description="kind of the TCP option Migrate-Permitted")
    option_kind: OptionKind = Field(default=16, description="kind of the TCP option Migrate")
    curve: Annotated[int, Field(ge=1, le=255)] = Field(
        default=1, description="Curve ID by which the device knows secp192r1, the 192-bit prime curve of ANSI X9.62"
    )
    offers: Literal["insecure", "secure"] = Field(
        default="insecure", description="the variant that the device's own SYN offers"
    )
    syn_number: Literal["acknowledged", "next"] = Field(
        default="acknowledged",
        description="sequence number of Migrate SYN and its SYN-ACK: that of the byte acknowledged last, or the one "
        "after it",
    )
    token_at: Literal["port", "host"] = Field(
        default="port", description="where a Token is looked up: among the connections of the port, or of the host"
    )
    wait_s: Seconds | None = Field(
        default=None, description="seconds that MIGRATE-WAIT lasts; without it its end is not looked at"
    )
    migrate_within_s: Seconds = Field(
        default=2.0, description="seconds after the return of `move` in which a mobile node sends its Migrate SYN"
    )
    retry_within_s: Seconds = Field(
        default=5.0, description="longest time in seconds between the first two Migrate SYNs that nobody answers"
    )
    give_up_s: Seconds | None = Field(
        default=None,
        description="seconds after which a mobile node gives up a Migrate SYN that nobody answers; without it that is "
        "not looked at",
    )


def dut_config(profile: "Profile", _: Role) -> dict[str, Any]:
    """All that is stated, so that a device that can be told does as its profile says."""
    claims = profile.ics.migrate
    return {**profile.ixit.migrate.model_dump(), "insecure": claims.insecure, "secure": claims.secure}
