# SPDX-License-Identifier: GPL-2.0-or-later
"""What a mobile node learns, MOBILE_CAPABLE, and the server's part of Unique IDs, scenario by scenario."""

from collections.abc import Callable
from typing import Any

from reference.mops.message import Entry, Migrate
from tests.lab.wire import ACK, SYN
from tests.mops.node_scenarios_moving import SCENARIOS, going_on, scenario
from tests.mops.played_node import (
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
    Conversation,
    PlayedNode,
    anycast,
    reply,
    translated,
)  # fmt: skip

# NAT -----------------------------------------------------------------------------------------------------------------

LEVEL_1 = translated(1, HOME, [(1027, 5050)], OUTER)
LEVEL_2 = translated(2, OUTER, [(5050, 6050)], OUTERMOST)
PLAIN = (HOME, 1027)


def _named(*messages: bytes) -> Callable[[PlayedNode], Any]:
    def previous_tuple(host: PlayedNode) -> Any:
        host.open()
        for message in messages:
            host.say(message, 0xEE)
        answered = host.wire()
        host.move(AWAY)
        (asked,) = host.asks()
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
def nat_of_two_sockets(host: PlayedNode) -> Any:
    host.open()
    host.open(local=1028)
    host.say(translated(1, HOME, [(1027, 5050), (1028, 5051)], OUTER))
    host.move(AWAY)
    return [(one[4], [entry[0] for entry in one[6]]) for one in host.asks()]


@scenario([(AWAY, 1027)])
def nat_left_behind(host: PlayedNode) -> Any:
    host.open()
    host.say(LEVEL_1)
    host.move(AWAY)
    host.say(reply(host.requests()[0]))
    host.move(FAR)
    return [(one[4], one[6][0][0]) for one in host.asks()]


@scenario([(OUTER, 7070)])
def nat_of_the_new_network(host: PlayedNode) -> Any:
    host.open()
    host.move(AWAY)
    host.say(translated(1, AWAY, [(1027, 7070)], OUTER))
    host.say(reply(host.requests()[0]))
    host.move(FAR)
    return [(one[4], one[6][0][0]) for one in host.asks()]


# Anycast -------------------------------------------------------------------------------------------------------------


def _told(message: bytes, source: int = SERVER) -> Callable[[PlayedNode], Any]:
    def destinations(host: PlayedNode) -> Any:
        host.open()
        host.open(local=1028)
        host.say(message, source)
        answered = host.wire()
        host.move(AWAY)
        return answered, [(one[1], [entry[0] for entry in one[6]]) for one in host.asks()]

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
def anycast_before_a_move(host: PlayedNode) -> Any:
    talk = host.open()
    host.say(anycast((1027, 80)))
    talk.kernel(b"still")
    return host.wire()


@scenario((going_on(to=UNICAST), (UNICAST, AWAY)))
def anycast_goes_on_at_unicast(host: PlayedNode) -> Any:
    talk = host.open()
    host.say(anycast((1027, 80)))
    host.move(AWAY)
    host.agree(UNICAST)
    talk.at = UNICAST
    on = host.goes_on(talk)
    host.move(FAR)
    (asked,) = host.asks()
    return on, (asked[1], asked[4])


# MOBILE_CAPABLE ------------------------------------------------------------------------------------------------------


def _handshake(host: PlayedNode, answer: bytes, **choice: Any) -> Any:
    talk = Conversation(host, SERVER, 80, 1027, TCP)
    host.chooses(TCP, 1027, **choice)
    talk.kernel(flags=SYN, options=bytes.fromhex("020405b4"))
    talk.peer(flags=SYN | ACK, options=answer)
    talk.kernel()
    talk.kernel(b"data")
    return [one[0] for one in host.wire()]


CAPABLE = bytes.fromhex("fe044d4f")


@scenario(["tcp+", "tcp+", "tcp"])
def capable_on_both_sides(host: PlayedNode) -> Any:
    return _handshake(host, CAPABLE)


@scenario(["tcp+", "tcp", "tcp"])
def capable_without_an_answer(host: PlayedNode) -> Any:
    return _handshake(host, b"")


@scenario(["tcp", "tcp", "tcp"])
def capable_not_allowed(host: PlayedNode) -> Any:
    return _handshake(host, CAPABLE, mobile=False)


def _accepted(host: PlayedNode, options: bytes) -> Any:
    talk = Conversation(host, SERVER, 3000, 7, TCP)
    talk.peer(flags=SYN, options=options)
    talk.kernel(flags=SYN | ACK)
    talk.kernel()
    return [one[0] for one in host.wire()]


@scenario(["tcp+", "tcp"])
def capable_asked(host: PlayedNode) -> Any:
    return _accepted(host, b"\x01\x01\x01\x01" + CAPABLE)


@scenario(["tcp", "tcp"])
def capable_unasked(host: PlayedNode) -> Any:
    return _accepted(host, bytes.fromhex("fe041234"))


# The server's part ---------------------------------------------------------------------------------------------------


def _served(protocol: int = TCP, identifier: int | None = None, **choice: Any) -> Callable[[PlayedNode], Any]:
    """A peer of a listener migrates: the code of the reply."""

    def code(host: PlayedNode) -> Any:
        if protocol == TCP:
            talk = host.open(**choice)
        else:
            talk = host.speak(**choice)
            talk.peer(b"hello")
        return _migrated(host, talk, talk.nxt if identifier is None else identifier)

    return code


def _migrated(host: PlayedNode, talk: Conversation, identifier: int) -> int:
    host.wire()
    entry = Entry(talk.port, talk.port + 1, identifier)
    host.say(Migrate(0, talk.protocol, talk.at, OTHER, (entry,)).pack(), OTHER)
    talk.port, talk.at = talk.port + 1, OTHER
    return host.requests()[0][5]


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
def server_one_time_id_again(host: PlayedNode) -> Any:
    talk = host.open(unique_id=9, one_time=True)
    return [_migrated(host, talk, 9), _migrated(host, talk, 9)]
