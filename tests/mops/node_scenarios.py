# SPDX-License-Identifier: GPL-2.0-or-later
"""What a mobile node does, scenario by scenario, with what is right."""

import hashlib
from collections.abc import Callable
from typing import Any

from tests.lab.wire import ACK, internet_checksum
from tests.mops.played_node import (
    AWAY,
    FAR,
    HOME,
    OTHER,
    RESET,
    SERVER,
    TCP,
    UDP,
    PlayedNode,
    read,
    reply,
)  # fmt: skip

#: Name to what is played and what comes of it.
SCENARIOS: dict[str, tuple[Callable[[PlayedNode], Any], Any]] = {}
FIRST = 5000 + 10270 + 1  # sequence number of the first byte of the connection from port 1027
FAILED = 3


def scenario(right: Any) -> Callable[[Callable[[PlayedNode], Any]], Callable[[PlayedNode], Any]]:
    def register(play: Callable[[PlayedNode], Any]) -> Callable[[PlayedNode], Any]:
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
def moves(host: PlayedNode) -> Any:
    host.open()
    host.move(AWAY)
    return host.asks()


@scenario((0, 0))
def form_of_a_request(host: PlayedNode) -> Any:
    host.open()
    host.move(AWAY)
    (message,) = host.requests()
    return internet_checksum(message), int.from_bytes(message[6:8], "big")


@scenario([request([(1027, 1027, FIRST + 4)])])
def data_not_acknowledged(host: PlayedNode) -> Any:
    host.open().kernel(b"data")
    host.wire()
    host.move(AWAY)
    return host.asks()


@scenario([request([(1027, 1027, FIRST + 4)])])
def data_acknowledged(host: PlayedNode) -> Any:
    talk = host.open()
    talk.kernel(b"data")
    talk.peer()
    host.wire()
    host.move(AWAY)
    return host.asks()


@scenario(([(SERVER, 2), (OTHER, 1)], [[1027, 1028], [1029]]))
def several_servers(host: PlayedNode) -> Any:
    host.open()
    host.open(local=1028)
    host.open(OTHER, local=1029)
    host.move(AWAY)
    asked = host.asks()
    return [(one[1], len(one[6])) for one in asked], [[entry[0] for entry in one[6]] for one in asked]


@scenario([(1027, 1027), (1027, 61000)])
def one_port_towards_two_services(host: PlayedNode) -> Any:
    host.open()
    host.open(port=443)
    host.move(AWAY)
    return [entry[:2] for one in host.asks() for entry in one[6]]


@scenario(([1027, 1028], True))
def migrated_ports_differ(host: PlayedNode) -> Any:
    host.open()
    host.open(local=1028)
    host.move(AWAY)
    entries = [entry for one in host.asks() for entry in one[6]]
    return sorted(entry[0] for entry in entries), len({entry[1] for entry in entries}) == 2


@scenario([(TCP, [(1027, 1027, FIRST)]), (UDP, [(4000, 4000, 7)])])
def udp_with_a_unique_id(host: PlayedNode) -> Any:
    host.open()
    host.speak(mobile=True, unique_id=7)
    host.move(AWAY)
    return [(one[3], one[6]) for one in host.asks()]


@scenario([])
def udp_without_a_unique_id(host: PlayedNode) -> Any:
    host.speak(mobile=True)
    host.move(AWAY)
    return host.asks()


@scenario([])
def udp_without_a_choice(host: PlayedNode) -> Any:
    host.speak(unique_id=7)
    host.move(AWAY)
    return host.asks()


@scenario(([], []))
def tcp_that_is_not_allowed(host: PlayedNode) -> Any:
    talk = host.open(mobile=False)
    host.move(AWAY)
    asked = host.asks()
    talk.kernel(b"lost")
    return asked, host.wire()


@scenario([request([(1027, 1027, 0xFFFFFFFF)])])
def tcp_with_a_unique_id(host: PlayedNode) -> Any:
    host.open(unique_id=0xFFFFFFFF)
    host.move(AWAY)
    return host.asks()


