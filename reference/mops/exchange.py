# SPDX-License-Identifier: GPL-2.0-or-later
"""A Migrate on its way: which sockets it is about, how they are spread over messages, which ports they get."""

from collections.abc import Iterable
from dataclasses import dataclass

from reference.bump.flows import Flow, Flows
from reference.bump.network import Network
from reference.mops.context import MobileContext
from reference.mops.message import Entry, Migrate

#: Entries of a message that fits a packet of 1500 bytes on either network.
MAXIMUM = 180
#: Ports that the kernel gives to no socket.
_PORTS = range(61000, 65536)
_NOTHING = Entry(0, 0, 0)


@dataclass
class Moving:
    """One socket that moves."""

    protocol: int
    flow: Flow
    context: MobileContext
    server: int
    entry: Entry = _NOTHING


@dataclass
class Exchange:
    """One message and what has become of it."""

    network: Network
    server: int
    message: Migrate
    sockets: list[Moving]
    data: bytes
    deadline: float
    sent: int = 0


def in_messages(leaving: Iterable[Moving]) -> list[list[Moving]]:
    """One message for every protocol, server and previous address; no previous port twice in it."""
    messages: dict[tuple[int, int, int, int], list[Moving]] = {}
    for moving in leaving:
        address, port = moving.context.previous[0]
        turn = 0
        while True:
            message = messages.setdefault((moving.protocol, moving.server, address, turn), [])
            if len(message) < MAXIMUM and all(one.context.previous[0][1] != port for one in message):
                message.append(moving)
                break
            turn += 1
    return list(messages.values())


def free_port(flows: Flows, server: int, port: int) -> int:
    """`port`, or the first other one that no socket has towards a server."""
    taken = {own for address, _, own in flows.by_wire if address == server}
    if port not in taken:
        return port
    return next((other for other in _PORTS if other not in taken), port)
