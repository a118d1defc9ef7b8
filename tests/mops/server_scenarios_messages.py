# SPDX-License-Identifier: GPL-2.0-or-later
"""What a server replies, what it discards and when, scenario by scenario."""

from collections.abc import Callable
from typing import Any

from reference.mops.message import Entry, Migrate
from tests.lab.wire import internet_checksum
from tests.mops.played_server import NEW, OLD, OTHER, SENDER, WINDOW, PlayedServer
from tests.mops.server_scenarios import SCENARIOS, scenario

__all__ = ["SCENARIOS"]

# The form of replies


def _reply(host: PlayedServer, *entries: Entry, **fields: Any) -> tuple[int, bytes]:
    host.ask(*entries, **fields)
    return host.replies[0] if host.replies else (0, bytes(24))


@scenario
def reply_checksum(host: PlayedServer) -> Any:
    host.open(1)
    return internet_checksum(_reply(host, host.entry(1))[1])


@scenario
def reply_reserved(host: PlayedServer) -> Any:
    host.open(1)
    return host.message(_reply(host, host.entry(1))[1]).reserved


@scenario
def reply_addresses(host: PlayedServer) -> Any:
    host.open(1)
    message = host.message(_reply(host, host.entry(1))[1])
    return message.previous, message.migrated


@scenario
def reply_identifiers(host: PlayedServer) -> Any:
    host.open(1)
    return [entry.identifier for entry in host.message(_reply(host, host.entry(1))[1]).entries]


@scenario
def reply_destination(host: PlayedServer) -> Any:
    host.open(1)
    return _reply(host, host.entry(1), source=SENDER)[0] - NEW, _reply(host, host.entry(1), source=NEW, at=9)[0]


@scenario
def failed_reply_count(host: PlayedServer) -> Any:
    host.open(1)
    host.open(2)
    message = host.message(_reply(host, host.entry(1), host.entry(2, -900))[1])
    return message.count == len(message.entries)


# Malformed commands


def _malformed(**fields: Any) -> Callable[[PlayedServer], Any]:
    def is_malformed(host: PlayedServer) -> Any:
        host.open(1)
        return host.ask(host.entry(1), **fields), host.tuples()

    return is_malformed


for name, fields in {
    "version_2": {"version": 2},
    "code_2": {"code": 2},
    "code_4": {"code": 4},
    "count_0": {"count": 0},
    "count_2": {"count": 2},
    "reserved_set": {"reserved": 0x1234},
}.items():
    SCENARIOS[name] = _malformed(**fields)


def _raw(host: PlayedServer, change: Callable[[bytes], bytes], right: bool = True, entries: int = 1) -> Any:
    for port in range(1, entries + 1):
        host.open(port)
    raw = Migrate(0, 6, OLD, NEW, tuple(host.entry(port) for port in range(1, entries + 1))).pack()
    raw = change(raw)
    if right:
        raw = raw[:2] + internet_checksum(raw[:2] + b"\0\0" + raw[4:]).to_bytes(2, "big") + raw[4:]
    return host.ask(raw=raw), host.tuples()


@scenario
def wrong_checksum(host: PlayedServer) -> Any:
    return _raw(host, lambda raw: raw[:3] + bytes([raw[3] ^ 1]) + raw[4:], right=False)


@scenario
def count_1_of_2(host: PlayedServer) -> Any:
    return _raw(host, lambda raw: raw[:16] + b"\0\4" + raw[18:], entries=2)


@scenario
def trailing_byte(host: PlayedServer) -> Any:
    return _raw(host, lambda raw: raw + b"\0")


@scenario
def cut_short(host: PlayedServer) -> Any:
    return _raw(host, lambda raw: raw[:-3], entries=2)


# Rate limit


@scenario
def second_inside_the_interval(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1))
    return host.ask(host.entry(1), at=1)


@scenario
def effect_inside_the_interval(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1, -900))
    host.ask(host.entry(1), at=1)
    return host.tuples()


@scenario
def shortly_before_the_end(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1, WINDOW + 5000))
    host.ask(host.entry(1, 1), at=4.9, source=OTHER)
    return len(host.replies)


@scenario
def after_the_interval(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1, -900))
    return host.ask(host.entry(1), at=5.1)


@scenario
def discarded_do_not_restart(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1, -900))
    host.ask(host.entry(1, -900), at=2)
    host.ask(host.entry(1, -900), at=4)
    return host.ask(host.entry(1), at=6)


@scenario
def failed_attempts_count(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1, -900))
    return host.ask(host.entry(1, -900), at=1)


@scenario
def another_port_inside_the_interval(host: PlayedServer) -> Any:
    host.open(1)
    host.open(2)
    host.ask(host.entry(1))
    return host.ask(host.entry(2), at=1)


@scenario
def another_address_inside_the_interval(host: PlayedServer) -> Any:
    host.open(1)
    host.open(1, OTHER)
    host.ask(host.entry(1))
    return host.ask(host.entry(1, migrated=1009), at=1, previous=OTHER)


@scenario
def repeat_after_success(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1))
    return host.ask(host.entry(1), at=6), host.tuples()
