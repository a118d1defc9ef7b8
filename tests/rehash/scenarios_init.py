# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of a Rehash host: the exchange of REHASH-INIT."""

import itertools
from typing import Any

from tests.lab.wire import ACK, SYN
from tests.rehash.peer import packed
from tests.rehash.played_host import (
    AWAY,
    MOVED,
    PEER,
    Conversation,
    PlayedHost,
    both,
    scenario,
)


@scenario
def init_on_syn(host: PlayedHost) -> Any:
    talk = Conversation(host, PEER, 4000, 50000)
    talk.kernel(SYN)
    return [(one.kind, one.option is not None and one.option[:1] + one.option[2:]) for one in host.wire()]


@scenario
def init_on_retransmitted_syn(host: PlayedHost) -> Any:
    talk = Conversation(host, PEER, 4000, 50000)
    talk.kernel(SYN)
    talk.kernel(SYN, sequence=5000)
    first, second = host.wire()
    return first.option == second.option, second.option is not None


@scenario
def init_on_syn_ack(host: PlayedHost) -> Any:
    talk = Conversation(host, PEER, 1027, 7)
    talk.says(SYN, options=talk.init())
    talk.kernel(SYN | ACK)
    talk.kernel(SYN | ACK, sequence=5000)
    first, second = host.wire()
    return first.option is not None and first.option[::2], first.option == second.option, second.option is not None


@scenario
def no_init_on_syn_ack_without_one(host: PlayedHost) -> Any:
    talk = Conversation(host, PEER, 1027, 7)
    talk.says(SYN)
    talk.kernel(SYN | ACK)
    return [one.option for one in host.wire()]


@scenario
def init_later_from_the_peer_that_connected(host: PlayedHost) -> Any:
    talk = host.accepts(rehash=False)
    talk.says(options=talk.init())
    return [(one.option or (0,))[0] for one in host.wire()]


@scenario
def init_later_from_the_peer_connected_to(host: PlayedHost) -> Any:
    talk = host.connects(rehash=False)
    host.wait(0.1)
    host.quiet()
    talk.says(options=talk.init())
    return host.told(talk)


@scenario
def init_with_data_travels_on_the_acknowledgement(host: PlayedHost) -> Any:
    talk = host.accepts(rehash=False)
    talk.says(ACK, b"data", talk.init())
    talk.kernel()
    host.wait(0.1)
    return [(one.kind, one.acknowledgement, (one.option or (0,))[0]) for one in host.wire()]


@scenario
def init_again_in_retransmitted_data(host: PlayedHost) -> Any:
    talk = host.accepts(rehash=False)
    talk.says(ACK, b"data", talk.init())
    talk.kernel(data=b"answer")
    talk.kernel(data=b"answer", sequence=5001)
    first = [(one.option or (0,))[0] for one in host.wire()]
    talk.says()
    talk.kernel(data=b"more")
    return first, [(one.option or (0,))[0] for one in host.wire()]


@scenario
def repeated_inits(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.says(options=talk.init())
    host.wait(1)
    first = host.told(talk)
    for _ in range(20):
        talk.says(options=talk.init())
    host.wait(1)
    return first, 1 <= len(host.wire()) <= 20


@scenario
def unanswered_init_is_reissued_and_that_stops(host: PlayedHost) -> Any:
    talk = host.connects(rehash=False, done=False)
    talk.kernel()
    for _ in range(20):
        talk.kernel(data=b"data")
        talk.says()
    return [(one.option or (0,))[0] for one in host.wire()]


@scenario
def no_move_without_init_from_the_peer(host: PlayedHost) -> Any:
    talk, other = host.accepts(rehash=False), host.connects(rehash=False)
    host.move(AWAY)
    talk.kernel(data=b"data")
    other.kernel(data=b"data")
    host.wait(1)
    return host.told(talk)


@scenario
def nonces(host: PlayedHost) -> Any:
    seen = [host.accepts(port=1000 + index).dut_nonce for index in range(60)]
    steps = {(two - one) % 2**32 for one, two in itertools.pairwise(seen)}
    return len(set(seen)) > 55, len(steps) > 50, max(seen) > 2**28, min(seen) < 2**32 - 2**28


@scenario
def another_nonce_of_the_peer(host: PlayedHost) -> Any:
    talk = host.accepts()
    talk.says(options=packed(1, 0xBAD, 0, PEER))
    first = both(host, talk)
    talk.moves(MOVED, nonce=0xBAD)
    return first, both(host, talk)
