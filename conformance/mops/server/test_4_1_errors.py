# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1 with RFC 1122, 4.2.3.9: ICMP errors about a connection's tuples around a move."""

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import Connection, MobileNode
from testbed import inopportune, invalid, requirement
from testbed.case.case import Case
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
