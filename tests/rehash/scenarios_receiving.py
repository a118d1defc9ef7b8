# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of a Rehash host whose peers move."""

from typing import Any

from tests.lab.wire import ACK, FIN, RST, SYN
from tests.rehash.peer import KIND, packed
from tests.rehash.played_host import AGAIN, MOVED, OTHER, PEER, TIMESTAMPS, PlayedHost, both, scenario


@scenario
def told(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED)
    first = both(host, talk)
    talk.kernel(data=b"data")
    return first, both(host, talk)


@scenario
def told_with_data(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED, b"payload")
    first = both(host, talk)
    talk.kernel()
    return first, both(host, talk)


@scenario
def told_with_fin(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED, flags=FIN | ACK)
    host.wait(0.1)
    return both(host, talk)


@scenario
def told_with_reset(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED, flags=RST)
    given = host.kernels()
    talk.kernel(data=b"data")
    return [one.kind for one in given], host.told(talk)


@scenario
def told_with_syn(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED, flags=SYN)
    talk.kernel(data=b"data")
    return [one.destination for one in host.wire()]


@scenario
def told_with_timestamps(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.kernel(data=b"data", options=TIMESTAMPS)
    host.quiet()
    talk.address = MOVED
    talk.says(options=TIMESTAMPS + talk.addr(MOVED, old=PEER))
    (answer,), (given,) = host.wire(), host.kernels()
    return answer.options[:12].hex(), given.options.hex()


@scenario
def told_twice(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED)
    talk.moves(AGAIN)
    talk.moves(PEER)
    return both(host, talk)


@scenario
def repeated(host: PlayedHost) -> Any:
    talk = host.accepts()
    option = talk.addr(MOVED)
    talk.moves(MOVED, b"data")
    talk.kernel()
    talk.says(ACK, b"data", option, sequence=1001)
    talk.kernel()
    return both(host, talk)


@scenario
def wrong_nonce(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED, b"data", nonce=talk.dut_nonce ^ 0x80)
    talk.nxt -= 4
    host.wait(0.1)
    first = both(host, talk)
    talk.kernel(data=b"data")
    talk.says(ACK, b"more", source=PEER)
    return first, both(host, talk)


@scenario
def nonce_of_which_a_half_is_right(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED, nonce=talk.dut_nonce ^ 0x10000)
    talk.moves(AGAIN, old=PEER, nonce=talk.dut_nonce ^ 1)
    return both(host, talk)


@scenario
def wrong_nonce_for_a_second_move(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED)
    host.quiet()
    talk.moves(AGAIN, nonce=talk.dut_nonce ^ 0xFFFFFFFF)
    return both(host, talk)


@scenario
def peer_nonce_instead_of_own(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED, nonce=talk.nonce)
    return both(host, talk)


@scenario
def wrong_nonce_from_the_connection_itself(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.says(ACK, b"data", talk.addr(PEER, nonce=0xBAD))
    return both(host, talk)


@scenario
def unknown_connection(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED, old=OTHER)
    given = [one.source for one in host.kernels()]
    talk.kernel(data=b"data")
    return given, host.told(talk)


@scenario
def unknown_port(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.port = 1028
    talk.moves(MOVED)
    return [one.source for one in host.kernels()], host.told(talk)


@scenario
def never_initialised(host: PlayedHost) -> Any:
    talk = host.accepts(rehash=False)
    talk.moves(MOVED, nonce=0)
    given = [one.ports for one in host.kernels()]
    talk.kernel(data=b"data")
    return given == [(*talk.kernel_tuple[1:], 7)], [one.destination for one in host.wire()]


@scenario
def half_open(host: PlayedHost) -> Any:
    talk = host.accepts(done=False)
    talk.moves(MOVED)
    talk.kernel(SYN | ACK, sequence=5000)
    return [(one.kind, one.destination) for one in host.wire()]


@scenario
def other_connections_of_the_peer(host: PlayedHost) -> Any:
    talk, other = host.accepts(), host.accepts(port=1028)
    talk.moves(MOVED)
    host.quiet()
    other.kernel(data=b"data")
    first = host.told(other)
    other.moves(MOVED)
    return first, host.told(other)


@scenario
def tuple_in_use(host: PlayedHost) -> Any:
    talk, other = host.accepts(), host.accepts(address=MOVED)
    host.quiet()
    talk.moves(MOVED, old=PEER)
    other_old = talk.address
    talk.kernel(data=b"data")
    other.kernel(data=b"data")
    return other_old, [(one.destination, one.option) for one in host.wire()]


@scenario
def tuple_in_use_by_way_of_new(host: PlayedHost) -> Any:
    talk, other = host.accepts(), host.accepts(address=MOVED)
    host.quiet()
    talk.says(options=talk.addr(MOVED), source=AGAIN)
    talk.kernel(data=b"data")
    other.kernel(data=b"data")
    return [one.destination for one in host.wire()]


@scenario
def data_from_the_old_address(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED)
    host.quiet()
    talk.says(ACK, b"stale", source=PEER)
    return [one.ports[0] == talk.kernel_tuple[1] for one in host.kernels()]


@scenario
def newcomer_at_the_old_tuple(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED)
    host.quiet()
    other = host.accepts()
    apart = other.kernel_tuple != talk.kernel_tuple
    talk.kernel(data=b"data")
    other.kernel(data=b"data")
    return apart, [one.destination for one in host.wire()]


def _odd_option(host: PlayedHost, length: int) -> Any:
    talk = host.accepts()
    option = bytes((KIND, length)) + talk.addr(MOVED)[2:]
    option = option[:length].ljust(length, b"\0")
    talk.says(source=MOVED, options=option + b"\1" * (-length % 4))
    given = len(host.kernels())
    talk.kernel(data=b"data")
    return given, host.told(talk)


@scenario
def length_15(host: PlayedHost) -> Any:
    return _odd_option(host, 15)


@scenario
def length_17(host: PlayedHost) -> Any:
    return _odd_option(host, 17)


@scenario
def control_undefined(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.says(source=MOVED, options=talk.addr(MOVED, control=0x0011))
    host.quiet()
    talk.kernel(data=b"data")
    return host.told(talk)


@scenario
def control_undefined_as_init(host: PlayedHost) -> Any:
    talk = host.accepts(rehash=False)
    talk.says(options=packed(0x0002, 1, 0, PEER))
    host.wait(0.1)
    return [(one.option or (0,))[0] for one in host.wire()]


@scenario
def first_flight_to_a_moved_peer(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.moves(MOVED)
    host.quiet()
    for _ in range(20):
        talk.kernel(data=bytes(1000))
    return sum(len(one.data) for one in host.wire()) <= 4380
