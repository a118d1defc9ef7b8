# SPDX-License-Identifier: GPL-2.0-or-later
"""What a mobile node does, scenario by scenario, with what is right."""

import hashlib
from collections.abc import Callable
from typing import Any

from reference.mops.message import Entry, Migrate
from tests.reference.node_bench import (
    AWAY,
    FAR,
    HOME,
    OTHER,
    RESET,
    SERVER,
    TCP,
    UDP,
    Bench,
    Conversation,
    read,
    reply,
)  # fmt: skip
from tests.reference.wire import ACK, SYN, internet_checksum

#: Name to what is played and what comes of it.
SCENARIOS: dict[str, tuple[Callable[[Bench], Any], Any]] = {}
FIRST = 5000 + 10270 + 1  # sequence number of the first byte of the connection from port 1027
FAILED = 3


def scenario(right: Any) -> Callable[[Callable[[Bench], Any]], Callable[[Bench], Any]]:
    def register(play: Callable[[Bench], Any]) -> Callable[[Bench], Any]:
        SCENARIOS[play.__name__] = play, right
        return play

    return register


def request(entries: list[Any], to: int = SERVER, previous: int = HOME, now: int = AWAY, protocol: int = TCP) -> Any:
    """What a Migrate looks like."""
    return (now, to, 0, protocol, previous, now, entries)


def going_on(talk_port: int = 1027, now: int = AWAY, to: int = SERVER) -> Any:
    """What a connection that goes on looks like."""
    data = ("tcp", now, to, talk_port, 80, ACK, b"up")
    return [data], [(TCP, ACK, b"down")]


# Requests ------------------------------------------------------------------------------------------------------------


@scenario([request([(1027, 1027, FIRST)])])
def moves(bench: Bench) -> Any:
    bench.open()
    bench.move(AWAY)
    return bench.asks()


@scenario((0, 0))
def form_of_a_request(bench: Bench) -> Any:
    bench.open()
    bench.move(AWAY)
    (message,) = bench.requests()
    return internet_checksum(message), int.from_bytes(message[6:8], "big")


@scenario([request([(1027, 1027, FIRST + 4)])])
def data_not_acknowledged(bench: Bench) -> Any:
    bench.open().kernel(b"data")
    bench.wire()
    bench.move(AWAY)
    return bench.asks()


@scenario([request([(1027, 1027, FIRST + 4)])])
def data_acknowledged(bench: Bench) -> Any:
    talk = bench.open()
    talk.kernel(b"data")
    talk.peer()
    bench.wire()
    bench.move(AWAY)
    return bench.asks()


@scenario(([(SERVER, 2), (OTHER, 1)], [[1027, 1028], [1029]]))
def several_servers(bench: Bench) -> Any:
    bench.open()
    bench.open(local=1028)
    bench.open(OTHER, local=1029)
    bench.move(AWAY)
    asked = bench.asks()
    return [(one[1], len(one[6])) for one in asked], [[entry[0] for entry in one[6]] for one in asked]


@scenario([(1027, 1027), (1027, 61000)])
def one_port_towards_two_services(bench: Bench) -> Any:
    bench.open()
    bench.open(port=443)
    bench.move(AWAY)
    return [entry[:2] for one in bench.asks() for entry in one[6]]


@scenario(([1027, 1028], True))
def migrated_ports_differ(bench: Bench) -> Any:
    bench.open()
    bench.open(local=1028)
    bench.move(AWAY)
    entries = [entry for one in bench.asks() for entry in one[6]]
    return sorted(entry[0] for entry in entries), len({entry[1] for entry in entries}) == 2


@scenario([(TCP, [(1027, 1027, FIRST)]), (UDP, [(4000, 4000, 7)])])
def udp_with_a_unique_id(bench: Bench) -> Any:
    bench.open()
    bench.speak(mobile=True, unique_id=7)
    bench.move(AWAY)
    return [(one[3], one[6]) for one in bench.asks()]


@scenario([])
def udp_without_a_unique_id(bench: Bench) -> Any:
    bench.speak(mobile=True)
    bench.move(AWAY)
    return bench.asks()


@scenario([])
def udp_without_a_choice(bench: Bench) -> Any:
    bench.speak(unique_id=7)
    bench.move(AWAY)
    return bench.asks()