@scenario([5, int.from_bytes(hashlib.sha256(b"\0\0\0\5").digest()[:4], "big")])
def one_time_unique_id(host: PlayedNode) -> Any:
    host.open(unique_id=5, one_time=True)
    host.move(AWAY)
    requests = host.requests()
    host.say(reply(requests[0]))
    host.move(FAR)
    return [read(requests[0])[4][0][2], host.asks()[0][6][0][2]]


# After the reply -----------------------------------------------------------------------------------------------------


@scenario(([], [("tcp", AWAY, SERVER, 1027, 80, ACK, b"held")], going_on()))
def success(host: PlayedNode) -> Any:
    talk = host.open()
    host.move(AWAY)
    (message,) = host.requests()
    talk.kernel(b"held")
    before = host.wire()
    host.say(reply(message))
    return before, host.wire(), host.goes_on(talk)


@scenario(([], [], []))
def success_ends_the_repeats(host: PlayedNode) -> Any:
    host.open()
    host.move(AWAY)
    host.say(reply(host.requests()[0]))
    host.wait(9)
    return host.requests(), host.wire(), host.kernel_sees()


@scenario([[RESET], []])
def failed(host: PlayedNode) -> Any:
    talk = host.open()
    host.move(AWAY)
    host.say(reply(host.requests()[0], FAILED))
    seen = host.kernel_sees()
    talk.kernel(b"more")
    host.wait(9)
    return [seen, host.wire()]


@scenario(([RESET], [], going_on(1028)))
def failed_in_part(host: PlayedNode) -> Any:
    one, two = host.open(), host.open(local=1028)
    host.move(AWAY)
    host.say(reply(host.requests()[0], FAILED, [0]))
    seen = host.kernel_sees()
    one.kernel(b"more")
    return seen, host.wire(), host.goes_on(two)


@scenario([2.0, 4.0, 6.0, "dead", 8.0])
def nobody_answers(host: PlayedNode) -> Any:
    host.open()
    host.move(AWAY)
    first, times = host.requests(), []
    while host.now < 20:
        host.wait(0.1)
        for message in host.requests():
            times.append(host.now if message == first[0] else "another")
        if RESET in host.kernel_sees():
            times += ["dead", host.now]
    return times


@scenario([])
def silence_after_death(host: PlayedNode) -> Any:
    talk = host.open()
    host.move(AWAY)
    host.wait(8.5)
    host.wire()
    talk.kernel(b"more")
    host.wait(2)
    return host.wire()


def _ignored(change: Callable[[bytes], bytes], source: int = SERVER) -> Callable[[PlayedNode], Any]:
    def is_ignored(host: PlayedNode) -> Any:
        talk = host.open()
        host.open(local=1028)
        host.move(AWAY)
        (message,) = host.requests()
        host.say(change(message), source)
        answered = host.wire()
        talk.kernel(b"held")
        return answered, host.wire(), host.kernel_sees()

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
def reply_with_reserved_bits(host: PlayedNode) -> Any:
    talk = host.open()
    host.move(AWAY)
    host.say(reply(host.requests()[0], reserved=0xFFFF))
    return host.goes_on(talk)


@scenario(([], [], going_on()))
def contrary_second_reply(host: PlayedNode) -> Any:
    talk = host.open()
    host.move(AWAY)
    (message,) = host.requests()
    host.say(reply(message))
    host.say(reply(message, FAILED))
    return host.kernel_sees(), host.wire(), host.goes_on(talk)


@scenario(([], []))
def reply_after_death(host: PlayedNode) -> Any:
    talk = host.open()
    host.move(AWAY)
    (message,) = host.requests()
    host.wait(8.5)
    host.wire()
    host.kernel_sees()
    host.say(reply(message))
    talk.kernel(b"more")
    return host.wire(), host.kernel_sees()
