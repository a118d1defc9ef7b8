# SPDX-License-Identifier: GPL-2.0-or-later
"""What both roles have in common: a host whose connections go on, or stay, when an address changes."""

from contextlib import suppress

from conformance.sacip.tester.node import Opening
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.device.application import Socket
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import accept
from testbed.peers.host import MobileHost
from testbed.peers.stream import send_stream
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Mark
from testbed.wire.station import Station


class Endpoint(MobileHost):
    """The device under test at the end of connections. It has the addresses that it was given, until it is restored."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._further: list[str] = []
        self._has_home = True

    # Addresses

    def add_address(self, address: str, prefix_length: int | None = None) -> None:
        """Tell the device to take a further address; NotApplicable where it has no such verb."""
        super().add_address(address, prefix_length)
        self._further.append(address)
        self._has_home |= address == self.home

    def renew_address(self, address: str) -> None:
        """Tell the device to take an address that it has, as its lease is renewed; NotApplicable where it refuses."""
        try:
            super().add_address(address)
        except OperationFailed as error:
            raise NotApplicable(f"the device takes no address that it has: {error.reason}") from None

    def delete_address(self, address: str) -> None:
        """Tell the device to give an address up; NotApplicable where it has no such verb."""
        super().delete_address(address)
        if address in self._further:
            self._further.remove(address)
        self._has_home &= address != self.home

    def restore(self) -> None:
        """Have the device be at its first address and at no other, as far as it does what it is told.

        A device that ends with its case need not.
        """
        if self._case.interface.leftovers is None:
            return
        with suppress(Inconclusive, NotApplicable):
            if not self._has_home:
                self.add_address(self.home)
            for address in [one for one in self._further if one != self.home]:
                self.delete_address(address)
            self._case.setup.moved(self._case.network.name, self.home)

    # Connections

    def serves_application(self, peer: TcpPeer, socket: Socket, data: bytes = b"still there") -> None:
        """Data flows between the tester and a socket that the upper tester commands, both ways and byte-exact."""
        send_stream(self._case, peer, data)
        self.application_reads(socket, data)
        peer.read()
        self.delivers(peer, data, self.application_takes(socket, data))

    def fills_gap(self, peer: TcpPeer, first: bytes, second: bytes) -> None:
        """Data that has come ahead of its turn was kept, and both parts come back when the first one has come."""
        start = len(peer.stream)
        peer.clock -= 1  # a clock may stand still from one segment to the next (RFC 7323, 5.4)
        sent = peer.send(first)
        peer.send_lost(second)
        self.delivers(peer, first + second, sent.ns, start)

    def establishes(self, opening: Opening, peer: TcpPeer) -> Socket:
        """The connection that the device is opening is established with an end of the tester."""
        deadline = self._case.deadline()
        try:
            accept(self._case, peer, opening.syn)
            return opening.connecting.socket()
        except (Inconclusive, OperationFailed) as trouble:
            raise Broken(Finding(f"connection from the DUT: {trouble}", "a connection", "none"), deadline) from None

    def is_served(self, peer: TcpPeer) -> bool:
        """Whether data flows on a connection, for cases that only report."""
        try:
            self.serves(peer)
        except Broken:
            return False
        return True

    def where_it_sends(self, peer: TcpPeer, since: Mark, stations: dict[str, Station]) -> str:
        """In words, to which of these stations segments of a connection have come since a mark, resets left out."""
        self.quiesce()
        found = [
            name
            for name, station in stations.items()
            if any(not one.is_reset for one in self.segments(peer.at(station), since))
        ]
        return " and ".join(found) or "nobody"
