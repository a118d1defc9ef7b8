# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP Migrate (6.829 lecture 16) in a profile. The lecture gives no numbers."""

from typing import ClassVar

from pydantic import Field

from profiles.role import Claims, Role
from profiles.table import Number8, OptionKind, Seconds, Table

ROLES: tuple[Role, ...] = ()


class ICS(Claims):
    """What the device claims of TCP Migrate."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of TCP Migrate")


class IXIT(Table):
    """TCP Migrate, of which the cases for legacy hosts send the options."""

    permitted_kind: OptionKind = Field(default=15, description="kind of the TCP option Migrate-Permitted")
    option_kind: OptionKind = Field(default=16, description="kind of the TCP option Migrate")
    curve: Number8 = Field(default=0, description="number of the curve of the key exchange; 0 is insecure")
    wait_s: Seconds | None = Field(
        default=None, description="seconds that MIGRATE_WAIT lasts; without it twice the maximum segment lifetime"
    )
