# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B: Migrates to a router that has no mapping left to give."""

from functools import partial
from itertools import count, islice

from conformance.mops.dut.nat_router import Migration, NatRouter
from conformance.mops.migrate import ENTRY, HEADER, ReceivedMigrate, entries_in, in_mops
from conformance.mops.tester.sides import Node, SentMessage, Server
from testbed import exclusive, inopportune, over, requirement
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.wire.capture import Sent

FIRST_PORT = 1024
BEYOND = 1.1


def _flood(case: Case, node: Node, server: Server, largest: int) -> list[SentMessage]:
    """Ask for more mappings than the table holds, as many a message as a packet carries, and then for what is left."""
    full = (node.station.room - HEADER) // ENTRY.size
    sizes = [full] * round(BEYOND * largest / full) + [1 << power for power in reversed(range(full.bit_length()))]
    ports, asked = count(FIRST_PORT), []

    def ask(size: int) -> Sent:
        entries = [(port, port, port) for port in islice(ports, size)]
        asked.append(node.send(node.request(server.address, entries), server))
        return asked[-1].sent

    for size in sizes:
        case.send_paced(case.setup.profile.ixit.mops.guess_rate_per_s, partial(ask, size))
    return asked


def _is_translated(came: ReceivedMigrate, node: Node, sent: list[SentMessage]) -> None:
    """A Migrate that has come out names as many mappings as it was sent with, and no inside address."""
    previous = [one[0] for one in came.entries]
    seen = in_mops(came.packet.src), came.address("migrated_source")
    require(in_mops(node.address) not in seen, "source and migrated address", "none inside", seen, came.frame)
    wanted = [[one[0] for one in entries_in(message.octets)] for message in sent]
    require(previous in wanted, "entries", "those of a Migrate that was sent", len(previous), came.frame)
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
        _is_translated(one, attacker, asked)
    moved = dut.brings(node, server, 2)
    request = node.migrate(server, *moved)
    dut.carries(connection)
    dut.quiets()
    for one in dut.requests_at(server.station, request.since):
        _is_translated(one, node, [request])
        migration = Migration(node, server, request, one)
        dut.restored(migration.reply(), node)
        for end, mapped in zip(moved, migration.mapped, strict=True):
            end.outer.remote, end.outer.remote_port = mapped
        dut.continues(*moved)
    if len(came) == len(asked):
        raise NotApplicable("every Migrate has come out, and what it moves goes on: the table is not full")
