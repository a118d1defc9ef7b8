# SPDX-License-Identifier: GPL-2.0-or-later
"""SACIP in a profile."""

from typing import ClassVar, Literal

from pydantic import Field

from profiles.role import Claims, Role
from profiles.table import Table

ROLES: tuple[Role, ...] = ()


class ICS(Claims):
    """What the device claims of SACIP."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of SACIP")


class IXIT(Table):
    """SACIP."""

    byte_order: Literal["captured", "network"] = Field(
        default="captured", description="order of the bytes of the new address: reversed as captured, or network order"
    )
