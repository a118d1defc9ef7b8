# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of a Rehash host that moves."""

from typing import Any

from tests.reference.rehash_bench import (
    AWAY,
    FURTHER,
    HOME,
    MOVED,
    PEER,
    SACK,
    TIMESTAMPS,
    Bench,
    Conversation,
    both,
    scenario,
)
from tests.reference.rehash_peer import packed
from tests.reference.wire import ACK, RST, SYN


@scenario
def moving_idle(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    return bench.told(talk)


@scenario
def moving_accepted(bench: Bench) -> Any:
    talk = bench.accepts()
    bench.move(AWAY)
    return bench.told(talk)


@scenario
def moving_with_timestamps(bench: Bench) -> Any:
    talk = bench.connects()
    talk.kernel(data=b"data", options=TIMESTAMPS)
    bench.quiet()
    bench.move(AWAY)
    talk.kernel(data=b"data", options=TIMESTAMPS)
    return [(one.options[:12].hex(), (one.option or (0,))[0]) for one in bench.wire()]


@scenario
def moving_with_data(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    talk.kernel(data=b"data")
    talk.kernel(data=b"data", sequence=5001)
    bench.wait(0.3)
    talk.kernel(data=b"data", sequence=5001)
    return bench.told(talk)


@scenario
def moving_acknowledged(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    talk.says(options=talk.init())
    bench.quiet()
    talk.kernel(data=b"data")
    bench.wait(3)
    talk.says(ACK, b"data")
    return both(bench, talk)


@scenario
def moving_hears_something_else(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.quiet()
    talk.says(ACK, b"data")
    talk.says(options=packed(1, 0xBAD, 0, PEER))
    talk.kernel()
    return both(bench, talk)


@scenario
def moving_repeats(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.wait(6)
    return both(bench, talk)


@scenario
def moving_repeats_with_data(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    for _ in range(20):
        talk.kernel(data=b"data", sequence=5001)
    bench.wait(6)
    return both(bench, talk)


@scenario
def after_failure(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.wait(6)
    bench.quiet()
    talk.kernel(data=b"data")
    return both(bench, talk)


@scenario
def moving_with_sack(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.quiet()
    talk.kernel(options=TIMESTAMPS + SACK)
    (one,) = bench.wire()
    return len(one.options) <= 40, one.option is not None and one.option[:1], one.intact


@scenario
def in_flight(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.quiet()
    talk.says(ACK, b"data", to=HOME)
    talk.nxt -= 4
    first = both(bench, talk)
    talk.says(options=talk.init())
    bench.quiet()
    talk.says(ACK, b"data", to=HOME)
    return first, both(bench, talk)


@scenario
def moving_several(bench: Bench) -> Any:
    talks = [bench.accepts(port=1000 + index) for index in range(3)]
    bench.move(AWAY)
    return [(one.ports[1], one.option and one.option[1] == NONCES[one.ports[1]]) for one in bench.wire()], len(talks)


NONCES = {1000 + index: 0x5EED0001 + 1000 + index for index in range(3)}


@scenario
def moving_on(bench: Bench) -> Any:
    talk = bench.connects()
    result = []
    for address in (AWAY, FURTHER, HOME):
        bench.move(address)
        result.append(bench.told(talk))
        talk.says(options=talk.init())
        bench.quiet()
        talk.kernel(data=b"data")
        result.append(bench.told(talk))
        talk.says()
    return result


@scenario
def moving_on_unheard(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.quiet()
    bench.move(FURTHER)
    bench.wait(0.5)
    return bench.told(talk)


@scenario
def moving_back_unheard(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.quiet()
    bench.move(HOME)
    talk.says(options=talk.init())
    bench.quiet()
    talk.kernel(data=b"data")
    return bench.told(talk)


@scenario
def moving_on_reset(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.move(FURTHER)
    bench.quiet()
    talk.says(RST, sequence=1001)
    return both(bench, talk)


@scenario
def reset_while_moving(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.quiet()
    talk.says(RST)
    return both(bench, talk)


@scenario
def moving_then_told(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    talk.says(options=talk.init())
    bench.quiet()
    talk.moves(MOVED)
    return both(bench, talk)


@scenario
def told_then_moving(bench: Bench) -> Any:
    talk = bench.connects()
    talk.moves(MOVED)
    bench.quiet()
    bench.move(AWAY)
    return both(bench, talk)


@scenario
def told_while_moving(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    bench.quiet()
    talk.moves(MOVED)
    talk.kernel(data=b"data")
    return both(bench, talk)


@scenario
def segments_of_a_peer_with_little_room(bench: Bench) -> Any:
    talks = Conversation(bench, PEER, 1027, 7), Conversation(bench, PEER, 1028, 7)
    talks[0].says(SYN, options=bytes.fromhex("02040218") + talks[0].init())
    talks[1].says(SYN, options=talks[1].init())
    return [(one.options.hex(), one.intact) for one in bench.kernels()]


@scenario
def new_connections_after_a_move(bench: Bench) -> Any:
    bench.move(AWAY)
    talk = Conversation(bench, PEER, 4000, 50000)
    talk.kernel(SYN)
    return [(one.source, one.option and one.option[2:]) for one in bench.wire()]


@scenario
def first_flight_after_a_move(bench: Bench) -> Any:
    talk = bench.connects()
    bench.move(AWAY)
    talk.says(options=talk.init())
    bench.quiet()
    for _ in range(20):
        talk.kernel(data=bytes(1000))
    return sum(len(one.data) for one in bench.wire()) <= 4380


@scenario
def address_resolution_after_a_move(bench: Bench) -> Any:
    bench.move(AWAY)
    bench.quiet()
    return [(frame[20:22].hex(), frame[28:32].hex(), frame[38:42].hex()) for frame in bench.arp[-1:]]


@scenario
def without_rehash_and_back(bench: Bench) -> Any:
    talk = bench.accepts(rehash=False)
    bench.move(AWAY)
    talk.kernel(data=b"data")
    first = bench.told(talk)
    bench.move(HOME)
    talk.kernel(data=b"data", sequence=5001)
    talk.says(ACK, b"data")
    return first, both(bench, talk)


@scenario
def legacy_peer(bench: Bench) -> Any:
    talk = Conversation(bench, PEER, 4000, 50000)
    talk.kernel(SYN)
    talk.says(SYN | ACK)
    return bench.told(talk, bench.kernels())


@scenario
def listening_after_a_move(bench: Bench) -> Any:
    own = bench.parts.own_address("198.18.0.1")
    return own.listens_on(True), own.listens_on(False)
