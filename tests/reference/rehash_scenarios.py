# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of a Rehash host, each with what comes out at both ends."""

import itertools
from collections.abc import Callable
from typing import Any

from tests.reference.rehash_bench import (
    AGAIN,
    AWAY,
    FURTHER,
    HOME,
    MOVED,
    OTHER,
    PEER,
    SACK,
    TIMESTAMPS,
    Bench,
    Conversation,
)
from tests.reference.rehash_peer import KIND, packed
from tests.reference.wire import ACK, FIN, RST, SYN

SCENARIOS: dict[str, Callable[[Bench], Any]] = {}


def scenario(function: Callable[[Bench], Any]) -> Callable[[Bench], Any]:
    SCENARIOS[function.__name__] = function
    return function


def both(bench: Bench, talk: Conversation) -> tuple[list[str], list[str]]:
    """What has gone out, and what the kernel has been given."""
    return bench.told(talk), bench.told(talk, bench.kernels())


# REHASH-INIT -----------------------------------------------------------------------------------------------------


@scenario
def init_on_syn(bench: Bench) -> Any:
    talk = Conversation(bench, PEER, 4000, 50000)
    talk.kernel(SYN)
    return [(one.kind, one.option is not None and one.option[:1] + one.option[2:]) for one in bench.wire()]


@scenario
def init_on_retransmitted_syn(bench: Bench) -> Any:
    talk = Conversation(bench, PEER, 4000, 50000)
    talk.kernel(SYN)
    talk.kernel(SYN, sequence=5000)
    first, second = bench.wire()
    return first.option == second.option, second.option is not None


@scenario
def init_on_syn_ack(bench: Bench) -> Any:
    talk = Conversation(bench, PEER, 1027, 7)
    talk.says(SYN, options=talk.init())
    talk.kernel(SYN | ACK)
    talk.kernel(SYN | ACK, sequence=5000)
    first, second = bench.wire()
    return first.option is not None and first.option[::2], first.option == second.option, second.option is not None


@scenario
def no_init_on_syn_ack_without_one(bench: Bench) -> Any:
    talk = Conversation(bench, PEER, 1027, 7)
    talk.says(SYN)
    talk.kernel(SYN | ACK)
    return [one.option for one in bench.wire()]


@scenario
def init_later_from_the_peer_that_connected(bench: Bench) -> Any:
    talk = bench.accepts(rehash=False)
    talk.says(options=talk.init())
    return [(one.option or (0,))[0] for one in bench.wire()]


@scenario
def init_later_from_the_peer_connected_to(bench: Bench) -> Any:
    talk = bench.connects(rehash=False)
    bench.wait(0.1)
    bench.quiet()
    talk.says(options=talk.init())
    return bench.told(talk)


@scenario
def init_with_data_travels_on_the_acknowledgement(bench: Bench) -> Any:
    talk = bench.accepts(rehash=False)
    talk.says(ACK, b"data", talk.init())
    talk.kernel()
    bench.wait(0.1)
    return [(one.kind, one.acknowledgement, (one.option or (0,))[0]) for one in bench.wire()]


@scenario
def init_again_in_retransmitted_data(bench: Bench) -> Any:
    talk = bench.accepts(rehash=False)
    talk.says(ACK, b"data", talk.init())
    talk.kernel(data=b"answer")
    talk.kernel(data=b"answer", sequence=5001)
    first = [(one.option or (0,))[0] for one in bench.wire()]
    talk.says()
    talk.kernel(data=b"more")
    return first, [(one.option or (0,))[0] for one in bench.wire()]


