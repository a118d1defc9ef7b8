# SPDX-License-Identifier: GPL-2.0-or-later
"""The companion drafts at a server: the header of IPFF, its packets' size, the pseudo-header, UDP, addresses."""

import pytest

from conformance.mops.covering import OTHER_COVERING, covering_otherwise
from conformance.mops.dut.server import Server
from conformance.mops.migrate import ENTRY, SentMigrate, enclosed, reserved_fields
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import FAILED, SUCCESS
from testbed import invalid, over, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.peers.udp import UdpPeer, expect_datagram
from testbed.wire.headers import UDP_PROTOCOL
from testbed.wire.station import Station

LEAST_MTU = 1320
LEAST_HOPS = 32

in_ipff = over("ipff")


def connect_and_move(node: MobileNode) -> Connection:
    """A connection at the home address, the node being elsewhere."""
    connection = node.connect()
    node.move()
    return connection


def migrates(node: MobileNode, dut: Server, connection: Connection, request: SentMigrate) -> None:
    """The server replies success and carries data on the new tuple."""
    dut.answers(request, SUCCESS)
    node.rebind(request, connection)
    dut.serves(connection)


def does_not_take(node: MobileNode, dut: Server, connection: Connection, request: SentMigrate) -> None:
    """The server does as if the packet had not come: the same message, sent soundly after it, is the first it hears."""
    dut.collect_replies(request.mark)
    (_, migrated, _) = request.message.entries[0]
    dut.new_tuple_is_dead(connection, node.station, migrated)
    dut.serves(connection)
    migrates(node, dut, connection, node.send_migrate(connection))


@in_ipff
@valid
@requirement("MOPS-ipff.3-01", case=1)
def test_reserved_is_zero_in_what_is_sent(case: Case, node: MobileNode, dut: Server) -> None:
    """Segments, a reply and data on the new tuple leave with Reserved of the IPFF header zero."""
    connection = connect_and_move(node)
    request = node.send_migrate(connection)
    with preamble():
        migrates(node, dut, connection, request)
    for frame in case.trace.received():
        seen = reserved_fields(case.network.dissect(frame.data))
        require(not any(seen.values()), "Reserved", 0, seen, frame)


@in_ipff
@valid
@requirement("MOPS-ipff.3-02", case=1)
def test_reserved_is_ignored(node: MobileNode, dut: Server) -> None:
    """A Migrate in a packet with every bit of Reserved set is carried out."""
    connection = connect_and_move(node)
    packet = enclosed(node.station, node.request(connection))
    packet.reserved = packet.get_field("reserved").top
    migrates(node, dut, connection, node.send_packet(packet))


@pytest.mark.parametrize("version", [0, 4, 6, 15])
@in_ipff
@invalid
@requirement("MOPS-ipff.3-03", case=1)
def test_another_version_is_not_taken(node: MobileNode, dut: Server, version: int) -> None:
    """A Migrate in a packet of another version than 5 changes nothing."""
    connection = connect_and_move(node)
    packet = enclosed(node.station, node.request(connection), version=version)
    does_not_take(node, dut, connection, node.send_packet(packet))


@pytest.mark.parametrize("more", [1, 6, 100])
@in_ipff
@valid
@requirement("MOPS-ipff.3-04", case=1)
def test_bytes_after_the_payload_are_ignored(node: MobileNode, dut: Server, more: int) -> None:
    """A Migrate in a frame with bytes after the packet is carried out."""
    connection = connect_and_move(node)
    packet = enclosed(node.station, node.request(connection))
    migrates(node, dut, connection, node.send_packet(bytes(packet) + b"\xa5" * more))


@pytest.mark.parametrize("more", [1, 8, 1000])
@in_ipff
@invalid
@requirement("MOPS-ipff.3-05", case=1)
def test_payload_length_beyond_the_frame_is_not_taken(node: MobileNode, dut: Server, more: int) -> None:
    """A Migrate in a packet whose Payload Length is more than the frame holds changes nothing."""
    connection = connect_and_move(node)
    message = node.request(connection)
    packet = enclosed(node.station, message, payload_length=len(message) + more)
    does_not_take(node, dut, connection, node.send_packet(packet))


@in_ipff
@invalid
@requirement("MOPS-ipff.3-05", case=11)
def test_what_a_frame_lacks_is_not_that_of_the_frame_before(node: MobileNode, dut: Server) -> None:
    """A Migrate whose last entry the frame lacks changes nothing, though a packet dropped just before had it."""
    connections = [node.connect() for _ in range(2)]
    node.move()
    message = node.request(*connections)
    node.station.transmit(enclosed(node.station, message, version=6))
    cut = bytes(enclosed(node.station, message))[: -ENTRY.size]
    does_not_take(node, dut, connections[0], node.send_packet(cut))


@valid
@requirement("MOPS-ipff.3-06", case=1)
def test_hops_of_what_is_sent(case: Case, node: MobileNode, dut: Server) -> None:
    """A reply and the data after it may pass 32 routers."""
    connection = connect_and_move(node)
    request = node.send_migrate(connection)
    with preamble():
        migrates(node, dut, connection, request)
    seen = {
        frame: header.hops
        for frame in case.trace.received(request.mark)
        if (header := case.network.header(frame.data)) is not None
    }
    case.values[case.network.hops_field] = ", ".join(sorted({str(hops) for hops in seen.values()}))
    for frame, hops in seen.items():
        require(hops >= LEAST_HOPS, case.network.hops_field, f"{LEAST_HOPS} or more", hops, frame)


