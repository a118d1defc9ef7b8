# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester as the client of the proxy: an ordinary one of SOCKS5, and a mobile node that comes back elsewhere."""

from typing import Any

from conformance.msocks.tester.correspondent import Correspondent
from conformance.msocks.tester.dialogue import ANONYMOUS, PASSWORD, SUCCEEDED, Dialogue, login
from conformance.msocks.tester.session import Identifier, Joined
from layers.msocks import MSOCKSReconnect, Socks5Greeting
from profiles.msocks import accounts
from testbed.case.case import Case
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers import connection
from testbed.wire import chance
from testbed.wire.station import Station

PLACES = 3
"""Addresses that a node moves between."""


class Client:
    """A client on the inside, at an address of its own; it moves to others."""

    def __init__(self, case: Case, station: Station | None = None) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit.msocks
        self.station = station or case.inside.station()
        self._places = [self.station]

    # Connections to the proxy

    def call(self, at: Station | None = None, **choices: Any) -> Dialogue:
        """Open a connection to the proxy, as preamble; `choices` are those of `TcpPeer`."""
        station = at or self.station
        peer = connection.new_peer(self._case, station, remote_port=self._ixit.port, checks_source=True, **choices)
        peer.remote = self._case.inside.dut_address
        return Dialogue(self._case, connection.connect(self._case, peer))

    def greet(self, user: str = "", at: Station | None = None, **choices: Any) -> Dialogue:
        """Open one and agree on a method, as preamble: without authentication unless a user is named."""
        dialogue = self.call(at, **choices)
        wanted = self.method(user)
        dialogue.send(Socks5Greeting(methods=[wanted]))
        selection = dialogue.selection()
        if selection is None or selection.method != wanted:
            raise Inconclusive(f"preamble: the proxy does not choose method {wanted}")
        if wanted == PASSWORD:
            self.log_in(dialogue, user or self.users()[0])
        return dialogue

    def method(self, user: str = "") -> int:
        """The method that a client needs: that without a name unless there is none, or a user is named."""
        return PASSWORD if user or not self._case.setup.profile.ics.msocks.anonymous else ANONYMOUS

    def users(self, count: int = 1) -> list[str]:
        """Users that the proxy knows; NotApplicable where the profile names too few."""
        known = list(accounts(self._case.setup.profile))
        if len(known) < count:
            raise NotApplicable(f"{self._case.setup.profile.path}: ixit.msocks.users does not name {count}")
        return known[:count]

    def every_user(self) -> list[str]:
        """All users that the proxy knows; NotApplicable where the profile names none."""
        return self.users(max(1, len(accounts(self._case.setup.profile))))

    def password(self, user: str) -> str:
        """The password of a user."""
        return accounts(self._case.setup.profile)[user]

    def log_in(self, dialogue: Dialogue, user: str) -> None:
        """Say who one is, as preamble."""
        dialogue.send(login(user, self.password(user)))
        if dialogue.login_reply()[1:] != bytes([SUCCEEDED]):
            raise Inconclusive("preamble: the proxy does not take the name and the password of the profile")

    # Sessions

    def connect(self, far: Correspondent, user: str = "", **choices: Any) -> Joined:
        """A session with a correspondent host, as preamble."""
        dialogue = self.greet(user, **choices)
        since = self._case.mark()
        dialogue.send(far.request())
        peer, syn = far.accept(since)
        reply = dialogue.reply()
        if reply is None or reply.reply != SUCCEEDED:
            raise Inconclusive("preamble: CONNECT does not succeed")
        return Joined(dialogue, peer, (reply.bound_address, reply.bound_port), syn, user)

    def connect_all(self, far: Correspondent, count: int) -> list[Joined]:
        """So many sessions of this node, each with a port of its own at the correspondent, as preamble."""
        return [self.connect(far.another_port()) for _ in range(count)]

    # Messages

    def reconnect(self, identifier: Identifier, received: int = 0, sent: int = 0, **fields: Any) -> MSOCKSReconnect:
        """RECONNECT to an identifier with counters; any field can be replaced."""
        address, port = identifier
        named = {"cmd": self._ixit.reconnect_command, "address": address, "port": port}
        return MSOCKSReconnect(**(named | {"received": received, "sent": sent} | fields))

    def reconnect_to(self, session: Joined, **fields: Any) -> MSOCKSReconnect:
        """RECONNECT to a session with the node's true counters; any field can be replaced."""
        counters = {"received": len(session.received), "sent": len(session.to_far)}
        return self.reconnect(session.identifier, **(counters | fields))

    # Moving

    def move(self) -> Station:
        """Another address on the inside: a new one, or from the third move on the one that was left for longest."""
        if len(self._places) < PLACES:
            self._places.append(self._case.inside.station())
        else:
            self._places.append(self._places.pop(0))
        self.station = self._places[-1]
        return self.station


def random_data(length: int) -> bytes:
    """Bytes that are nowhere alike, drawn from the case's seed."""
    return chance.token_bytes(length)
