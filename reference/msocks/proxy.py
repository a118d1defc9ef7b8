# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy: it listens inside, joins each client with its correspondent, and knows the connections by identifier."""

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reference.msocks.leg import Leg
from reference.msocks.loop import READ, EventLoop, Watched
from reference.msocks.messages import End
from reference.msocks.negotiation import Negotiation
from reference.msocks.outward import Outward
from reference.msocks.relay import Relay
from reference.msocks.settings import ProxySettings
from reference.msocks.splice import Splice
from reference.system.log import log
from reference.system.role import Parts

_BACKLOG = 4096
_AT_ONCE = 64
_OUT_OF_SOCKETS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_REST_S = 0.1


class Proxy:
    """Clients, and connections by identifier; `legs` are those of one that splices."""

    role = "proxy"

    def __init__(
        self,
        parts: "ProxyParts",
        settings: ProxySettings,
        loop: EventLoop,
        inside: str,
        outside: str,
        legs: tuple[Leg, Leg] | None = None,
    ) -> None:
        self.legs = legs
        self.parts, self.settings, self.loop = parts, settings, loop
        self.outward = parts.outward(loop, outside)
        self.relays: dict[End, Relay] = {}
        self.clients: set[Negotiation] = set()
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((inside, settings.port))
        listening.listen(_BACKLOG)
        self._listening = Watched(loop, listening, self._accept, READ)

    # Connections -------------------------------------------------------------------------------------------------

    def open(self, outside: socket.socket, identifier: End, user: bytes) -> Relay:
        """A new connection to a correspondent."""
        common = self, self.settings, self.loop, outside, identifier, user
        relay = self.parts.relay(*common) if self.legs is None else self.parts.splice(*common, self.legs)
        self.relays[identifier] = relay
        return relay

    def find(self, identifier: End, user: bytes) -> Relay | None:
        """The connection with an identifier, where it is this user's; None otherwise."""
        relay = self.relays.get(identifier)
        return relay if relay is not None and relay.belongs_to(user) else None

    def ended(self, relay: Relay) -> None:
        """A connection is over: its identifier names nothing any more."""
        self.relays.pop(relay.identifier, None)
        self.outward.used(relay.identifier.port)

    # Clients -----------------------------------------------------------------------------------------------------

    def _accept(self, _: int) -> None:
        for _number in range(_AT_ONCE):
            try:
                client, _address = self._listening.socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _OUT_OF_SOCKETS:
                    log(f"no client taken: {error.strerror}")
                    self._listening.want(0)
                    self.loop.after(_REST_S, lambda: self._listening.want(READ))
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.clients.add(self.parts.negotiation(self, self.settings, self.loop, client))

    def negotiated(self, client: Negotiation) -> None:
        """A client has got its connection, or goes without."""
        self.clients.discard(client)

    # The agent ---------------------------------------------------------------------------------------------------

    def asked(self, question: str, words: str) -> dict[str, Any]:
        """A proxy is told nothing."""
        del words
        return {"error": f"a proxy knows no {question}"}

    def status(self) -> dict[str, Any]:
        """How many there are."""
        return {"connections": len(self.relays), "negotiating": len(self.clients)}

    def run(self, events: dict[int, Callable[[], None]]) -> None:
        """Serve until something raises."""
        self.loop.run(events)


@dataclass(frozen=True)
class ProxyParts(Parts):
    """What a proxy is made of."""

    proxy: type[Proxy] = Proxy
    negotiation: type[Negotiation] = Negotiation
    splice: type[Splice] = Splice
    relay: type[Relay] = Relay
    outward: type[Outward] = Outward
