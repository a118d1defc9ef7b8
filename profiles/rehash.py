# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Rehash (draft-mongazon-tcpm-tcp-rehash-00) in a profile."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from profiles.role import Claims, Role
from profiles.table import OptionKind, Seconds, Table

if TYPE_CHECKING:
    from profiles.model import Profile

ROLES = (Role("rehash", "host", moves=True),)


class ICS(Claims):
    """What the device claims of TCP Rehash."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of TCP Rehash")


class IXIT(Table):
    """TCP Rehash."""

    option_kind: OptionKind = Field(default=253, description="kind of the TCP Rehash option")
    max_retries: Annotated[int, Field(ge=0, le=100)] = Field(
        default=5, description="segments with REHASH-ADDR before the connection is closed; 0: no maximum"
    )
    init_reissues: Annotated[int, Field(ge=0, le=100)] = Field(
        default=3, description="how often REHASH-INIT is sent again to a peer that does not answer it"
    )
    init_at: Literal["syn", "established"] = Field(
        default="syn", description="when a host sends REHASH-INIT of its own accord, and understands it"
    )
    idle_ack_within_s: Seconds = Field(
        default=2.0, description="longest time in seconds until REHASH-INIT comes where no other segment is due"
    )
    give_up: Literal["count", "time"] = Field(
        default="count", description="what ends the repeating of REHASH-ADDR where max_retries is not 0"
    )
    retry_within_s: Seconds = Field(
        default=5.0, description="longest time in seconds between two REHASH-ADDR that nobody answers"
    )


def dut_config(profile: "Profile", _: Role) -> dict[str, Any]:
    """All that is stated, so that a device that can be told does as its profile says."""
    return profile.ixit.rehash.model_dump()
