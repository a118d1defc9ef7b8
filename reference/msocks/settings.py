# SPDX-License-Identifier: GPL-2.0-or-later
"""The table `msocks` of DUT_CONFIG."""

from dataclasses import dataclass
from typing import Self

from reference.msocks.messages import BIND, CONNECT, UDP_ASSOCIATE
from reference.system.addresses import ipv4_from_text, ipv4_text
from reference.system.configuration import Table

_MOST_BYTES = 1 << 30
_LONGEST_S = 7200


def _users(table: Table) -> dict[bytes, bytes]:
    users = table.value.get("users", {})
    if not isinstance(users, dict) or not all(isinstance(one, str) and one for one in (*users, *users.values())):
        raise table.wrong("users", "a table of names with their passwords")
    return {name.encode(): password.encode() for name, password in users.items()}


def _switch(table: Table, key: str, default: bool) -> bool:
    value = table.value.get(key, default)
    if not isinstance(value, bool):
        raise table.wrong(key, "true | false")
    return value


def _command(table: Table) -> int:
    number = table.integer("reconnect_command", 0, 255, 0x80)
    if number in (CONNECT, BIND, UDP_ASSOCIATE):
        raise table.wrong("reconnect_command", "a number that SOCKS5 has not taken")
    return number


@dataclass(frozen=True)
class ProxySettings:
    """What a proxy is told."""

    port: int
    reconnect_command: int
    users: dict[bytes, bytes]  # with their passwords; none: nobody authenticates
    anonymous: bool  # serves clients without authentication
    hold_s: float  # that a connection waits for its mobile side, from each loss of it
    rst_means: str  # of the mobile side: "loss" or "abort"
    replay_bytes: int  # kept below what the mobile node's kernel has acknowledged
    buffer_bytes: int  # of one direction that wait to be sent, at most and about
    bind: bool
    splicing: bool

    @classmethod
    def read(cls, table: Table) -> Self:
        users = _users(table)
        return cls(
            port=table.integer("port", 1, 65535, 1080),
            reconnect_command=_command(table),
            users=users,
            anonymous=_switch(table, "anonymous", not users),
            hold_s=table.number("hold_s", 0.1, _LONGEST_S, 60.0),
            rst_means=table.choice("rst_means", ("loss", "abort"), "loss"),
            replay_bytes=table.integer("replay_bytes", 0, _MOST_BYTES, 0),
            buffer_bytes=table.integer("buffer_bytes", 1, _MOST_BYTES, 1 << 18),
            bind=_switch(table, "bind", False),
            splicing=_switch(table, "splicing", False),
        )


@dataclass(frozen=True)
class NodeSettings:
    """What a mobile node is told."""

    proxy: str
    port: int
    reconnect_command: int
    user: tuple[bytes, bytes] | None  # with the password

    @classmethod
    def read(cls, table: Table) -> Self:
        users = _users(table)
        return cls(
            proxy=ipv4_text(table.address("proxy", ipv4_from_text)),
            port=table.integer("port", 1, 65535, 1080),
            reconnect_command=_command(table),
            user=next(iter(users.items()), None),
        )