@scenario(([], []))
def tcp_that_is_not_allowed(bench: Bench) -> Any:
    talk = bench.open(mobile=False)
    bench.move(AWAY)
    asked = bench.asks()
    talk.kernel(b"lost")
    return asked, bench.wire()


@scenario([request([(1027, 1027, 0xFFFFFFFF)])])
def tcp_with_a_unique_id(bench: Bench) -> Any:
    bench.open(unique_id=0xFFFFFFFF)
    bench.move(AWAY)
    return bench.asks()


@scenario([5, int.from_bytes(hashlib.sha256(b"\0\0\0\5").digest()[:4], "big")])
def one_time_unique_id(bench: Bench) -> Any:
    bench.open(unique_id=5, one_time=True)
    bench.move(AWAY)
    requests = bench.requests()
    bench.say(reply(requests[0]))
    bench.move(FAR)
    return [read(requests[0])[4][0][2], bench.asks()[0][6][0][2]]


# After the reply -----------------------------------------------------------------------------------------------------


@scenario(([], [("tcp", AWAY, SERVER, 1027, 80, ACK, b"held")], going_on()))
def success(bench: Bench) -> Any:
    talk = bench.open()
    bench.move(AWAY)
    (message,) = bench.requests()
    talk.kernel(b"held")
    before = bench.wire()
    bench.say(reply(message))
    return before, bench.wire(), bench.goes_on(talk)


@scenario(([], [], []))
def success_ends_the_repeats(bench: Bench) -> Any:
    bench.open()
    bench.move(AWAY)
    bench.say(reply(bench.requests()[0]))
    bench.wait(9)
    return bench.requests(), bench.wire(), bench.kernel_sees()


@scenario([[RESET], []])
def failed(bench: Bench) -> Any:
    talk = bench.open()
    bench.move(AWAY)
    bench.say(reply(bench.requests()[0], FAILED))
    seen = bench.kernel_sees()
    talk.kernel(b"more")
    bench.wait(9)
    return [seen, bench.wire()]


@scenario(([RESET], [], going_on(1028)))
def failed_in_part(bench: Bench) -> Any:
    one, two = bench.open(), bench.open(local=1028)
    bench.move(AWAY)
    bench.say(reply(bench.requests()[0], FAILED, [0]))
    seen = bench.kernel_sees()
    one.kernel(b"more")
    return seen, bench.wire(), bench.goes_on(two)


@scenario([2.0, 4.0, 6.0, "dead", 8.0])
def nobody_answers(bench: Bench) -> Any:
    bench.open()
    bench.move(AWAY)
    first, times = bench.requests(), []
    while bench.now < 20:
        bench.wait(0.1)
        for message in bench.requests():
            times.append(bench.now if message == first[0] else "another")
        if RESET in bench.kernel_sees():
            times += ["dead", bench.now]
    return times


@scenario([])
def silence_after_death(bench: Bench) -> Any:
    talk = bench.open()
    bench.move(AWAY)
    bench.wait(8.5)
    bench.wire()
    talk.kernel(b"more")
    bench.wait(2)
    return bench.wire()


def _ignored(change: Callable[[bytes], bytes], source: int = SERVER) -> Callable[[Bench], Any]:
    def is_ignored(bench: Bench) -> Any:
        talk = bench.open()
        bench.open(local=1028)
        bench.move(AWAY)
        (message,) = bench.requests()
        bench.say(change(message), source)
        answered = bench.wire()
        talk.kernel(b"held")
        return answered, bench.wire(), bench.kernel_sees()

    return is_ignored


for name, change, source in (
    ("reply_of_another", reply, OTHER),
    ("reply_of_another_protocol", lambda one: reply(one, protocol=UDP), SERVER),
    ("reply_with_another_previous_address", lambda one: reply(one, previous=HOME + 1), SERVER),
    ("reply_with_another_migrated_address", lambda one: reply(one, migrated=FAR), SERVER),
    ("reply_with_another_previous_port", lambda one: reply(one, previous_port=1), SERVER),
    ("reply_with_another_migrated_port", lambda one: reply(one, migrated_port=1), SERVER),
    ("reply_with_another_identifier", lambda one: reply(one, identifier=1), SERVER),
    ("reply_with_an_entry_missing", lambda one: reply(one, entries=[0]), SERVER),
    ("failed_with_another_identifier", lambda one: reply(one, FAILED, identifier=1), SERVER),
    ("reply_with_a_wrong_checksum", lambda one: reply(one, spoil=1), SERVER),
    ("reply_of_version_2", lambda one: reply(one, version=2), SERVER),
    ("reply_with_a_wrong_count", lambda one: reply(one, count=1), SERVER),
    ("reply_cut_short", lambda one: reply(reply(one)[:-4]), SERVER),
):
    SCENARIOS[name] = _ignored(change, source), ([], [], [])


