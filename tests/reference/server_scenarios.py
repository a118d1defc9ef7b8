# SPDX-License-Identifier: GPL-2.0-or-later
"""What a MOPS server does on `server_bench`, scenario by scenario."""

from collections.abc import Callable
from typing import Any

from reference.mops.message import Entry, Migrate
from reference.bump.tcp import ACK, SYN, State
from tests.reference.server_bench import NEW, OLD, OTHER, SENDER, WINDOW, Bench
from tests.reference.wire import internet_checksum


def scenario(function: Callable[[Bench], Any]) -> Callable[[Bench], Any]:
    SCENARIOS[function.__name__] = function
    return function


SCENARIOS: dict[str, Callable[[Bench], Any]] = {}


@scenario
def moves(bench: Bench) -> Any:
    bench.open(1)
    return bench.ask(bench.entry(1)), bench.tuples()


@scenario
def data_from_the_old_tuple(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1))
    return bench.seen_at(OLD, 1, ACK)


@scenario
def data_from_the_new_tuple(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1))
    return bench.seen_at(NEW, 1001, ACK)


@scenario
def data_to_the_new_tuple(bench: Bench) -> Any:
    flow = bench.open(1)
    bench.ask(bench.entry(1))
    return bench.sent_to(flow)


@scenario
def checksum_to_the_new_tuple(bench: Bench) -> Any:
    flow = bench.open(1)
    bench.ask(bench.entry(1))
    return flow.out_delta


@scenario
def newcomer_at_the_old_tuple(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1))
    return bench.seen_at(OLD, 1, SYN)


@scenario
def moves_again(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1))
    again = Entry(1001, 5, bench.snd_nxt(1))
    return bench.ask(again, previous=NEW, migrated=OTHER, at=1), bench.tuples()


def _offset(offset: int) -> Callable[[Bench], Any]:
    def with_sequence_number(bench: Bench) -> Any:
        bench.open(1)
        return bench.ask(bench.entry(1, offset)), bench.tuples()

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
def wrong_address(bench: Bench) -> Any:
    bench.open(1)
    return bench.ask(bench.entry(1), previous=OTHER), bench.tuples()


@scenario
def wrong_port(bench: Bench) -> Any:
    bench.open(1)
    return bench.ask(bench.entry(1)._replace(previous_port=2)), bench.tuples()


@scenario
def wrong_protocol(bench: Bench) -> Any:
    bench.open(1)
    return bench.ask(bench.entry(1), protocol=17), bench.tuples()


@scenario
def half_open(bench: Bench) -> Any:
    bench.open(1, state=State.SYN_RECEIVED)
    return bench.ask(bench.entry(1)), bench.tuples()


@scenario
def closed(bench: Bench) -> Any:
    bench.open(1, state=State.TIME_WAIT)
    return bench.ask(bench.entry(1)), bench.tuples()


@scenario
def tuple_in_use(bench: Bench) -> Any:
    bench.open(1)
    bench.open(1001, NEW)
    return bench.ask(bench.entry(1)), bench.tuples(), bench.seen_at(NEW, 1001, ACK)


@scenario
def one_migrated_port_twice(bench: Bench) -> Any:
    bench.open(1)
    bench.open(2)
    return bench.ask(bench.entry(1, migrated=9), bench.entry(2, migrated=9)), bench.tuples()


@scenario
def several_ports(bench: Bench) -> Any:
    for port in (1, 2, 3):
        bench.open(port)
    return bench.ask(*(bench.entry(port) for port in (1, 2, 3))), bench.tuples()


def _partly(bench: Bench, code: int) -> Any:
    """Four ports, the second and the fourth with wrong numbers."""
    for port in (1, 2, 3, 4):
        bench.open(port)
    entries = (bench.entry(1), bench.entry(2, -900), bench.entry(3), bench.entry(4, -900))
    return bench.ask(*entries, code=code)


@scenario
def best_effort_reply(bench: Bench) -> Any:
    return _partly(bench, 0)


@scenario
def best_effort_tuples(bench: Bench) -> Any:
    _partly(bench, 0)
    return bench.tuples()


@scenario
def atomic_reply(bench: Bench) -> Any:
    return _partly(bench, 1)


@scenario
def atomic_tuples(bench: Bench) -> Any:
    _partly(bench, 1)
    return bench.tuples(), [bench.seen_at(OLD, port, ACK) for port in (1, 3)], bench.seen_at(NEW, 1001, ACK)


