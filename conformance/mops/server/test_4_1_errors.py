# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1 with RFC 1122, 4.2.3.9 and 3.2.2.1: ICMP errors about a connection's tuples, and about a Migrate."""

import pytest
from scapy.layers.inet import ICMP

from conformance.mops.dut.server import Server
from conformance.mops.server.test_4_1_udp import UNIQUE_ID, open_mobile
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import SUCCESS
from testbed import inopportune, invalid, over, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.peers.icmp import TOO_BIG, IcmpPeer, error_about
from testbed.peers.tcp import TcpPeer

SOFT = {"network unreachable": (3, 0), "host unreachable": (3, 1), "time exceeded": (11, 0)}
HARD = {"protocol unreachable": (3, 2), "port unreachable": (3, 3), "prohibited": (3, 13)}
ANY = {**SOFT, **HARD, "fragmentation needed": TOO_BIG}


def report(case: Case, about: TcpPeer, error: str) -> None:
    """A router reports that the server's last segment did not come to this end. NotApplicable outside of IPv4."""
    if case.network.name != "ipv4":
        raise NotApplicable("these errors are those of ICMPv4")
    IcmpPeer(case.station()).send(error_about(about, *ANY[error]))


@pytest.mark.parametrize("error", SOFT)
@inopportune
@requirement("MOPS-4.1-240", case=1)
def test_soft_error_before_the_move(case: Case, node: MobileNode, dut: Server, error: str) -> None:
    """An error of the path to the old place, which comes before the Migrate, ends nothing: the connection migrates."""
    connection = node.connect()
    report(case, connection.local, error)
    dut.quiesce()
    node.move()
    dut.accepts_migrate(node, node.request(connection), connection)


@pytest.mark.parametrize("error", SOFT)
@inopportune
@requirement("MOPS-4.1-240", case=2)
def test_soft_error_after_the_move(case: Case, node: MobileNode, dut: Server, error: str) -> None:
    """An error of the path to the new place ends nothing."""
    connection = node.connect()
    node.migrate(connection)
    report(case, connection.local, error)
    dut.quiesce()
    dut.serves(connection)


@pytest.mark.parametrize("error", ANY)
@invalid
@requirement("MOPS-4.1-241", case=1)
def test_error_about_the_tuple_that_was_left(case: Case, node: MobileNode, dut: Server, error: str) -> None:
    """An error that quotes the tuple left behind, of whatever kind, does not touch the migrated connection."""
    connection: Connection = node.connect()
    node.migrate(connection)
    report(case, connection.previous[0], error)
    dut.quiesce()
    dut.serves(connection)


@pytest.mark.parametrize("error", ANY)
@over("ipv4")
@invalid
@requirement("MOPS-4.1-241", case=2)
def test_error_about_the_tuple_that_a_flow_has_left(
    case: Case, node: MobileNode, dut: Server, app: Application, error: str
) -> None:
    """An error that quotes the tuple left behind by a UDP socket does not come to its application."""
    flow = open_mobile(node, app, UNIQUE_ID)
    left = flow.local
    node.move()
    request = node.send_udp_migrate(flow, UNIQUE_ID)
    dut.reply_to(request, SUCCESS)
    node.rebind(request, flow)
    sent = IcmpPeer(case.station()).send(error_about(left, *ANY[error]))
    dut.quiesce()
    said = flow.socket.error()
    require(not said, "what the socket tells its application", "nothing", said, sent.frame)
    dut.serves_flow(flow)


@over("ipv4")
@valid
@requirement("MOPS-4.1-261", case=1)
def test_migrate_draws_no_protocol_unreachable(node: MobileNode, dut: Server) -> None:
    """A server that answers a Migrate does not say at the same time that it has no such protocol."""
    connection = node.connect()
    node.move()
    request = node.send_migrate(connection)
    dut.reply_to(request, SUCCESS)
    dut.quiesce()
    for frame, packet in IcmpPeer(node.station).messages(request.mark):
        seen = packet[ICMP].type, packet[ICMP].code
        require(seen != HARD["protocol unreachable"], "ICMP error", "no protocol unreachable", seen, frame)
