# SPDX-License-Identifier: GPL-2.0-or-later
"""What a mobile node learns, MOBILE_CAPABLE, and the server's part of Unique IDs, scenario by scenario."""

from collections.abc import Callable
from typing import Any

from reference.mops.choices import Choice
from reference.mops.message import Entry, Migrate
from tests.reference.node_bench import (
    AWAY,
    FAR,
    HOME,
    OTHER,
    OUTER,
    OUTERMOST,
    SERVER,
    TCP,
    UDP,
    UNICAST,
    Bench,
    Conversation,
    anycast,
    reply,
    translated,
)  # fmt: skip
from tests.reference.node_scenarios import SCENARIOS, going_on, scenario
from tests.reference.wire import ACK, SYN

# NAT -----------------------------------------------------------------------------------------------------------------

LEVEL_1 = translated(1, HOME, [(1027, 5050)], OUTER)
LEVEL_2 = translated(2, OUTER, [(5050, 6050)], OUTERMOST)
PLAIN = (HOME, 1027)


def _named(*messages: bytes) -> Callable[[Bench], Any]:
    def previous_tuple(bench: Bench) -> Any:
        bench.open()
        for message in messages:
            bench.say(message, 0xEE)
        answered = bench.wire()
        bench.move(AWAY)
        (asked,) = bench.asks()
        return answered, (asked[4], asked[6][0][0])

    return previous_tuple


for name, messages, named in (
    ("nat_of_one_level", [LEVEL_1], (OUTER, 5050)),
    ("nat_of_two_levels", [LEVEL_1, LEVEL_2], (OUTERMOST, 6050)),
    ("nat_in_reverse", [LEVEL_2, LEVEL_1], (OUTERMOST, 6050)),
    ("nat_with_reserved_bits", [translated(1, HOME, [(1027, 5050)], OUTER, reserved=255)], (OUTER, 5050)),
    ("nat_of_unknown_port", [translated(1, HOME, [(1028, 5050)], OUTER)], PLAIN),
    ("nat_of_unknown_address", [translated(1, HOME + 1, [(1027, 5050)], OUTER)], PLAIN),
    ("nat_chained_to_nothing", [LEVEL_1, translated(2, OUTER, [(5051, 6050)], OUTERMOST)], (OUTER, 5050)),
    ("nat_of_level_2_alone", [translated(2, HOME, [(1027, 6050)], OUTERMOST)], PLAIN),
    ("nat_of_another_protocol", [translated(1, HOME, [(1027, 5050)], OUTER, UDP)], PLAIN),
    ("nat_of_level_0", [translated(0, HOME, [(1027, 5050)], OUTER)], PLAIN),
    ("nat_with_a_wrong_checksum", [translated(1, HOME, [(1027, 5050)], OUTER, spoil=1)], PLAIN),
    ("nat_of_version_2", [translated(1, HOME, [(1027, 5050)], OUTER, version=2)], PLAIN),
    ("nat_of_code_1", [translated(1, HOME, [(1027, 5050)], OUTER, code=1)], PLAIN),
    ("nat_with_count_0", [translated(1, HOME, [(1027, 5050)], OUTER, count=0)], PLAIN),
    ("nat_with_count_2", [translated(1, HOME, [(1027, 5050)], OUTER, count=2)], PLAIN),
):
    SCENARIOS[name] = _named(*messages), ([], named)


@scenario([(OUTER, [5050, 5051])])
def nat_of_two_sockets(bench: Bench) -> Any:
    bench.open()
    bench.open(local=1028)
    bench.say(translated(1, HOME, [(1027, 5050), (1028, 5051)], OUTER))
    bench.move(AWAY)
    return [(one[4], [entry[0] for entry in one[6]]) for one in bench.asks()]


@scenario([(AWAY, 1027)])
def nat_left_behind(bench: Bench) -> Any:
    bench.open()
    bench.say(LEVEL_1)
    bench.move(AWAY)
    bench.say(reply(bench.requests()[0]))
    bench.move(FAR)
    return [(one[4], one[6][0][0]) for one in bench.asks()]


@scenario([(OUTER, 7070)])
def nat_of_the_new_network(bench: Bench) -> Any:
    bench.open()
    bench.move(AWAY)
    bench.say(translated(1, AWAY, [(1027, 7070)], OUTER))
    bench.say(reply(bench.requests()[0]))
    bench.move(FAR)
    return [(one[4], one[6][0][0]) for one in bench.asks()]


# Anycast -------------------------------------------------------------------------------------------------------------


def _told(message: bytes, source: int = SERVER) -> Callable[[Bench], Any]:
    def destinations(bench: Bench) -> Any:
        bench.open()
        bench.open(local=1028)
        bench.say(message, source)
        answered = bench.wire()
        bench.move(AWAY)
        return answered, [(one[1], [entry[0] for entry in one[6]]) for one in bench.asks()]

    return destinations


_NOWHERE = [(SERVER, [1027, 1028])]
for name, message, source, right in (
    ("anycast", anycast((1027, 80)), SERVER, [(UNICAST, [1027]), (SERVER, [1028])]),
    ("anycast_from_unicast", anycast((1027, 80)), UNICAST, [(UNICAST, [1027]), (SERVER, [1028])]),
    ("anycast_reserved", anycast((1027, 80), reserved=0xFFFC), SERVER, [(UNICAST, [1027]), (SERVER, [1028])]),
    ("anycast_of_somebody_else", anycast((1027, 80)), OTHER, _NOWHERE),
    ("anycast_of_another_source_port", anycast((1029, 80)), SERVER, _NOWHERE),
    ("anycast_of_another_service", anycast((1027, 81)), SERVER, _NOWHERE),
    ("anycast_of_another_address", anycast((1027, 80), address=OTHER), OTHER, _NOWHERE),
    ("anycast_of_another_protocol", anycast((1027, 80), protocol=UDP), SERVER, _NOWHERE),
    ("anycast_with_a_wrong_checksum", anycast((1027, 80), spoil=1), SERVER, _NOWHERE),
    ("anycast_of_version_2", anycast((1027, 80), version=2), SERVER, _NOWHERE),
    ("anycast_of_code_1", anycast((1027, 80), code=1), SERVER, _NOWHERE),
    ("anycast_too_long", anycast((1027, 80), longer=2), SERVER, _NOWHERE),
):
    SCENARIOS[name] = _told(message, source), ([], right)


