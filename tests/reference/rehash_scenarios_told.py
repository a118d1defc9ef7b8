# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of a Rehash host whose peers move."""

from typing import Any

from tests.reference.rehash_bench import AGAIN, MOVED, OTHER, PEER, TIMESTAMPS, Bench, both, scenario
from tests.reference.rehash_peer import KIND, packed
from tests.reference.wire import ACK, FIN, RST, SYN


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