@valid
@requirement("MOPS-ipff.3-07", case=1)
def test_last_hop_is_taken(case: Case, node: MobileNode, dut: Server) -> None:
    """A Migrate that could pass no further router is carried out."""
    connection = connect_and_move(node)
    packet = enclosed(node.station, node.request(connection), "", **{case.network.hops_field: 1})
    migrates(node, dut, connection, node.send_packet(packet))


@valid
@requirement("MOPS-ipff.5-01", case=1)
def test_migrate_of_the_least_mtu(node: MobileNode, dut: Server) -> None:
    """Of a Migrate in a packet of 1320 octets the last entry migrates, and the reply lists all the others."""
    connection = connect_and_move(node)
    request = node.send(node.full_request(connection, mtu=LEAST_MTU))
    frame, reply = dut.answers(request, FAILED)
    unknown = len(request.message.entries) - 1
    require(len(reply.entries) == unknown, "number of failed entries", unknown, len(reply.entries), frame)
    node.rebind(request, connection)
    dut.serves(connection)


@pytest.mark.parametrize("otherwise", OTHER_COVERING)
@in_ipff
@invalid
@requirement("MOPS-icmp-01", case=1)
def test_another_pseudo_header_is_silently_discarded(case: Case, node: MobileNode, dut: Server, otherwise: str) -> None:
    """A Migrate whose checksum covers another pseudo-header than the device's is not answered and changes nothing."""
    connection = connect_and_move(node)
    message = covering_otherwise(case, otherwise, node.station, case.network.dut, bytes(node.request(connection)))
    request = node.send(message)
    dut.stays_silent(request)
    does_not_take(node, dut, connection, request)


def echo_flow(node: MobileNode, app: Application) -> UdpPeer:
    """The node's end of a flow to a UDP echo service of the device."""
    return UdpPeer(node.station, node.new_port(), app.listen(service="echo", protocol="udp").port)


@in_ipff
@valid
@requirement("MOPS-udp-01", case=1)
def test_udp_datagrams_have_the_header_of_the_profile(
    case: Case, node: MobileNode, dut: Server, app: Application
) -> None:
    """Datagrams of odd and even length to a UDP echo service come back."""
    flow = echo_flow(node, app)
    for data in (b"odd", b"even", bytes(range(256)) * 4):
        since, sent = case.mark(), flow.send(data)
        packet = expect_datagram(case, flow, since, case.deadline(since_ns=sent.ns))
        seen = packet.payload.sport, bytes(packet.payload.payload)[: len(data)]
        wanted = flow.remote_port, data
        require(seen == wanted, "port and data of the echo service", wanted, seen, sent.frame)
    dut.can_migrate()


@in_ipff
@valid
@requirement("MOPS-ipff.7.1-01", case=1)
def test_udp_datagrams_have_a_checksum(case: Case, node: MobileNode, app: Application) -> None:
    """A datagram of a UDP echo service has a checksum that is not zero."""
    flow = echo_flow(node, app)
    since, sent = case.mark(), flow.send(b"hello")
    with preamble():
        expect_datagram(case, flow, since, case.deadline(since_ns=sent.ns))
    for frame, packet in flow.datagrams(since):
        require(packet.payload.chksum != 0, "checksum", "not zero", packet.payload.chksum, frame)


@in_ipff
@invalid
@requirement("MOPS-ipff.7.1-02", case=1)
def test_udp_datagram_without_checksum(case: Case, node: MobileNode, dut: Server, app: Application) -> None:
    """Reported: whether a UDP echo service answers a datagram whose checksum is zero."""
    flow, network = echo_flow(node, app), case.network
    since = case.mark()
    datagram = network.datagram(sport=flow.port, dport=flow.remote_port, chksum=0) / b"no checksum"
    node.station.send(UDP_PROTOCOL, datagram)
    dut.quiesce()
    case.values["without checksum"] = "taken" if flow.datagrams(since) else "dropped"


def outside(node: MobileNode, case: Case, place: int, value: int) -> Station:
    """A station at the node's address, but for one field that no address of a host has."""
    fields = node.address.split(".")
    fields[place] = str(value)
    return case.station(".".join(fields))


def fields_above(*places: tuple[int, int]) -> pytest.MarkDecorator:
    """A field of the address and its value: no two cases of different requirements have one address in common."""
    return pytest.mark.parametrize(("place", "value"), places, ids=str)


@fields_above((0, 1000), (1, 1023), (2, 1001), (3, 1000), (4, 1000), (4, 1023))
@in_ipff
@invalid
@requirement("MOPS-addressing.2.5.5-01", case=1)
def test_syn_from_a_field_above_999_is_dropped(
    case: Case, node: MobileNode, dut: Server, place: int, value: int
) -> None:
    """A SYN from an address with a field above 999 to the echo service is not answered, one from another address is."""
    odd = MobileNode(case, outside(node, case, place, value).address).new_peer()
    sent = odd.start()
    dut.expect_silence(odd, case.trace.mark_at(sent.frame))
    dut.accepts_new_connection(node.new_peer())


@fields_above((0, 1023), (1, 1000), (2, 1023), (3, 1001), (4, 1001), (4, 1022))
@in_ipff
@invalid
@requirement("MOPS-addressing.3-01", case=1)
def test_migrate_from_a_field_above_999_is_dropped(
    case: Case, node: MobileNode, dut: Server, place: int, value: int
) -> None:
    """A Migrate to an address with a field above 999, sent from there, is not answered and changes nothing."""
    connection = node.connect()
    home, odd = node.station, outside(node, case, place, value)
    node.return_to(odd)
    request = node.send_migrate(connection)
    dut.stays_silent(request)
    node.return_to(home)
    dut.serves(connection)
    node.move()
    migrates(node, dut, connection, node.send_migrate(connection))
