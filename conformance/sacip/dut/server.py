# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test as a SACIP server: it goes on with its peer where a notification says that the peer is."""

from conformance.sacip.dut.endpoint import Endpoint
from conformance.sacip.tester import slides
from conformance.sacip.tester.node import Change, Node
from layers.sacip import CAPTURED
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.device.application import Listener, Socket
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import NotApplicable
from testbed.peers.icmp import ICMP_PROTOCOL
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import BEGINNING, Mark, Sent
from testbed.wire.station import Station


class Server(Endpoint):
    """The device under test in the role of a SACIP server."""

    def takes_the_address_of_the_slides(self) -> None:
        """The host that is told in the slides has this address too; NotApplicable where its bytes are of others."""
        if self._ixit.sacip.byte_order != CAPTURED:
            raise NotApplicable(f"{self._case.setup.profile.path}: ixit.sacip.byte_order is not captured")
        self.add_address(slides.HOST, slides.WHOLE)

    def serves_telnet_port(self) -> Listener:
        """An echo service at the port of the captured segment; NotApplicable where the device uses it itself."""
        try:
            return self.app.listen(slides.TELNET, service="echo")
        except OperationFailed as error:
            raise NotApplicable(f"port {slides.TELNET} of the device is not free: {error.reason}") from None

    # A notification that is taken

    def sends_to_the_new_address(self, peer: TcpPeer, socket: Socket, change: Change, data: bytes) -> None:
        """The application's data comes to the new address, and no segment of the connection to the old one."""
        self.barrier()
        mark = self._case.mark()
        self.delivers(peer, data, self.application_takes(socket, data))
        peer.acknowledge()
        self.leaves(peer, change.old, mark)

    def leaves(self, peer: TcpPeer, old: Station, mark: Mark) -> None:
        """No segment of a connection has come to the old address since a mark."""
        self.expect_silence(peer.at(old), mark, resets=False)

    def answers_nothing(self, change: Change) -> None:
        """No message of ICMP comes in answer to a notification, at either address."""
        self.quiesce()
        addresses = {change.old.number, change.new.number}
        for frame in self._case.trace.received(change.mark):
            header = self._case.network.header(frame.data)
            if header and header.destination in addresses and header.protocol == ICMP_PROTOCOL:
                seen = self._case.network.dissect(frame.data).summary()
                finding = Finding(f"answer to a notification: #{frame.index}", "silence", seen)
                raise Broken(finding, frame.account("must not be sent"), change.sent.frame)

    # A notification that counts for nothing

    def does_not_follow(self, peer: TcpPeer, sent: Sent, elsewhere: Station) -> None:
        """A connection goes on where it is, and nothing comes to the other address; Inconclusive if none follows."""
        mark = self._case.trace.mark_at(sent.frame)
        self.barrier()
        self.serves(peer, data=b"at the old address")
        self.expect_silence(peer.at(elsewhere), mark)
        self.follows_an_ordinary_notification()

    def follows_an_ordinary_notification(self) -> None:
        """That nothing has changed says something: an ordinary notification changes an ordinary connection."""
        node = Node(self._case)
        peer = node.connect(remote=self.address)
        node.change(peer, remote=self.address)
        with preamble("an ordinary notification changes nothing"):
            self.serves(peer)

    def ignores(self, end: TcpPeer, data: bytes) -> None:
        """Data with right numbers, sent from a tuple that is nobody's, is answered with a reset or not at all."""
        mark = self._case.mark()
        end.transmit(end.segment("PA", data))
        self.expect_silence(end, mark)

    def first_to(self, peer: TcpPeer, change: Change) -> int:
        """When the first segment of a connection has come to the new address, as the kernel's stamp."""
        segment = self.await_segment(peer, BEGINNING, lambda one: one.destination == change.new.address)
        require(segment, "segment to the new address", "one", "none", self._case.deadline(since_ns=change.sent.ns))
        assert segment
        return segment.frame.ns
