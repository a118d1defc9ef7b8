# SPDX-License-Identifier: GPL-2.0-or-later
"""A mobile node's connections as the tester knows them, and what a Migrate says of each."""

import copy
from dataclasses import dataclass, field

from conformance.mops.tester.server import Asked, Correspondent, Entry, ServerEnd
from testbed.interruptions import Inconclusive
from testbed.peers.udp import UdpPeer
from testbed.wire.capture import Mark


@dataclass
class Session:
    """A connection of the device. `end` is the server's end of it, `connection` the application's socket.

    `previous_port` and `identifier` are what the device's next Migrate is expected to name without NAT on the path.
    """

    server: Correspondent
    end: ServerEnd
    connection: int
    unique_id: int | None = None
    left: list[ServerEnd] = field(default_factory=list)

    @property
    def previous_port(self) -> int:
        """The device's port."""
        return self.end.remote_port

    @property
    def identifier(self) -> int:
        """The device's SND.NXT as far as the server has seen it, or the Unique ID."""
        return self.end.rcv_nxt if self.unique_id is None else self.unique_id

    def follows(self, address: str, port: int) -> None:
        """Expect the device at another address and port from now on."""
        self.end.read()
        self.left.append(copy.copy(self.end))
        self.end.remote, self.end.remote_port = address, port


@dataclass
class Talk:
    """A UDP conversation of the device."""

    server: Correspondent
    end: UdpPeer
    connection: int
    unique_id: int | None

    @property
    def previous_port(self) -> int:
        """The device's port."""
        return self.end.remote_port

    @property
    def identifier(self) -> int:
        """The Unique ID."""
        return self.unique_id or 0

    def follows(self, address: str, port: int) -> None:
        """Expect the device at another address and port from now on."""
        self.end.remote, self.end.remote_port = address, port


@dataclass(frozen=True)
class Move:
    """A move of the device. What it sends from the new address stands behind `mark` of the trace."""

    old: str
    new: str
    mark: Mark
    ns: int


def entry_of(request: Asked, session: Session | Talk) -> Entry | None:
    """The entry that means the session: the one with its port, else with its identifier, else the only one there is."""
    entries = request.entries
    by_port = [one for one in entries if one[0] == session.previous_port]
    by_identifier = [one for one in entries if one[2] == session.identifier]
    found = by_port or by_identifier or (entries if len(entries) == session.server.sessions == 1 else [])
    return found[0] if found else None


def listed(request: Asked, session: Session | Talk) -> Entry:
    """The entry that means the session, as preamble."""
    entry = entry_of(request, session)
    if entry is None:
        raise Inconclusive(f"preamble: #{request.frame.index} does not list port {session.previous_port}")
    return entry