@scenario([("tcp", HOME, SERVER, 1027, 80, ACK, b"still")])
def anycast_before_a_move(bench: Bench) -> Any:
    talk = bench.open()
    bench.say(anycast((1027, 80)))
    talk.kernel(b"still")
    return bench.wire()


@scenario((going_on(to=UNICAST), (UNICAST, AWAY)))
def anycast_goes_on_at_unicast(bench: Bench) -> Any:
    talk = bench.open()
    bench.say(anycast((1027, 80)))
    bench.move(AWAY)
    bench.agree(UNICAST)
    talk.at = UNICAST
    on = bench.goes_on(talk)
    bench.move(FAR)
    (asked,) = bench.asks()
    return on, (asked[1], asked[4])


# MOBILE_CAPABLE ------------------------------------------------------------------------------------------------------


def _handshake(bench: Bench, answer: bytes, **choice: Any) -> Any:
    talk = Conversation(bench, SERVER, 80, 1027, TCP)
    bench.choices._by_port[TCP, 1027] = Choice(**choice)
    talk.kernel(flags=SYN, options=bytes.fromhex("020405b4"))
    talk.peer(flags=SYN | ACK, options=answer)
    talk.kernel()
    talk.kernel(b"data")
    return [one[0] for one in bench.wire()]


CAPABLE = bytes.fromhex("fe044d4f")


@scenario(["tcp+", "tcp+", "tcp"])
def capable_on_both_sides(bench: Bench) -> Any:
    return _handshake(bench, CAPABLE)


@scenario(["tcp+", "tcp", "tcp"])
def capable_without_an_answer(bench: Bench) -> Any:
    return _handshake(bench, b"")


@scenario(["tcp", "tcp", "tcp"])
def capable_not_allowed(bench: Bench) -> Any:
    return _handshake(bench, CAPABLE, mobile=False)


def _accepted(bench: Bench, options: bytes) -> Any:
    talk = Conversation(bench, SERVER, 3000, 7, TCP)
    talk.peer(flags=SYN, options=options)
    talk.kernel(flags=SYN | ACK)
    talk.kernel()
    return [one[0] for one in bench.wire()]


@scenario(["tcp+", "tcp"])
def capable_asked(bench: Bench) -> Any:
    return _accepted(bench, b"\x01\x01\x01\x01" + CAPABLE)


@scenario(["tcp", "tcp"])
def capable_unasked(bench: Bench) -> Any:
    return _accepted(bench, bytes.fromhex("fe041234"))


# The server's part ---------------------------------------------------------------------------------------------------


def _served(protocol: int = TCP, identifier: int | None = None, **choice: Any) -> Callable[[Bench], Any]:
    """A peer of a listener migrates: the code of the reply."""

    def code(bench: Bench) -> Any:
        if protocol == TCP:
            talk = bench.open(**choice)
        else:
            talk = bench.speak(**choice)
            talk.peer(b"hello")
        return _migrated(bench, talk, talk.nxt if identifier is None else identifier)

    return code


def _migrated(bench: Bench, talk: Conversation, identifier: int) -> int:
    bench.wire()
    entry = Entry(talk.port, talk.port + 1, identifier)
    bench.say(Migrate(0, talk.protocol, talk.at, OTHER, (entry,)).pack(), OTHER)
    talk.port, talk.at = talk.port + 1, OTHER
    return bench.requests()[0][5]


for name, arguments, right in (
    ("server_tcp", {}, 2),
    ("server_tcp_not_allowed", {"mobile": False}, 3),
    ("server_unique_id", {"unique_id": 9, "identifier": 9}, 2),
    ("server_unique_id_0", {"unique_id": 0, "identifier": 0}, 2),
    ("server_sequence_number_for_a_unique_id", {"unique_id": 9}, 3),
    ("server_unique_id_for_a_sequence_number", {"identifier": 9}, 3),
    ("server_0_for_a_unique_id", {"unique_id": 9, "identifier": 0}, 3),
    ("server_ones_for_a_unique_id", {"unique_id": 9, "identifier": 0xFFFFFFFF}, 3),
    ("server_other_high_half", {"unique_id": 9, "identifier": 0x10009}, 3),
    ("server_udp", {"protocol": UDP, "mobile": True, "unique_id": 9, "identifier": 9}, 2),
    ("server_udp_wrong", {"protocol": UDP, "mobile": True, "unique_id": 9, "identifier": 8}, 3),
    ("server_udp_without_a_unique_id", {"protocol": UDP, "mobile": True, "identifier": 0}, 3),
    ("server_udp_without_a_choice", {"protocol": UDP, "unique_id": 9, "identifier": 9}, 3),
):
    SCENARIOS[name] = _served(**arguments), right


@scenario([2, 3])
def server_one_time_id_again(bench: Bench) -> Any:
    talk = bench.open(unique_id=9, one_time=True)
    return [_migrated(bench, talk, 9), _migrated(bench, talk, 9)]
