# SPDX-License-Identifier: GPL-2.0-or-later
"""A MOPS server without a wire: what it answers, and where its connections are afterwards, scenario by scenario."""

from collections.abc import Callable
from typing import Any

from reference.carriage import Carriage
from reference.carriage_ipff import IpffCarriage
from reference.configuration import IpffSettings
from reference.flows import Flow
from reference.mops_message import Entry, Migrate
from reference.parts import Parts
from reference.tcp import ACK, SYN, State
from tests.reference.wire import internet_checksum

OLD, NEW, OTHER, SENDER, DUT = 0xA, 0xB, 0xC, 0xD, 0x1
INTERVAL_S = 5.0
RCV_NXT, WINDOW = 1000, 20000


class Bench:
    """One server and its flows."""

    def __init__(self, parts: Parts) -> None:
        settings = IpffSettings(DUT, 0x88B5, 1, bytes(6))
        self.carriage = IpffCarriage(settings, parts.flows())
        self.flows = self.carriage.flows
        self.replies: list[tuple[int, bytes]] = []
        self.server = parts.mops_server(parts.rate_limit(INTERVAL_S), False, lambda _: None, self._send)
        self.opened: list[Flow] = []

    def _send(self, carriage: Carriage, destination: int, protocol: int, payload: bytes) -> None:
        self.replies.append((destination, payload))

    def open(self, port: int, address: int = OLD, state: State = State.ESTABLISHED) -> Flow:
        """A connection whose receive window starts a million further for each port."""
        flow = self.flows.inbound(address, port, 7, SYN, 0.0)
        assert flow is not None
        flow.tcp.state = state
        flow.tcp.rcv_nxt = flow.tcp.expected = self.snd_nxt(port)
        flow.tcp.rcv_edge = flow.tcp.rcv_nxt + WINDOW
        self.opened.append(flow)
        return flow

    @staticmethod
    def snd_nxt(port: int) -> int:
        """What the mobile node sends next from this port."""
        return port * 1_000_000 + RCV_NXT

    def entry(self, port: int, offset: int = 0, migrated: int | None = None) -> Entry:
        return Entry(port, port + 1000 if migrated is None else migrated, self.snd_nxt(port) + offset)

    def ask(self, *entries: Entry, at: float = 0.0, source: int = NEW, raw: bytes | None = None, **fields: Any) -> Any:
        """Send a Migrate; what is answered: code and ports."""
        if raw is None:
            raw = Migrate(
                **{"code": 0, "protocol": 6, "previous": OLD, "migrated": NEW, "entries": entries, **fields}
            ).pack()
        self.replies.clear()
        self.server.receive(self.carriage, source, raw, at)
        return [
            (payload[5], [entry.previous_port for entry in self.message(payload).entries])
            for _, payload in self.replies
        ]

    @staticmethod
    def message(payload: bytes) -> Migrate:
        message = Migrate.parse(payload)
        assert message is not None
        return message

    def tuples(self) -> list[tuple[int, int]]:
        """Where the connections are reached."""
        return [(flow.wire_address, flow.wire_port) for flow in self.opened]

    def seen_at(self, address: int, port: int, flags: int) -> Any:
        """Which connection of the kernel a segment from this tuple enters: its index, None for any other."""
        flow = self.flows.inbound(address, port, 7, flags, 0.0)
        kernels = [one.kernel for one in self.opened]
        return kernels.index(flow.kernel) if flow is not None and flow.kernel in kernels else None

    def sent_to(self, flow: Flow) -> tuple[int, int]:
        """Where the kernel's segments for a connection go."""
        out = self.flows.outbound(*flow.kernel, 0.0)
        assert out is not None
        return out.wire_address, out.wire_port


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
