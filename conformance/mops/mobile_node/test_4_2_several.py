# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.2, the mobile node: several moves, several connections and several acknowledgements of anycast servers."""

from conformance.mops.capable import mobile_capable
from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import in_mops, messages
from conformance.mops.tester.server import Connection, Correspondent
from layers.mops import MOPSAnycastAck
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.peers.connection import connect, new_peer
from testbed.wire.station import Station


def acknowledge(dut: MobileNode, connection: Connection, unicast: Station) -> None:
    """The server acknowledges the connection with this unicast address, and the device has read it."""
    message = connection.server.anycast_acknowledgement(connection, unicast_destination=in_mops(unicast.address))
    connection.server.send_about(connection, message)
    dut.barrier()


@exclusive
@valid
@requirement("MOPS-4.2-32", case=1)
def test_second_migrate_is_sent_to_the_unicast_address(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """After two moves, the first one served, the Migrate goes to the unicast address as the first did."""
    unicast = correspondent.become_anycast()
    connection = app.connect(correspondent)
    acknowledge(dut, connection, unicast)
    for number in range(3):
        request = dut.request(dut.move(), connection)
        destination = request.packet.dst
        require(destination == unicast.address, "destination", unicast.address, destination, request.frame)
        correspondent.reply_success(request, connection)
        if number == 0 and case.setup.profile.ixit.mops.anycast_continues == "unicast":
            connection.local.rebind(unicast, connection.local.port)
        with preamble():
            dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.2-33", case=1)
def test_each_connection_migrates_at_its_own_server(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Two connections to one anycast address were acknowledged by two servers: each Migrate goes to its own."""
    homes = [correspondent.become_anycast(), case.station()]
    connections = [app.connect(correspondent) for _ in homes]
    for connection, unicast in zip(connections, homes, strict=True):
        acknowledge(dut, connection, unicast)
    correspondent.further = homes
    move = dut.move()
    for connection, unicast in zip(connections, homes, strict=True):
        request = dut.request(move, connection)
        require(
            request.packet.dst == unicast.address, "destination", unicast.address, request.packet.dst, request.frame
        )


@exclusive
@valid
@requirement("MOPS-4.2-34", case=1)
def test_later_acknowledgement_counts(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Of two acknowledgements with different unicast addresses the second one says where the Migrate goes."""
    first, second = correspondent.become_anycast(), case.station()
    connection = app.connect(correspondent)
    for unicast in (first, second):
        acknowledge(dut, connection, unicast)
    correspondent.further = [first, second]
    request = dut.request(dut.move(), connection)
    require(request.packet.dst == second.address, "destination", second.address, request.packet.dst, request.frame)


@exclusive
@valid
@requirement("MOPS-4.2-15", case=2)
def test_mobile_node_sends_no_anycast_acknowledgement(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A mobile node that is called with MOBILE_CAPABLE, and then moves, sends no anycast acknowledgement."""
    connect(case, new_peer(case, correspondent.station), mobile_capable(case))
    dut.complete_move(app.connect(correspondent))
    dut.quiesce()
    for frame, message in messages(case):
        require(not isinstance(message, MOPSAnycastAck), "message", "no anycast acknowledgement", message.name, frame)
