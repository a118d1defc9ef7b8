# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.2: an anycast acknowledgement on its way to a node inside."""

from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.migrate import in_mops
from conformance.mops.tester.sides import Node, Server
from layers.mops import MOPSAnycastAck
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.wire.capture import Frame
from testbed.wire.headers import TCP_PROTOCOL

ANYCAST_TYPE = 101


@valid
@requirement("MOPS-4.2-81", case=1)
def test_anycast_acknowledgement_is_translated(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """The acknowledgement of a server comes to the second node of a port with that port, all else as it was."""
    port = node.at().port
    dut.converses(Node.like(node).at(port), server)
    connection = dut.converses(node.at(port), server)
    unicast = Server.like(server)
    message = MOPSAnycastAck(
        protocol=TCP_PROTOCOL,
        anycast_destination=in_mops(server.address),
        unicast_destination=in_mops(unicast.address),
        source_port=connection.mapped[1],
        destination_port=server.listening.port,
    )
    told = server.send(message, connection.mapped[0])
    deadline = case.deadline(since_ns=told.sent.ns)

    def find() -> Frame | None:
        return next((frame for frame, _ in dut.received_at(node.station, ANYCAST_TYPE, told.since)), None)

    frame = case.look(find, deadline)
    if frame is None:
        reason = f"no anycast acknowledgement at {node.address} within {deadline.within_s:g} s"
        raise Broken(Finding(reason, "1", "0", frames=[told.sent.frame]), deadline)
    network = node.station.network
    packet, octets = network.dissect(frame.account("translated").data), network.payload(frame.data)
    require(
        packet.payload.source_port == connection.inner.port,
        "Source Port",
        connection.inner.port,
        packet.payload.source_port,
        frame,
    )
    kept = told.octets[4:24] + told.octets[26:]
    seen = octets[4:24] + octets[26:]
    require(seen == kept, "all else", kept.hex(), seen.hex(), frame, told.sent.frame)
    right = network.message_checksum(network.number(packet.src), network.number(packet.dst), octets)
    value = int.from_bytes(octets[2:4])
    require(value % 0xFFFF == right % 0xFFFF, "checksum", hex(right), hex(value), frame)
