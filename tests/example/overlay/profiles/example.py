# SPDX-License-Identifier: GPL-2.0-or-later
"""Example in a profile."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from profiles.role import Claims, Role
from profiles.table import Number8, Seconds, Table

if TYPE_CHECKING:
    from profiles.model import Profile

ROLES = (Role("example", "host"),)


class ICS(Claims):
    """What the device claims of Example."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of Example")
    farewell: bool = Field(default=False, description="answers to a Farewell (section 2)")


class IXIT(Table):
    """Example."""

    protocol: Annotated[Number8, Field(description="IP protocol number of Example")] = 253
    answer_within_s: Seconds = Field(default=1.0, description="seconds in which an answer must come")


def dut_config(profile: "Profile", _: Role) -> dict[str, Any]:
    """The protocol number."""
    return profile.ixit.example.model_dump(include={"protocol"})
