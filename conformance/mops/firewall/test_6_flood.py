# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: more Migrates than the table holds sessions."""

from functools import partial

import pytest
from scapy.packet import Packet

from conformance.mops.dut.firewall import Firewall
from conformance.mops.tester.crossing import Move, RoamingNode
from testbed import exclusive, inopportune, over, requirement
from testbed.case.case import Case
from testbed.wire.capture import Sent

BOTH = pytest.mark.parametrize("position", ["inside", "outside"])
WHY = "it fills the device's table"


def flood(case: Case, position: str) -> None:
    """Ask for twice as many tuples as the largest table holds, of sessions that nobody has seen, and agree."""
    mops = case.setup.profile.ixit.mops
    attacker = RoamingNode(case, position)
    session, asked = attacker.bring(), 0
    station = attacker.side.station()
    while asked < 2 * mops.firewall_largest_table:
        move = attacker.move(session, to=station)
        message = attacker.full_request(move, asked)
        asked += len(message.entries)
        ask, agree = partial(_ask, attacker, move, message), partial(attacker.server.agree_unasked, move, message)
        for send in (ask, agree):
            case.send_paced(mops.guess_rate_per_s, send)


def _ask(attacker: RoamingNode, move: Move, message: Packet) -> Sent:
    return attacker.send(move, message).sent


@over("ipv4")
@exclusive(WHY)
@BOTH
@inopportune
@requirement("MOPS-6-71", case=1)
def test_known_sessions_outlast_a_flood(node: RoamingNode, dut: Firewall, case: Case, position: str) -> None:
    """Sessions at home and migrated ones pass both ways after a flood of Migrates from the node's side."""
    home, migrated, silent = dut.connect(node), dut.connect(node), dut.connect(node, "udp")
    dut.migrate(node, migrated)
    flood(case, position)
    dut.carries(home, migrated, silent)


@over("ipff")
@exclusive(WHY)
@inopportune
@requirement("MOPS-6-72", case=1)
def test_full_table_opens_nothing(node: RoamingNode, dut: Firewall, case: Case, position: str) -> None:
    """After a flood nothing passes from the outside at a tuple that nobody has asked for."""
    session = dut.connect(node)
    dut.can_open(node, session)
    dut.barrier()
    flood(case, position)
    dut.blocks(dut.inward(node, session, node.new_place()))
