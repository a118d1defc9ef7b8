# SPDX-License-Identifier: GPL-2.0-or-later
"""The mobile node that the tester plays towards an anycast server: it connects to one address and asks at the other."""

from typing import Any

from conformance.mops.capable import CapableHandshake
from conformance.mops.migrate import SentMigrate
from conformance.mops.tester.mobile_node import Connection, MobileNode, UdpFlow
from testbed.case.case import Case
from testbed.interruptions import Inconclusive
from testbed.peers.connection import await_state, connect
from testbed.peers.tcp import TcpPeer


def continues_at_unicast(case: Case) -> bool:
    """Whether a connection continues at the unicast address once its Migrate was answered there (ixit)."""
    return case.setup.profile.ixit.mops.anycast_continues == "unicast"


class AnycastNode(MobileNode):
    """A mobile node that has read the anycast acknowledgement: its Migrates go to the unicast address."""

    def __init__(self, case: Case, address: str = "") -> None:
        super().__init__(case, address)
        self.unicast = case.network.dut
        self.anycast = case.setup.profile.ixit.mops.anycast_on(case.network.name)
        self.called = self.anycast

    def connect(self, port: int = 0, remote_port: int = 0, *, use: bool = True, **choices: Any) -> Connection:
        """A connection to the anycast address, of which segments from another address are none."""
        return super().connect(port, remote_port, use=use, checks_source=True, **choices)

    def connect_to(self, address: str, **choices: Any) -> Connection:
        """A connection to this address of the device."""
        self.called = address
        connection = self.connect(**choices)
        self.called = self.anycast
        return connection

    def capable_peer(self, port: int = 0, remote_port: int = 0) -> TcpPeer:
        """An end whose SYN carries MOBILE_CAPABLE, and the ACK after it where the SYN-ACK does, not open yet."""
        peer = self.new_peer(port, remote_port)
        peer.options.append(CapableHandshake(self.case))
        return peer

    def open_capable(self, port: int = 0, remote_port: int = 0) -> TcpPeer:
        """A connection to the anycast address whose SYN carries MOBILE_CAPABLE; preamble."""
        return connect(self.case, self.capable_peer(port, remote_port))

    def complete(self, *peers: TcpPeer) -> None:
        """Acknowledge the SYN-ACK of each of these ends; preamble."""
        for peer in peers:
            self._await_opening(peer)
            peer.acknowledge()

    def _await_opening(self, peer: TcpPeer) -> None:
        if await_state(self.case, peer, self.case.deadline(), lambda: peer.state == "ESTABLISHED") is None:
            raise Inconclusive(f"preamble: no SYN-ACK came to {peer}")

    @property
    def continues_at(self) -> str:
        """The device's address at which a connection continues whose Migrate was sent to the unicast address."""
        return self.unicast if continues_at_unicast(self.case) else self.anycast

    def rebind(self, request: SentMigrate, *moved: Connection | UdpFlow) -> None:
        """Continue with connections where the request has moved them, and at the address that then is the device's."""
        super().rebind(request, *moved)
        if self.asked == self.unicast and continues_at_unicast(self.case):
            for one in moved:
                if isinstance(one, Connection):
                    one.local.remote = self.unicast
