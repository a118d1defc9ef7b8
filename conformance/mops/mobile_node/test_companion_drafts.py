# SPDX-License-Identifier: GPL-2.0-or-later
"""The companion drafts at a mobile node: the header of IPFF, the pseudo-header, UDP."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from scapy.packet import Packet

from conformance.mops.covering import OTHER_COVERING, covering_otherwise
from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import ReceivedMigrate, enclosed, reserved_fields
from conformance.mops.tester.server import Connection, Correspondent
from testbed import exclusive, invalid, over, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.device.application import Socket
from testbed.peers.host import Move
from testbed.peers.udp import UdpPeer, expect_datagram

WAITING = b"waiting for the reply"

in_ipff = over("ipff")


@dataclass
class Moved:
    """A connection of a device that has moved and asked for it, and is not answered yet."""

    dut: MobileNode
    connection: Connection
    move: Move
    request: ReceivedMigrate

    def reply(self, **fields: int) -> Packet:
        """The packet with "success", any field of its header replaced."""
        message = self.connection.server.reply_message(self.request)
        return enclosed(self.connection.server.station, message, self.request.packet.src, **fields)

    def takes(self, packet: Packet | bytes) -> None:
        """The device takes this packet as the reply, and the connection continues on the new tuple."""
        server = self.connection.server
        server.check_in_time(self.request, server.station.transmit(packet))
        self.connection.expect_at(self.request)
        self.dut.continues(self.connection)

    def does_not_take(self, send: Callable[[], object]) -> None:
        """After this the device waits as before, and a sound reply is the first that it takes."""
        local, start = self.connection.local, len(self.connection.local.stream)
        sent_ns = self.connection.socket.send(WAITING)
        with preamble():
            self.dut.expect_silence(local, self.move.mark, source=self.move.new)
        send()
        self.dut.expect_silence(local, self.move.mark, source=self.move.new)
        replied_ns = self.connection.server.reply_success(self.request, self.connection)
        self.dut.delivers(local, WAITING, replied_ns, start, sent_ns)
        self.dut.continues(self.connection)


@pytest.fixture
def moved(dut: MobileNode, app: Applications, correspondent: Correspondent) -> Moved:
    """A device that has moved with one connection; preamble."""
    connection = app.connect(correspondent)
    move = dut.move()
    return Moved(dut, connection, move, dut.request(move, connection))


@exclusive
@in_ipff
@valid
@requirement("MOPS-ipff.3-01", case=2)
def test_reserved_is_zero_in_what_is_sent(case: Case, moved: Moved) -> None:
    """Segments, the Migrate and data on the new tuple leave with Reserved of the IPFF header zero."""
    with preamble():
        moved.takes(moved.reply())
    for frame in case.trace.received():
        seen = reserved_fields(case.network.dissect(frame.data))
        require(not any(seen.values()), "Reserved", 0, seen, frame)


@exclusive
@in_ipff
@valid
@requirement("MOPS-ipff.3-02", case=2)
def test_reserved_is_ignored(moved: Moved) -> None:
    """A reply in a packet with every bit of Reserved set is taken."""
    packet = moved.reply()
    packet.reserved = packet.get_field("reserved").top
    moved.takes(packet)


@pytest.mark.parametrize("version", [4, 6])
@exclusive
@in_ipff
@invalid
@requirement("MOPS-ipff.3-03", case=2)
def test_another_version_is_not_taken(moved: Moved, version: int) -> None:
    """A reply in a packet of another version than 5 is not taken."""
    packet = moved.reply(version=version)
    moved.does_not_take(lambda: moved.connection.server.station.transmit(packet))


@exclusive
@in_ipff
@valid
@requirement("MOPS-ipff.3-04", case=2)
def test_bytes_after_the_payload_are_ignored(moved: Moved) -> None:
    """A reply in a frame with bytes after the packet is taken."""
    moved.takes(bytes(moved.reply()) + b"\xa5" * 6)


@exclusive
@in_ipff
@invalid
@requirement("MOPS-ipff.3-05", case=2)
def test_payload_length_beyond_the_frame_is_not_taken(moved: Moved) -> None:
    """A reply in a packet whose Payload Length is more than the frame holds is not taken."""
    packet = moved.reply(payload_length=len(moved.request.octets) + 8)
    moved.does_not_take(lambda: moved.connection.server.station.transmit(packet))


@exclusive
@valid
@requirement("MOPS-ipff.3-07", case=2)
def test_last_hop_is_taken(case: Case, moved: Moved) -> None:
    """A reply that could pass no further router is taken."""
    moved.takes(moved.reply(**{case.network.hops_field: 1}))


@pytest.mark.parametrize("otherwise", OTHER_COVERING)
@exclusive
@in_ipff
@invalid
@requirement("MOPS-icmp-01", case=2)
def test_another_pseudo_header_is_silently_discarded(case: Case, moved: Moved, otherwise: str) -> None:
    """A reply whose checksum covers another pseudo-header than the device's is not taken."""
    server, destination = moved.connection.server, moved.request.packet.src
    octets = bytes(server.reply_message(moved.request))
    message = covering_otherwise(case, otherwise, server.station, destination, octets)
    moved.does_not_take(lambda: server.send(moved.request, message))


def speak(case: Case, dut: MobileNode, correspondent: Correspondent) -> tuple[UdpPeer, Socket]:
    """The correspondent's end of a UDP flow that an application of the device has opened, and its socket."""
    local = UdpPeer(correspondent.station, next(case.setup.source_ports))
    return local, dut.app.connect(correspondent.address, local.port, protocol="udp").socket()


@exclusive
@in_ipff
@valid
@requirement("MOPS-udp-01", case=2)
def test_udp_datagrams_have_the_header_of_the_profile(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A datagram of an application comes with odd and even length, and one is read by it; the device can move."""
    local, socket = speak(case, dut, correspondent)
    for data in (b"odd", b"even"):
        since = case.mark()
        deadline = case.deadline(since_ns=socket.send(data))
        expect_datagram(case, local, since, deadline)
        frame, packet = local.datagrams(since)[0]
        seen = bytes(packet.payload.payload)[: len(data)]
        require(seen == data, "datagram", repr(data), repr(seen), frame)
        local.remote, local.remote_port = packet.src, packet.payload.sport
    local.send(b"to the application")
    dut.application_reads(socket, b"to the application")
    dut.complete_move(app.connect(correspondent))


@in_ipff
@valid
@requirement("MOPS-ipff.7.1-01", case=2)
def test_udp_datagrams_have_a_checksum(case: Case, dut: MobileNode, correspondent: Correspondent) -> None:
    """A datagram of an application has a checksum that is not zero."""
    local, socket = speak(case, dut, correspondent)
    since = case.mark()
    deadline = case.deadline(since_ns=socket.send(b"hello"))
    with preamble():
        expect_datagram(case, local, since, deadline)
    for frame, packet in local.datagrams(since):
        require(packet.payload.chksum != 0, "checksum", "not zero", packet.payload.chksum, frame)
