# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of a Rehash host that moves."""

from typing import Any

from tests.lab.wire import ACK, RST, SYN
from tests.rehash.peer import packed
from tests.rehash.played_host import (
    AWAY,
    FURTHER,
    HOME,
    MOVED,
    PEER,
    SACK,
    TIMESTAMPS,
    Conversation,
    PlayedHost,
    both,
    scenario,
)


@scenario
def moving_idle(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    return host.told(talk)


@scenario
def moving_accepted(host: PlayedHost) -> Any:
    talk = host.accepts()
    host.move(AWAY)
    return host.told(talk)


@scenario
def moving_with_timestamps(host: PlayedHost) -> Any:
    talk = host.connects()
    talk.kernel(data=b"data", options=TIMESTAMPS)
    host.quiet()
    host.move(AWAY)
    talk.kernel(data=b"data", options=TIMESTAMPS)
    return [(one.options[:12].hex(), (one.option or (0,))[0]) for one in host.wire()]


@scenario
def moving_with_data(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    talk.kernel(data=b"data")
    talk.kernel(data=b"data", sequence=5001)
    host.wait(0.3)
    talk.kernel(data=b"data", sequence=5001)
    return host.told(talk)


@scenario
def moving_acknowledged(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    talk.says(options=talk.init())
    host.quiet()
    talk.kernel(data=b"data")
    host.wait(3)
    talk.says(ACK, b"data")
    return both(host, talk)


@scenario
def moving_hears_something_else(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.quiet()
    talk.says(ACK, b"data")
    talk.says(options=packed(1, 0xBAD, 0, PEER))
    talk.kernel()
    return both(host, talk)


@scenario
def moving_repeats(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.wait(6)
    return both(host, talk)


@scenario
def moving_repeats_with_data(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    for _ in range(20):
        talk.kernel(data=b"data", sequence=5001)
    host.wait(6)
    return both(host, talk)


@scenario
def after_failure(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.wait(3)
    host.quiet()
    talk.kernel(data=b"data")
    return both(host, talk)


@scenario
def moving_with_sack(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.quiet()
    talk.kernel(options=TIMESTAMPS + SACK)
    (one,) = host.wire()
    return len(one.options) <= 40, one.option is not None and one.option[:1], one.intact


@scenario
def in_flight(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.quiet()
    talk.says(ACK, b"data", to=HOME)
    talk.nxt -= 4
    first = both(host, talk)
    talk.says(options=talk.init())
    host.quiet()
    talk.says(ACK, b"data", to=HOME)
    return first, both(host, talk)


@scenario
def moving_several(host: PlayedHost) -> Any:
    talks = [host.accepts(port=1000 + index) for index in range(3)]
    host.move(AWAY)
    return [(one.ports[1], one.option and one.option[1] == NONCES[one.ports[1]]) for one in host.wire()], len(talks)


NONCES = {1000 + index: 0x5EED0001 + 1000 + index for index in range(3)}


@scenario
def moving_on(host: PlayedHost) -> Any:
    talk = host.connects()
    result = []
    for address in (AWAY, FURTHER, HOME):
        host.move(address)
        result.append(host.told(talk))
        talk.says(options=talk.init())
        host.quiet()
        talk.kernel(data=b"data")
        result.append(host.told(talk))
        talk.says()
    return result


@scenario
def moving_on_unheard(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.quiet()
    host.move(FURTHER)
    host.wait(0.5)
    return host.told(talk)


@scenario
def moving_back_unheard(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.quiet()
    host.move(HOME)
    talk.says(options=talk.init())
    host.quiet()
    talk.kernel(data=b"data")
    return host.told(talk)


@scenario
def moving_on_reset(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.move(FURTHER)
    host.quiet()
    talk.says(RST, sequence=1001)
    return both(host, talk)


@scenario
def reset_while_moving(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.quiet()
    talk.says(RST)
    return both(host, talk)


@scenario
def moving_then_told(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    talk.says(options=talk.init())
    host.quiet()
    talk.moves(MOVED)
    return both(host, talk)


@scenario
def told_then_moving(host: PlayedHost) -> Any:
    talk = host.connects()
    talk.moves(MOVED)
    host.quiet()
    host.move(AWAY)
    return both(host, talk)


@scenario
def told_while_moving(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    host.quiet()
    talk.moves(MOVED)
    talk.kernel(data=b"data")
    return both(host, talk)


@scenario
def segments_of_a_peer_with_little_room(host: PlayedHost) -> Any:
    talks = Conversation(host, PEER, 1027, 7), Conversation(host, PEER, 1028, 7)
    talks[0].says(SYN, options=bytes.fromhex("02040218") + talks[0].init())
    talks[1].says(SYN, options=talks[1].init())
    return [(one.options.hex(), one.intact) for one in host.kernels()]


@scenario
def new_connections_after_a_move(host: PlayedHost) -> Any:
    host.move(AWAY)
    talk = Conversation(host, PEER, 4000, 50000)
    talk.kernel(SYN)
    return [(one.source, one.option and one.option[2:]) for one in host.wire()]


@scenario
def first_flight_after_a_move(host: PlayedHost) -> Any:
    talk = host.connects()
    host.move(AWAY)
    talk.says(options=talk.init())
    host.quiet()
    for _ in range(20):
        talk.kernel(data=bytes(1000))
    return sum(len(one.data) for one in host.wire()) <= 4380


@scenario
def address_resolution_after_a_move(host: PlayedHost) -> Any:
    host.move(AWAY)
    host.quiet()
    return [(frame[20:22].hex(), frame[28:32].hex(), frame[38:42].hex()) for frame in host.arp[-1:]]


@scenario
def without_rehash_and_back(host: PlayedHost) -> Any:
    talk = host.accepts(rehash=False)
    host.move(AWAY)
    talk.kernel(data=b"data")
    first = host.told(talk)
    host.move(HOME)
    talk.kernel(data=b"data", sequence=5001)
    talk.says(ACK, b"data")
    return first, both(host, talk)


@scenario
def legacy_peer(host: PlayedHost) -> Any:
    talk = Conversation(host, PEER, 4000, 50000)
    talk.kernel(SYN)
    talk.says(SYN | ACK)
    return host.told(talk, host.kernels())


@scenario
def listening_after_a_move(host: PlayedHost) -> Any:
    own = host.role.parts.own_address("198.18.0.1")
    return own.listens_on(True), own.listens_on(False)
