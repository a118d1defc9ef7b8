# SPDX-License-Identifier: GPL-2.0-or-later
"""The device under test as a SACIP mobile node: it tells its peers that its address changes, and goes on there."""

from scapy.utils import checksum

from conformance.sacip.dut.endpoint import Endpoint
from conformance.sacip.dut.notification import Notification, notifications
from conformance.sacip.tester.node import Node
from layers.sacip import CAPTURED
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require, require_none
from testbed.device.application import Socket
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.host import Move
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import BEGINNING, Frame, Mark
from testbed.wire.clock import NANO, Deadline
from testbed.wire.station import Station


class MobileNode(Endpoint):
    """The device under test in the role of a SACIP mobile node."""

    # Changes

    def further_addresses(self, count: int) -> list[str]:
        """Addresses of the profile that the device has not got now; NotApplicable where there are too few."""
        known = [one for one in [*self._case.network.moves_to, self.home] if one != self.address]
        if len(known) < count:
            path = self._case.setup.profile.path
            raise NotApplicable(f"{path}: ixit.ipv4.moves_to does not name {count} addresses")
        return known[:count]

    def change_address(self, new: str = "") -> Move:
        """Give the device a further address and take the one that it has: the new one is promoted."""
        (further,) = [new] if new else self.further_addresses(1)
        self.add_address(further)
        return self.delete_primary(further)

    def delete_primary(self, promoted: str) -> Move:
        """Take the address of the device that it has had for longest; `promoted` becomes the first one."""
        old, mark, asked_ns = self.address, self._case.mark(), self._case.clock.now_ns()
        self.delete_address(old)
        self._case.setup.moved(self._case.network.name, promoted)
        self.address = promoted
        return Move(old, promoted, mark, asked_ns, self._case.clock.now_ns())

    def delete_further(self, address: str, promoted: str) -> Move:
        """Take an address that is the first one of its subnet, but not the device's first; `promoted` follows it."""
        mark, asked_ns = self._case.mark(), self._case.clock.now_ns()
        self.delete_address(address)
        return Move(address, promoted, mark, asked_ns, self._case.clock.now_ns())

    def takes_addresses_of_the_slides(self, prefix_length: int, *addresses: str) -> None:
        """Give the device addresses of the slides; NotApplicable where their bytes are of other ones."""
        if self._ixit.sacip.byte_order != CAPTURED:
            raise NotApplicable(f"{self._case.setup.profile.path}: ixit.sacip.byte_order is not captured")
        for address in addresses:
            self.add_address(address, prefix_length)

    def complete_change(self, *peers: TcpPeer, new: str = "") -> Move:
        """Change the address, and go on with these connections there, as preamble."""
        move = self.change_address(new)
        with preamble():
            for peer in peers:
                self.notifies(peer.station, move)
        self.follow(move, *peers)
        return move

    def follow(self, move: Move, *peers: TcpPeer) -> None:
        """Go on with connections where the device is now."""
        for peer in peers:
            peer.follow_remote(move.new, move.mark)

    # Notifications

    def notifies(self, station: Station, move: Move) -> Notification:
        """A notification comes to a station in time."""
        found = self._await_notification(station, move.mark, deadline := self._deadline(move))
        if found is None:
            raise Broken(
                Finding(f"no notification received at {station.address}", "a notification", "silence"), deadline
            )
        return found

    def notifies_each(self, stations: list[Station], move: Move) -> None:
        """A notification comes to each of these stations in time."""
        left, deadline = {one.number for one in stations}, self._deadline(move)

        def all_came() -> Frame | None:
            came = [one for one in notifications(self._case, since=move.mark) if one.destination in left]
            return came[-1].frame if len({one.destination for one in came}) == len(left) else None

        if self._case.look(all_came, deadline) is None:
            came = len(left & {one.destination for one in notifications(self._case, since=move.mark)})
            raise Broken(Finding("peers that were told", str(len(left)), str(came)), deadline)

    def await_notification(self, station: Station, move: Move) -> Notification:
        """The notification that a case looks into, as preamble."""
        found = self._await_notification(station, move.mark, self._deadline(move))
        if found is None:
            raise Inconclusive("preamble: no notification received from the DUT", repeat=False)
        return found

    def has_notified(self, station: Station, move: Move) -> list[Notification]:
        """Every notification of a change to a station, when all have come."""
        self.quiesce()
        return notifications(self._case, station, move.mark)

    def tells_nothing(self, station: Station, move: Move) -> None:
        """No notification of a change has come to a station."""
        require_none(f"notifications to {station.address}", [one.frame for one in self.has_notified(station, move)])

    def tells_so_often(self, count: int, station: Station, move: Move) -> None:
        """So many notifications of a change come to a station."""
        self.await_notification(station, move)
        came = self.has_notified(station, move)
        require(len(came) == count, "notifications", count, len(came), *[one.frame for one in came])

    def names(self, told: Notification, address: str) -> None:
        """A notification names this address."""
        require(told.new_address == address, "new address", address, told.new_address, told.frame)

    def has_right_checksum(self, told: Notification) -> None:
        """The checksum of a notification is right."""
        content = told.content
        expected = checksum(content[:2] + bytes(2) + content[4:])
        seen = int.from_bytes(content[2:4], "big")
        require(checksum(content) == 0, "checksum", f"{expected:#06x}", f"{seen:#06x}", told.frame)

    def notifies_nobody(self, since: Mark = BEGINNING) -> None:
        """No notification has come to any station since a mark."""
        self.quiesce()
        require_none("notifications", [one.frame for one in notifications(self._case, since=since)])

    def notifies_an_ordinary_connection(self) -> None:
        """That nobody was told says something: an ordinary change of address is told, as preamble."""
        node = Node(self._case)
        peer = node.connect(remote=self.address)
        move = self.change_address()
        self.await_notification(peer.station, move)

    def _deadline(self, move: Move) -> Deadline:
        return self._case.deadline(since_ns=move.done_ns)

    def _await_notification(self, station: Station, since: Mark, deadline: Deadline) -> Notification | None:
        def first() -> Frame | None:
            return next((one.frame for one in notifications(self._case, station, since)), None)

        frame = self._case.look(first, deadline)
        return next((one for one in notifications(self._case, station, since) if one.frame is frame), None)

    # The connections afterwards

    def goes_on(self, move: Move, *peers: TcpPeer, data: bytes = b"at the new address") -> None:
        """Connections to the echo service go on where the device is now."""
        self.follow(move, *peers)
        self.serves(*peers, data=data)

    def sends_from_the_new_address(self, peer: TcpPeer, socket: Socket, move: Move, data: bytes) -> None:
        """The application's data comes from the new address, and no segment from the old one after the stragglers."""
        told = self.await_notification(peer.station, move)
        self.follow(move, peer)
        self.delivers(peer, data, self.application_takes(socket, data))
        peer.acknowledge()
        self.leaves(peer, move, told)

    def leaves(self, peer: TcpPeer, move: Move, told: Notification) -> None:
        """No segment has come from the old address later than stragglers may."""
        self.quiesce()
        latest = self._case.deadline(self._ixit.sacip.stragglers_s, since_ns=told.frame.ns)
        for segment in self.segments(peer, move.mark, move.old):
            at = f"{(segment.frame.ns - told.frame.ns) / NANO:.3f} s after the notification"
            frames = segment.frame, told.frame
            what = f"segment from {move.old}"
            require(
                segment.frame.ns <= latest.end_ns, what, f"none later than {latest.within_s:g} s", at, latest, *frames
            )

    def tells_before_it_leaves(self, peer: TcpPeer, move: Move) -> None:
        """The first segment from the new address follows the notification."""
        told = self.await_notification(peer.station, move)
        for segment in self.segments(peer, BEGINNING, move.new)[:1]:
            what = "first segment from the new address"
            order = (segment.frame.ns, segment.frame.index) > (told.frame.ns, told.frame.index)
            require(order, what, f"after #{told.frame.index}", f"#{segment.frame.index}", segment.frame, told.frame)
