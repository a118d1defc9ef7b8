# SPDX-License-Identifier: GPL-2.0-or-later
"""MSOCKS (6.829 lecture 16) in a profile."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from profiles.addresses import IPv4Address
from profiles.role import Claims, Role
from profiles.table import Allowed, Number8, Seconds, Table, Text, TransportPort

if TYPE_CHECKING:
    from profiles.model import Profile

ROLES = (
    Role("msocks", "proxy", links=("inside", "outside")),
    Role("msocks", "mobile node", moves=True),
)

Bytes = Annotated[int, Field(ge=0, le=1 << 30)]


class ICS(Claims):
    """What the device claims of MSOCKS."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of MSOCKS")
    reconnect: bool = Field(
        default=True,
        description="the proxy knows RECONNECT, with the two 64-bit counters; without it, it is an ordinary SOCKS5 "
        "server",
    )
    anonymous: bool = Field(default=True, description="the proxy serves clients without authentication (method 0)")
    domain_names: bool = Field(
        default=True, description="a domain name that is an address in dotted form is connected to without DNS"
    )
    bind: bool = Field(default=False, description="the proxy serves BIND")
    splicing: bool = Field(default=False, description="the proxy splices, so that acknowledgements are end to end")


class IXIT(Table):
    """MSOCKS."""

    encoding: Literal["socks5"] = Field(default="socks5", description="wire format of the requests")
    port: TransportPort = Field(default=1080, description="port of the proxy on its inside")
    proxy: IPv4Address | None = Field(
        default=None,
        description="address of the tester at which a mobile node finds its proxy; its port is `port`",
    )
    reconnect_command: Number8 = Field(default=0x80, description="command number of RECONNECT")
    users: list[Annotated[Text, StringConstraints(pattern="^[^:]+:.+$"), Allowed("text: `name:password`")]] = Field(
        default=[],
        description="users that the proxy knows by the method username/password (RFC 1929), each with the password; "
        "two serve every case",
    )
    hold_s: Seconds = Field(
        default=60.0,
        description="seconds that the proxy keeps a connection whose mobile side is lost; cases wait for 2 to 10 s",
    )
    rst_means: Literal["loss", "abort"] = Field(
        default="loss", description="what a reset of the mobile side is: a loss, or the end of the connection"
    )
    replay_bytes: Bytes = Field(
        default=0,
        description="bytes that the mobile node has acknowledged and that the proxy can still send again; 0 where it "
        "splices",
    )
    buffer_bytes: Bytes = Field(
        default=1 << 18, description="most bytes of one direction of a connection that the proxy itself keeps"
    )
    kernel_bytes: Bytes = Field(
        default=12 << 20,
        description="most bytes that the buffers of its two sockets take besides; those of Linux grow to 10 MiB",
    )
    reconnect_within_s: Seconds = Field(
        default=2.0, description="seconds after the return of `move` in which a mobile node sends RECONNECT"
    )


def accounts(profile: "Profile") -> dict[str, str]:
    """The users that the proxy knows, with their passwords."""
    return dict(user.split(":", 1) for user in profile.ixit.msocks.users)


def dut_config(profile: "Profile", role: Role) -> dict[str, Any]:
    """What a proxy or a mobile node that can be told has to do as its profile says."""
    ics, ixit = profile.ics.msocks, profile.ixit.msocks
    if role.name == "mobile node":
        return ixit.model_dump(include={"proxy", "port", "reconnect_command"}) | {"users": accounts(profile)}
    told = {"port", "reconnect_command", "hold_s", "rst_means", "replay_bytes", "buffer_bytes"}
    claimed = ics.model_dump(include={"anonymous", "bind", "splicing"})
    return {**ixit.model_dump(include=told), **claimed, "users": accounts(profile)}