@scenario
def atomic_success(bench: Bench) -> Any:
    bench.open(1)
    bench.open(2)
    return bench.ask(bench.entry(1), bench.entry(2), code=1), bench.tuples()


# The form of replies


def _reply(bench: Bench, *entries: Entry, **fields: Any) -> tuple[int, bytes]:
    bench.ask(*entries, **fields)
    return bench.replies[0] if bench.replies else (0, bytes(24))


@scenario
def reply_checksum(bench: Bench) -> Any:
    bench.open(1)
    return internet_checksum(_reply(bench, bench.entry(1))[1])


@scenario
def reply_reserved(bench: Bench) -> Any:
    bench.open(1)
    return bench.message(_reply(bench, bench.entry(1))[1]).reserved


@scenario
def reply_addresses(bench: Bench) -> Any:
    bench.open(1)
    message = bench.message(_reply(bench, bench.entry(1))[1])
    return message.previous, message.migrated


@scenario
def reply_identifiers(bench: Bench) -> Any:
    bench.open(1)
    return [entry.identifier for entry in bench.message(_reply(bench, bench.entry(1))[1]).entries]


@scenario
def reply_destination(bench: Bench) -> Any:
    bench.open(1)
    return _reply(bench, bench.entry(1), source=SENDER)[0] - NEW, _reply(bench, bench.entry(1), source=NEW, at=9)[0]


@scenario
def failed_reply_count(bench: Bench) -> Any:
    bench.open(1)
    bench.open(2)
    message = bench.message(_reply(bench, bench.entry(1), bench.entry(2, -900))[1])
    return message.count == len(message.entries)


# Malformed commands


def _malformed(**fields: Any) -> Callable[[Bench], Any]:
    def is_malformed(bench: Bench) -> Any:
        bench.open(1)
        return bench.ask(bench.entry(1), **fields), bench.tuples()

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


def _raw(bench: Bench, change: Callable[[bytes], bytes], right: bool = True, entries: int = 1) -> Any:
    for port in range(1, entries + 1):
        bench.open(port)
    raw = Migrate(0, 6, OLD, NEW, tuple(bench.entry(port) for port in range(1, entries + 1))).pack()
    raw = change(raw)
    if right:
        raw = raw[:2] + internet_checksum(raw[:2] + b"\0\0" + raw[4:]).to_bytes(2, "big") + raw[4:]
    return bench.ask(raw=raw), bench.tuples()


@scenario
def wrong_checksum(bench: Bench) -> Any:
    return _raw(bench, lambda raw: raw[:3] + bytes([raw[3] ^ 1]) + raw[4:], right=False)


@scenario
def count_1_of_2(bench: Bench) -> Any:
    return _raw(bench, lambda raw: raw[:16] + b"\0\4" + raw[18:], entries=2)


@scenario
def trailing_byte(bench: Bench) -> Any:
    return _raw(bench, lambda raw: raw + b"\0")


@scenario
def cut_short(bench: Bench) -> Any:
    return _raw(bench, lambda raw: raw[:-3], entries=2)


# Rate limit


@scenario
def second_inside_the_interval(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1))
    return bench.ask(bench.entry(1), at=1)


@scenario
def effect_inside_the_interval(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1, -900))
    bench.ask(bench.entry(1), at=1)
    return bench.tuples()


@scenario
def shortly_before_the_end(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1, WINDOW + 5000))
    bench.ask(bench.entry(1, 1), at=4.9, source=OTHER)
    return len(bench.replies)


@scenario
def after_the_interval(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1, -900))
    return bench.ask(bench.entry(1), at=5.1)


@scenario
def discarded_do_not_restart(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1, -900))
    bench.ask(bench.entry(1, -900), at=2)
    bench.ask(bench.entry(1, -900), at=4)
    return bench.ask(bench.entry(1), at=6)


@scenario
def failed_attempts_count(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1, -900))
    return bench.ask(bench.entry(1, -900), at=1)


@scenario
def another_port_inside_the_interval(bench: Bench) -> Any:
    bench.open(1)
    bench.open(2)
    bench.ask(bench.entry(1))
    return bench.ask(bench.entry(2), at=1)


@scenario
def another_address_inside_the_interval(bench: Bench) -> Any:
    bench.open(1)
    bench.open(1, OTHER)
    bench.ask(bench.entry(1))
    return bench.ask(bench.entry(1, migrated=1009), at=1, previous=OTHER)


@scenario
def repeat_after_success(bench: Bench) -> Any:
    bench.open(1)
    bench.ask(bench.entry(1))
    return bench.ask(bench.entry(1), at=6), bench.tuples()
