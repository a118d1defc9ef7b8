# SPDX-License-Identifier: GPL-2.0-or-later
"""What a mobile node does that moves on, scenario by scenario, with what is right."""

from typing import Any

from reference.mops.message import Entry, Migrate
from tests.lab.wire import ACK, SYN
from tests.mops.node_scenarios import FAILED, FIRST, SCENARIOS, going_on, request, scenario
from tests.mops.played_node import (
    AWAY,
    FAR,
    HOME,
    SERVER,
    TCP,
    Conversation,
    PlayedNode,
    reply,
)  # fmt: skip

__all__ = ["SCENARIOS", "going_on", "scenario"]

# Moving again --------------------------------------------------------------------------------------------------------


@scenario(([request([(1027, 1027, FIRST)], previous=AWAY, now=FAR)], going_on(now=FAR)))
def moves_again(host: PlayedNode) -> Any:
    talk = host.open()
    host.move(AWAY)
    host.agree()
    host.move(FAR)
    asked = host.asks()
    host.say(reply_to(asked[0]))
    return asked, host.goes_on(talk)


def reply_to(asked: Any) -> bytes:
    """The success that answers what was asked."""
    _, _, _, protocol, previous, migrated, entries = asked
    return Migrate(2, protocol, previous, migrated, tuple(Entry(*entry) for entry in entries)).pack()


@scenario(going_on(now=HOME))
def moves_back(host: PlayedNode) -> Any:
    talk = host.open()
    for address in (AWAY, HOME):
        host.move(address)
        host.agree()
    return host.goes_on(talk)


@scenario(([request([(1027, 1027, FIRST)], now=FAR)] * 4, []))
def moves_on_before_an_answer(host: PlayedNode) -> Any:
    host.open().kernel(b"")
    host.move(AWAY)
    host.wait(1)
    old = host.requests()
    host.move(FAR)
    host.wait(9)
    asked = host.asks()
    host.say(reply(old[0]))
    return asked, host.wire()


@scenario(
    (request([(1027, 1027, FIRST)], now=FAR), request([(1027, 1027, FIRST)], previous=AWAY, now=FAR), going_on(now=FAR))
)
def moves_on_after_a_lost_answer(host: PlayedNode) -> Any:
    talk = host.open()
    host.move(AWAY)
    host.requests()
    host.move(FAR)
    (first,) = host.asks()
    failed_reply = bytearray(reply_to(first))
    host.say(reply(bytes(failed_reply), FAILED))
    (second,) = host.asks()
    host.say(reply_to(second))
    return first, second, host.goes_on(talk)


@scenario([("tcp", AWAY, SERVER, 2000, 80, SYN)])
def handshake_without_an_answer(host: PlayedNode) -> Any:
    talk = Conversation(host, SERVER, 80, 2000, TCP)
    talk.kernel(flags=SYN)
    host.wire()
    host.move(AWAY)
    talk.kernel_nxt -= 1
    talk.kernel(flags=SYN)
    return [(one[0].rstrip("+"), *one[1:6]) for one in host.wire()]


@scenario(([], [("tcp", HOME, SERVER, 1027, 80, ACK, b"back")]))
def returns_to_what_stayed_behind(host: PlayedNode) -> Any:
    talk = host.open(mobile=False)
    host.move(AWAY)
    talk.kernel(b"lost")
    lost = host.wire()
    host.move(HOME)
    talk.kernel(b"back")
    return lost, host.wire()
