# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester as correspondent host on the outside, which knows nothing of the proxy but its connections."""

from typing import Any

from layers.msocks import Socks5Request
from testbed.case.case import Case
from testbed.peers import connection
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import BEGINNING, Mark
from testbed.wire.station import Station

HIGHEST = (1 << 32) - 1


class Correspondent:
    """A host at an address of its own, which listens at one port; `choices` are those of its ends (`TcpPeer`)."""

    def __init__(self, case: Case, station: Station | None = None, **choices: Any) -> None:
        self._case = case
        self._choices = choices
        self.station = station or case.outside.station()
        self.port = next(case.setup.source_ports)

    def another_port(self) -> "Correspondent":
        """The same host at another port."""
        return Correspondent(self._case, self.station, **self._choices)

    def request(self, **fields: Any) -> Socks5Request:
        """CONNECT to this host; any field can be replaced."""
        return Socks5Request(**({"address": self.station.address, "port": self.port} | fields))

    def await_syn(self, since: Mark = BEGINNING) -> Segment:
        """The proxy's SYN, as preamble."""
        return connection.await_syn(self._case, self.station, self.port, since=since)

    def end_for(self, syn: Segment) -> TcpPeer:
        """This host's end of the connection that a SYN opens."""
        peer = connection.new_peer(
            self._case, self.station, self.port, syn.source_port, checks_source=True, **self._choices
        )
        peer.remote = syn.source
        return peer

    def accept(self, since: Mark = BEGINNING) -> tuple[TcpPeer, Segment]:
        """Accept the connection that the proxy opens, as preamble; the end, and the SYN."""
        syn = self.await_syn(since)
        peer = self.end_for(syn)
        connection.accept(self._case, peer, syn)
        return peer, syn