@scenario
def repeated_inits(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.says(options=talk.init())
    bench.wait(1)
    first = bench.told(talk)
    for _ in range(20):
        talk.says(options=talk.init())
    bench.wait(1)
    return first, 1 <= len(bench.wire()) <= 20


@scenario
def unanswered_init_is_reissued_and_that_stops(bench: Bench) -> Any:
    talk = bench.connects(rehash=False, done=False)
    talk.kernel()
    for _ in range(20):
        talk.kernel(data=b"data")
        talk.says()
    return [(one.option or (0,))[0] for one in bench.wire()]


@scenario
def no_move_without_init_from_the_peer(bench: Bench) -> Any:
    talk, other = bench.accepts(rehash=False), bench.connects(rehash=False)
    bench.move(AWAY)
    talk.kernel(data=b"data")
    other.kernel(data=b"data")
    bench.wait(1)
    return bench.told(talk)


@scenario
def nonces(bench: Bench) -> Any:
    seen = [bench.accepts(port=1000 + index).dut_nonce for index in range(60)]
    steps = {(two - one) % 2**32 for one, two in itertools.pairwise(seen)}
    return len(set(seen)) > 55, len(steps) > 50, max(seen) > 2**28, min(seen) < 2**32 - 2**28


@scenario
def another_nonce_of_the_peer(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.says(options=packed(1, 0xBAD, 0, PEER))
    first = both(bench, talk)
    talk.moves(MOVED, nonce=0xBAD)
    return first, both(bench, talk)


# The peer moves --------------------------------------------------------------------------------------------------


@scenario
def told(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED)
    first = both(bench, talk)
    talk.kernel(data=b"data")
    return first, both(bench, talk)


@scenario
def told_with_data(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED, b"payload")
    first = both(bench, talk)
    talk.kernel()
    return first, both(bench, talk)


@scenario
def told_with_fin(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED, flags=FIN | ACK)
    bench.wait(0.1)
    return both(bench, talk)


@scenario
def told_with_reset(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED, flags=RST)
    given = bench.kernels()
    talk.kernel(data=b"data")
    return [one.kind for one in given], bench.told(talk)


@scenario
def told_with_syn(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED, flags=SYN)
    talk.kernel(data=b"data")
    return [one.destination for one in bench.wire()]


@scenario
def told_with_timestamps(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.kernel(data=b"data", options=TIMESTAMPS)
    bench.quiet()
    talk.address = MOVED
    talk.says(options=TIMESTAMPS + talk.addr(MOVED, old=PEER))
    (answer,), (given,) = bench.wire(), bench.kernels()
    return answer.options[:12].hex(), given.options.hex()


@scenario
def told_twice(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED)
    talk.moves(AGAIN)
    talk.moves(PEER)
    return both(bench, talk)


@scenario
def repeated(bench: Bench) -> Any:
    talk = bench.accepts()
    option = talk.addr(MOVED)
    talk.moves(MOVED, b"data")
    talk.kernel()
    talk.says(ACK, b"data", option, sequence=1001)
    talk.kernel()
    return both(bench, talk)


@scenario
def wrong_nonce(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED, b"data", nonce=talk.dut_nonce ^ 0x80)
    talk.nxt -= 4
    bench.wait(0.1)
    first = both(bench, talk)
    talk.kernel(data=b"data")
    talk.says(ACK, b"more", source=PEER)
    return first, both(bench, talk)


@scenario
def nonce_of_which_a_half_is_right(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED, nonce=talk.dut_nonce ^ 0x10000)
    talk.moves(AGAIN, old=PEER, nonce=talk.dut_nonce ^ 1)
    return both(bench, talk)


@scenario
def wrong_nonce_for_a_second_move(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED)
    bench.quiet()
    talk.moves(AGAIN, nonce=talk.dut_nonce ^ 0xFFFFFFFF)
    return both(bench, talk)


@scenario
def peer_nonce_instead_of_own(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED, nonce=talk.nonce)
    return both(bench, talk)


@scenario
def wrong_nonce_from_the_connection_itself(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.says(ACK, b"data", talk.addr(PEER, nonce=0xBAD))
    return both(bench, talk)


@scenario
def unknown_connection(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED, old=OTHER)
    given = [one.source for one in bench.kernels()]
    talk.kernel(data=b"data")
    return given, bench.told(talk)


@scenario
def unknown_port(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.port = 1028
    talk.moves(MOVED)
    return [one.source for one in bench.kernels()], bench.told(talk)


@scenario
def never_initialised(bench: Bench) -> Any:
    talk = bench.accepts(rehash=False)
    talk.moves(MOVED, nonce=0)
    given = [one.ports for one in bench.kernels()]
    talk.kernel(data=b"data")
    return given == [(*talk.kernel_tuple[1:], 7)], [one.destination for one in bench.wire()]


@scenario
def half_open(bench: Bench) -> Any:
    talk = bench.accepts(done=False)
    talk.moves(MOVED)
    talk.kernel(SYN | ACK, sequence=5000)
    return [(one.kind, one.destination) for one in bench.wire()]


@scenario
def other_connections_of_the_peer(bench: Bench) -> Any:
    talk, other = bench.accepts(), bench.accepts(port=1028)
    talk.moves(MOVED)
    bench.quiet()
    other.kernel(data=b"data")
    first = bench.told(other)
    other.moves(MOVED)
    return first, bench.told(other)


@scenario
def tuple_in_use(bench: Bench) -> Any:
    talk, other = bench.accepts(), bench.accepts(address=MOVED)
    bench.quiet()
    talk.moves(MOVED, old=PEER)
    other_old = talk.address
    talk.kernel(data=b"data")
    other.kernel(data=b"data")
    return other_old, [(one.destination, one.option) for one in bench.wire()]


@scenario
def tuple_in_use_by_way_of_new(bench: Bench) -> Any:
    talk, other = bench.accepts(), bench.accepts(address=MOVED)
    bench.quiet()
    talk.says(options=talk.addr(MOVED), source=AGAIN)
    talk.kernel(data=b"data")
    other.kernel(data=b"data")
    return [one.destination for one in bench.wire()]


@scenario
def data_from_the_old_address(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED)
    bench.quiet()
    talk.says(ACK, b"stale", source=PEER)
    return [one.ports[0] == talk.kernel_tuple[1] for one in bench.kernels()]


@scenario
def newcomer_at_the_old_tuple(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED)
    bench.quiet()
    other = bench.accepts()
    apart = other.kernel_tuple != talk.kernel_tuple
    talk.kernel(data=b"data")
    other.kernel(data=b"data")
    return apart, [one.destination for one in bench.wire()]


def _odd_option(bench: Bench, length: int) -> Any:
    talk = bench.accepts()
    option = bytes((KIND, length)) + talk.addr(MOVED)[2:]
    option = option[:length].ljust(length, b"\0")
    talk.says(source=MOVED, options=option + b"\1" * (-length % 4))
    given = len(bench.kernels())
    talk.kernel(data=b"data")
    return given, bench.told(talk)


@scenario
def length_15(bench: Bench) -> Any:
    return _odd_option(bench, 15)


@scenario
def length_17(bench: Bench) -> Any:
    return _odd_option(bench, 17)


@scenario
def control_undefined(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.says(source=MOVED, options=talk.addr(MOVED, control=0x0011))
    bench.quiet()
    talk.kernel(data=b"data")
    return bench.told(talk)


@scenario
def control_undefined_as_init(bench: Bench) -> Any:
    talk = bench.accepts(rehash=False)
    talk.says(options=packed(0x0002, 1, 0, PEER))
    bench.wait(0.1)
    return [(one.option or (0,))[0] for one in bench.wire()]


@scenario
def first_flight_to_a_moved_peer(bench: Bench) -> Any:
    talk = bench.accepts()
    talk.moves(MOVED)
    bench.quiet()
    for _ in range(20):
        talk.kernel(data=bytes(1000))
    return sum(len(one.data) for one in bench.wire()) <= 4380


# The host moves --------------------------------------------------------------------------------------------------


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
    talk = Conversation(bench, PEER, 1027, 7)
    talk.says(SYN)
    return bench.told(talk, bench.kernels())


@scenario
def listening_after_a_move(bench: Bench) -> Any:
    own = bench.parts.own_address("198.18.0.1")
    return own.listens_on(True), own.listens_on(False)
