# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B and section 6: what of a Migrate never leaves, however it is made."""

from collections.abc import Callable

import pytest
from scapy.packet import Packet

from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.migrate import ENTRY, Message, Octets, ReceivedMigrate, in_mops, sealed
from conformance.mops.tester.sides import Node, Server
from conformance.mops.tester.spoilt import MALFORMED, WRONG_CHECKSUMS, replaced
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS
from testbed import inopportune, invalid, over, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.fragments import fragments
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL

LEAST_MTU = 1320
"""The smallest MTU of IPFF."""

REPEATS = 3
PIECE = 24
CODES = pytest.mark.parametrize("code", [0, MIGRATE_ATOMIC], ids=["best effort", "atomic"])
PROTOCOLS = pytest.mark.parametrize("protocol", [TCP_PROTOCOL, UDP_PROTOCOL], ids=["TCP", "UDP"])


WRONG: dict[str, Callable[[Packet], Message]] = {**WRONG_CHECKSUMS, **MALFORMED}

LEAKS: dict[str, Callable[[Node, Packet], Message]] = {
    "best effort": lambda node, message: message,
    "atomic": lambda node, message: replaced(message, code=MIGRATE_ATOMIC),
    "UDP": lambda node, message: replaced(message, protocol=UDP_PROTOCOL),
    "unknown protocol": lambda node, message: replaced(message, protocol=132),
    "wrong checksum": lambda node, message: Octets(bytes(message), lambda right: right ^ 0xFFFF),
    "version 2": lambda node, message: replaced(message, version=2),
    "code 7": lambda node, message: replaced(message, code=7),
    "success": lambda node, message: replaced(message, code=SUCCESS),
    "failed": lambda node, message: replaced(message, code=FAILED),
    "Count 0": lambda node, message: replaced(message, count=0),
    "Count 2 of 1 entry": lambda node, message: replaced(message, count=2),
    "trailing bytes": lambda node, message: sealed(bytes(message) + ENTRY.pack(5051, 6051, 7)),
    "cut short": lambda node, message: sealed(bytes(message)[:-4]),
    "another node's": lambda node, message: replaced(message, migrated_source=in_mops(Node.like(node).address)),
}


@pytest.mark.parametrize("how", LEAKS)
@invalid
@requirement("MOPS-6-05", case=1)
def test_inside_address_never_leaves(case: Case, node: Node, server: Server, dut: NatRouter, how: str) -> None:
    """Whatever a Migrate from the inside is like, none comes out from an inside address or with one as migrated."""
    message = LEAKS[how](node, node.request(dut.elsewhere()[0], node.entries(1)))
    node.send(message, server)
    dut.request_barrier()
    dut.quiets()
    for told in dut.acknowledgements(node.station):
        told.frame.account("whatever the router makes of it")
    inside = {in_mops(one.address) for one in case.inside.stations}
    for came in dut.all_outside():
        came.frame.account("judged")
        seen = {in_mops(came.packet.src), came.address("migrated_source")} & inside
        require(not seen, "inside addresses in what came out", "none", seen, came.frame)


@pytest.mark.parametrize("how", WRONG)
@invalid
@requirement("MOPS-B-12", case=1)
def test_malformed_migrate_leaves_nothing_outside(node: Node, server: Server, dut: NatRouter, how: str) -> None:
    """After a right Migrate one with a wrong checksum, version or count leaves nothing outside."""
    message = node.request(dut.elsewhere()[0], node.entries(2))
    dut.forwarded(node.send(message, server), server)
    dut.leaves_nothing(node.send(WRONG[how](message), server), server)


@valid
@requirement("MOPS-B-53", case=1)
def test_last_hop_is_not_sent_on(node: Node, server: Server, dut: NatRouter) -> None:
    """A Migrate that arrives with a hop limit of 1 is not sent on."""
    message = node.request(dut.elsewhere()[0], node.entries(1))
    dut.leaves_nothing(node.send_with_hops(message, server, 1), server)


@valid
@requirement("MOPS-B-54", case=1)
def test_checksum_at_its_edges(node: Node, server: Server, dut: NatRouter) -> None:
    """The identifier is such that the checksum of what comes out is 0x0000 or 0xffff, or next to them: it is right."""
    address, (entry,) = dut.elsewhere()[0], node.entries(1)
    first = dut.forwarded(node.send(node.request(address, [entry]), server), server)
    for wanted in (0x0000, 0x0001, 0xFFFE, 0xFFFF):
        identifier = _identifier_for(first, entry[2], wanted)
        came = dut.forwards(node.send(node.request(address, [(*entry[:2], identifier)]), server), server)
        require(came.is_intact, "checksum", hex(came.right_checksum), hex(came.message.checksum), came.frame)


def _identifier_for(came: ReceivedMigrate, identifier: int, wanted: int) -> int:
    """The identifier with which what came would have this checksum, its low half changed in one's complement."""
    low = identifier & 0xFFFF
    return identifier & ~0xFFFF | (low + came.right_checksum - wanted) % 0xFFFF


@pytest.mark.parametrize("order", ["in order", "reversed", "the first twice", "the last alone", "the first alone"])
@over("ipv4")
@inopportune
@requirement("MOPS-B-55", case=1)
def test_fragments_come_out_whole_or_not_at_all(
    case: Case, node: Node, server: Server, dut: NatRouter, order: str
) -> None:
    """What comes out of a Migrate in fragments is the whole one, translated, or nothing."""
    message = node.request(dut.elsewhere()[0], node.entries(8))
    network = node.station.network
    packet = network.packet(node.address, server.address, network.icmp_protocol, message)
    pieces = fragments(packet, PIECE)
    chosen = {"reversed": pieces[::-1], "the first twice": [pieces[0], *pieces], "the last alone": pieces[-1:]}
    since = case.mark()
    for piece in chosen.get(order, pieces[:1] if order == "the first alone" else pieces):
        node.station.transmit(piece)
    dut.request_barrier()
    dut.quiets()
    for told in dut.acknowledgements(node.station, since):
        told.frame.account("of the Migrate that was put together")
    for frame in dut.fragments_at(server.station, since):
        require(False, "fragment", "none, or the whole message", f"#{frame.index}", frame.account())
    for came in dut.requests_at(server.station, since):
        came.frame.account("whole")
        whole = came.is_intact and came.address("migrated_source") == in_mops(came.packet.src)
        right = whole and len(came.entries) == came.message.count and in_mops(node.address) != in_mops(came.packet.src)
        require(right, "Migrate", "the whole one, translated", came.message.summary(), came.frame)
