# SPDX-License-Identifier: GPL-2.0-or-later
"""The server under test with its sockets of Mobile UDP."""

from abc import abstractmethod

from conformance.mops.migrate import SentMigrate
from conformance.mops.tester.mobile_node import UdpFlow
from testbed.case.verdict import Broken, Finding, require
from testbed.peers.host import Host
from testbed.peers.udp import UdpPeer, expect_datagram


class DatagramServer(Host):
    """Where the flows of its applications are."""

    @abstractmethod
    def can_migrate(self) -> None:
        """An ordinary Migrate moves a connection of this device; Inconclusive where it does not."""

    def serves_flow(self, flow: UdpFlow) -> None:
        """Datagrams pass between the application's socket and the node's end of the flow, both ways."""
        since = self._case.mark()
        asked_ns = flow.socket.send(b"from the server")
        expect_datagram(self._case, flow.local, since, self._case.deadline(since_ns=asked_ns))
        deadline = self._case.deadline()
        flow.local.send(b"from the node")
        came = flow.socket.receive(deadline.within_s)
        if came != b"from the node":
            finding = Finding("what the application receives", f"{b'from the node'!r}", f"{came!r}")
            raise Broken(finding, deadline)

    def hears_nothing(self, flow: UdpFlow, other: UdpPeer) -> None:
        """A datagram from another end does not reach the application's socket of the flow."""
        sent = other.send(b"is anybody there")
        self.quiesce()
        came = flow.socket.receive(self._ixit.silence_s)
        require(not came, "what the application receives", "nothing", f"{came!r}", sent.frame)

    def leaves_flow_alone(self, request: SentMigrate, flow: UdpFlow) -> None:
        """The flow is where it was before a request, and no datagram from the new tuple reaches its socket."""
        self.can_migrate()
        for _, migrated, _ in request.entries:
            self.hears_nothing(flow, UdpPeer(request.station, migrated, flow.local.remote_port))
        self.serves_flow(flow)