@scenario(going_on())
def reply_with_reserved_bits(bench: Bench) -> Any:
    talk = bench.open()
    bench.move(AWAY)
    bench.say(reply(bench.requests()[0], reserved=0xFFFF))
    return bench.goes_on(talk)


@scenario(([], [], going_on()))
def contrary_second_reply(bench: Bench) -> Any:
    talk = bench.open()
    bench.move(AWAY)
    (message,) = bench.requests()
    bench.say(reply(message))
    bench.say(reply(message, FAILED))
    return bench.kernel_sees(), bench.wire(), bench.goes_on(talk)


@scenario(([], []))
def reply_after_death(bench: Bench) -> Any:
    talk = bench.open()
    bench.move(AWAY)
    (message,) = bench.requests()
    bench.wait(8.5)
    bench.wire()
    bench.kernel_sees()
    bench.say(reply(message))
    talk.kernel(b"more")
    return bench.wire(), bench.kernel_sees()


# Moving again --------------------------------------------------------------------------------------------------------


@scenario(([request([(1027, 1027, FIRST)], previous=AWAY, now=FAR)], going_on(now=FAR)))
def moves_again(bench: Bench) -> Any:
    talk = bench.open()
    bench.move(AWAY)
    bench.agree()
    bench.move(FAR)
    asked = bench.asks()
    bench.say(reply_to(asked[0]))
    return asked, bench.goes_on(talk)


def reply_to(asked: Any) -> bytes:
    """The success that answers what was asked."""
    _, _, _, protocol, previous, migrated, entries = asked
    return Migrate(2, protocol, previous, migrated, tuple(Entry(*entry) for entry in entries)).pack()


@scenario(going_on(now=HOME))
def moves_back(bench: Bench) -> Any:
    talk = bench.open()
    for address in (AWAY, HOME):
        bench.move(address)
        bench.agree()
    return bench.goes_on(talk)


@scenario(([request([(1027, 1027, FIRST)], now=FAR)] * 4, []))
def moves_on_before_an_answer(bench: Bench) -> Any:
    bench.open().kernel(b"")
    bench.move(AWAY)
    bench.wait(1)
    old = bench.requests()
    bench.move(FAR)
    bench.wait(9)
    asked = bench.asks()
    bench.say(reply(old[0]))
    return asked, bench.wire()


@scenario(
    (request([(1027, 1027, FIRST)], now=FAR), request([(1027, 1027, FIRST)], previous=AWAY, now=FAR), going_on(now=FAR))
)
def moves_on_after_a_lost_answer(bench: Bench) -> Any:
    talk = bench.open()
    bench.move(AWAY)
    bench.requests()
    bench.move(FAR)
    (first,) = bench.asks()
    failed_reply = bytearray(reply_to(first))
    bench.say(reply(bytes(failed_reply), FAILED))
    (second,) = bench.asks()
    bench.say(reply_to(second))
    return first, second, bench.goes_on(talk)


@scenario([("tcp", AWAY, SERVER, 2000, 80, SYN)])
def handshake_without_an_answer(bench: Bench) -> Any:
    talk = Conversation(bench, SERVER, 80, 2000, TCP)
    talk.kernel(flags=SYN)
    bench.wire()
    bench.move(AWAY)
    talk.kernel_nxt -= 1
    talk.kernel(flags=SYN)
    return [(one[0].rstrip("+"), *one[1:6]) for one in bench.wire()]


@scenario(([], [("tcp", HOME, SERVER, 1027, 80, ACK, b"back")]))
def returns_to_what_stayed_behind(bench: Bench) -> Any:
    talk = bench.open(mobile=False)
    bench.move(AWAY)
    talk.kernel(b"lost")
    lost = bench.wire()
    bench.move(HOME)
    talk.kernel(b"back")
    return lost, bench.wire()
