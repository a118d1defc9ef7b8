# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B: Migrates to a router that has no mapping left to give."""

from functools import partial

from conformance.mops.dut.nat_router import Migration, NatRouter
from conformance.mops.migrate import ENTRY, HEADER, ReceivedMigrate, in_mops
from conformance.mops.tester.sides import Node, SentMessage, Server
from testbed import exclusive, inopportune, over, requirement
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.wire.capture import Sent

FIRST_PORT = 1024
BEYOND = 1.1


def _flood(case: Case, node: Node, server: Server, largest: int) -> list[SentMessage]:
    """Ask for more mappings than the table holds, as many a message as a packet carries."""
    room, asked = (node.station.room - HEADER) // ENTRY.size, []

    def ask(first: int) -> Sent:
        entries = [(port, port, port) for port in range(first, first + room)]
        asked.append(node.send(node.request(server.address, entries), server))
        return asked[-1].sent

    for first in range(FIRST_PORT, FIRST_PORT + round(BEYOND * largest), room):
        case.send_paced(case.setup.profile.ixit.mops.guess_rate_per_s, partial(ask, first))
    return asked


def _is_translated(came: ReceivedMigrate, node: Node, number: int) -> None:
    """A Migrate that has come out names as many mappings as it was sent with, and no inside address."""
    seen = in_mops(came.packet.src), came.address("migrated_source"), len(came.entries)
    right = in_mops(node.address) not in seen[:2] and seen[2] == number
    require(right, "source, migrated address and entries", f"none inside, {number} entries", seen, came.frame)
    came.frame.account("Migrate")


@over("ipff")
@exclusive("it fills the device's table")
@inopportune
@requirement("MOPS-B-63", case=1)
def test_full_table_translates_whole_migrates_or_none(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Of more Migrates than the table has room for each comes out whole or not at all; what was open goes on."""
    largest = case.setup.profile.ixit.mops.nat_largest_table
    if largest is None:
        raise NotApplicable(f"{case.setup.profile.path}: ixit.mops.nat_largest_table states none")
    connection, attacker, crowd = dut.converses(node.at(), server), Node.like(node), Server.like(server)
    asked = _flood(case, attacker, crowd, largest)
    dut.carries(connection)
    came = dut.requests_at(crowd.station, asked[0].since)
    case.values["Migrates sent on"] = f"{len(came)} of {len(asked)}"
    for one in came:
        _is_translated(one, attacker, asked[0].message.count)
    if len(came) == len(asked):
        raise NotApplicable("every Migrate has come out: the table is not full")
    moved = dut.brings(node, server, 2)
    request = node.migrate(server, *moved)
    dut.carries(connection)
    dut.quiets()
    for one in dut.requests_at(server.station, request.since):
        _is_translated(one, node, len(moved))
        migration = Migration(node, server, request, one)
        dut.restored(migration.reply(), node)
        for end, mapped in zip(moved, migration.mapped, strict=True):
            end.outer.remote, end.outer.remote_port = mapped
        dut.continues(*moved)
