# SPDX-License-Identifier: GPL-2.0-or-later
"""MSOCKS (6.829 lecture 16) in a profile."""

from typing import ClassVar, Literal

from pydantic import Field

from profiles.role import Claims, Role
from profiles.table import Number8, Seconds, Table

ROLES: tuple[Role, ...] = ()


class ICS(Claims):
    """What the device claims of MSOCKS."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of MSOCKS")
    reconnect_counters: bool = Field(
        default=True, description="RECONNECT and its reply carry the two 64-bit counters of bytes received and sent"
    )
    splice: bool = Field(default=False, description="the proxy splices, so that acknowledgements are end to end")


class IXIT(Table):
    """MSOCKS."""

    encoding: Literal["socks5"] = Field(default="socks5", description="wire format of the requests")
    reconnect_command: Number8 = Field(default=0x80, description="command number of RECONNECT")
    authentication: Number8 | None = Field(
        default=None, description="number of the SOCKS5 method by which clients are told apart"
    )
    hold_s: Seconds = Field(
        default=60.0, description="seconds that the proxy keeps a connection whose mobile side is lost"
    )
