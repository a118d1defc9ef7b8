# SPDX-License-Identifier: GPL-2.0-or-later
"""What a MOPS server does on `server_bench`, scenario by scenario."""

from collections.abc import Callable
from typing import Any

from reference.bump.tcp import ACK, SYN, State
from reference.mops.message import Entry
from tests.mops.played_server import NEW, OLD, OTHER, WINDOW, PlayedServer


def scenario(function: Callable[[PlayedServer], Any]) -> Callable[[PlayedServer], Any]:
    SCENARIOS[function.__name__] = function
    return function


SCENARIOS: dict[str, Callable[[PlayedServer], Any]] = {}


@scenario
def moves(host: PlayedServer) -> Any:
    host.open(1)
    return host.ask(host.entry(1)), host.tuples()


@scenario
def data_from_the_old_tuple(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1))
    return host.seen_at(OLD, 1, ACK)


@scenario
def data_from_the_new_tuple(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1))
    return host.seen_at(NEW, 1001, ACK)


@scenario
def data_to_the_new_tuple(host: PlayedServer) -> Any:
    flow = host.open(1)
    host.ask(host.entry(1))
    return host.sent_to(flow)


@scenario
def checksum_to_the_new_tuple(host: PlayedServer) -> Any:
    flow = host.open(1)
    host.ask(host.entry(1))
    return flow.out_delta


@scenario
def newcomer_at_the_old_tuple(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1))
    return host.seen_at(OLD, 1, SYN)


@scenario
def moves_again(host: PlayedServer) -> Any:
    host.open(1)
    host.ask(host.entry(1))
    again = Entry(1001, 5, host.snd_nxt(1))
    return host.ask(again, previous=NEW, migrated=OTHER, at=1), host.tuples()


def _offset(offset: int) -> Callable[[PlayedServer], Any]:
    def with_sequence_number(host: PlayedServer) -> Any:
        host.open(1)
        return host.ask(host.entry(1, offset)), host.tuples()

    return with_sequence_number


for name, offset in {
    "one_below": -1,
    "far_below": -900,
    "data_lost": 500,
    "end_of_window": WINDOW,
    "beyond_window": WINDOW + 5000,
    "far_beyond": 2**31 - 1,
    "half_a_number": 7 << 16,
}.items():
    SCENARIOS[f"sequence_{name}"] = _offset(offset)


@scenario
def wrong_address(host: PlayedServer) -> Any:
    host.open(1)
    return host.ask(host.entry(1), previous=OTHER), host.tuples()


@scenario
def wrong_port(host: PlayedServer) -> Any:
    host.open(1)
    return host.ask(host.entry(1)._replace(previous_port=2)), host.tuples()


@scenario
def wrong_protocol(host: PlayedServer) -> Any:
    host.open(1)
    return host.ask(host.entry(1), protocol=17), host.tuples()


@scenario
def half_open(host: PlayedServer) -> Any:
    host.open(1, state=State.SYN_RECEIVED)
    return host.ask(host.entry(1)), host.tuples()


@scenario
def closed(host: PlayedServer) -> Any:
    host.open(1, state=State.TIME_WAIT)
    return host.ask(host.entry(1)), host.tuples()


@scenario
def tuple_in_use(host: PlayedServer) -> Any:
    host.open(1)
    host.open(1001, NEW)
    return host.ask(host.entry(1)), host.tuples(), host.seen_at(NEW, 1001, ACK)


@scenario
def one_migrated_port_twice(host: PlayedServer) -> Any:
    host.open(1)
    host.open(2)
    return host.ask(host.entry(1, migrated=9), host.entry(2, migrated=9)), host.tuples()


@scenario
def several_ports(host: PlayedServer) -> Any:
    for port in (1, 2, 3):
        host.open(port)
    return host.ask(*(host.entry(port) for port in (1, 2, 3))), host.tuples()


def _partly(host: PlayedServer, code: int) -> Any:
    """Four ports, the second and the fourth with wrong numbers."""
    for port in (1, 2, 3, 4):
        host.open(port)
    entries = (host.entry(1), host.entry(2, -900), host.entry(3), host.entry(4, -900))
    return host.ask(*entries, code=code)


@scenario
def best_effort_reply(host: PlayedServer) -> Any:
    return _partly(host, 0)


@scenario
def best_effort_tuples(host: PlayedServer) -> Any:
    _partly(host, 0)
    return host.tuples()


@scenario
def atomic_reply(host: PlayedServer) -> Any:
    return _partly(host, 1)


@scenario
def atomic_tuples(host: PlayedServer) -> Any:
    _partly(host, 1)
    return host.tuples(), [host.seen_at(OLD, port, ACK) for port in (1, 3)], host.seen_at(NEW, 1001, ACK)


@scenario
def atomic_success(host: PlayedServer) -> Any:
    host.open(1)
    host.open(2)
    return host.ask(host.entry(1), host.entry(2), code=1), host.tuples()
