# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B: replies of the server on their way in, restored, and those that answer nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from scapy.packet import Packet

from conformance.mops.dut.nat_router import Migration, NatRouter
from conformance.mops.migrate import Message, ReceivedMigrate, entries_in, in_mops
from conformance.mops.tester.sides import Node, Server
from conformance.mops.tester.spoilt import MALFORMED, WRONG_CHECKSUMS
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS, MOPSMigrate
from testbed import inopportune, invalid, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.clock import NANO
from testbed.wire.headers import UDP_PROTOCOL

WRONG: dict[str, Callable[[Packet], Message]] = {**WRONG_CHECKSUMS, **MALFORMED}
CODES = pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])


def _sent_on(node: Node, server: Server, dut: NatRouter, number: int = 1, **fields: Any) -> Migration:
    return dut.sends_on(node, server, *dut.brings(node, server, number), **fields)


def _require_restored(reply: ReceivedMigrate, migration: Migration, code: int, places: list[int]) -> None:
    """A reply is what the node's request asks for: its fields, these of its entries, from its server."""
    request, frame = migration.request, reply.frame
    sent = entries_in(request.octets)
    for what, expected, seen in (
        ("source", migration.server.address, reply.packet.src),
        ("code", code, reply.message.code),
        ("type and version", (100, 1), (reply.message.type, reply.message.version)),
        ("Protocol", request.message.protocol, reply.message.protocol),
        ("Previous Source Address", in_mops(request.message.previous_source), reply.address("previous_source")),
        ("Migrated Source Address", in_mops(migration.node.address), reply.address("migrated_source")),
        ("Count", len(places), reply.message.count),
        ("entries", [sent[place] for place in places], reply.entries),
        ("length", 24 + 8 * len(places), len(reply.octets)),
    ):
        require(expected == seen, what, expected, seen, frame, request.sent.frame)


@pytest.mark.parametrize("request_code", [0, MIGRATE_ATOMIC], ids=["best effort", "atomic"])
@pytest.mark.parametrize("number", [1, 2, 8])
@valid
@requirement("MOPS-B-14", case=1)
def test_success_is_restored(node: Node, server: Server, dut: NatRouter, number: int, request_code: int) -> None:
    """A success comes to the node with all fields of its own request, from the server."""
    migration = _sent_on(node, server, dut, number, code=request_code)
    reply = dut.restores(migration.reply(), node)
    _require_restored(reply, migration, SUCCESS, list(range(number)))


@pytest.mark.parametrize("number", [1, 2, 8])
@valid
@requirement("MOPS-B-14", case=2)
def test_checksum_of_a_success(node: Node, server: Server, dut: NatRouter, number: int) -> None:
    """The checksum of a restored success is right, three times."""
    for _ in range(3):
        reply = dut.restores(_sent_on(node, server, dut, number).reply(), node)
        require(reply.is_intact, "checksum", hex(reply.right_checksum), hex(reply.message.checksum), reply.frame)


@valid
@requirement("MOPS-B-14", case=3)
def test_success_of_a_udp_migrate_is_restored(node: Node, server: Server, dut: NatRouter) -> None:
    """A success for Protocol 17 comes to the node like any other."""
    migration = _sent_on(node, server, dut, 2, protocol=UDP_PROTOCOL)
    reply = dut.restores(migration.reply(), node)
    _require_restored(reply, migration, SUCCESS, [0, 1])


@pytest.mark.parametrize("places", [[0], [0, 1, 2, 3, 4], [1, 3], [4], [0, 2, 4]], ids=str)
@valid
@requirement("MOPS-B-15", case=1)
def test_failed_is_restored_with_its_entries(node: Node, server: Server, dut: NatRouter, places: list[int]) -> None:
    """Of five entries a failed reply comes to the node with those that it lists, in order."""
    migration = _sent_on(node, server, dut, 5)
    entries = [migration.came.entries[place] for place in places]
    reply = dut.restores(migration.reply(FAILED, entries=entries), node)
    _require_restored(reply, migration, FAILED, places)
    require(reply.is_intact, "checksum", hex(reply.right_checksum), hex(reply.message.checksum), reply.frame)


@pytest.mark.parametrize("places", [[0], [0, 1, 2]], ids=["the cause alone", "every entry"])
@valid
@requirement("MOPS-B-15", case=2)
def test_failed_of_an_atomic_migrate_is_restored(node: Node, server: Server, dut: NatRouter, places: list[int]) -> None:
    """A failed reply to an atomic Migrate comes to the node, whether it lists the cause alone or every entry."""
    migration = _sent_on(node, server, dut, 3, code=MIGRATE_ATOMIC)
    reply = dut.restores(migration.reply(FAILED, entries=[migration.came.entries[place] for place in places]), node)
    _require_restored(reply, migration, FAILED, places)


ORDERS = {
    "success twice": (SUCCESS, SUCCESS),
    "failed twice": (FAILED, FAILED),
    "failed, then success": (FAILED, SUCCESS),
    "success, then failed": (SUCCESS, FAILED),
}


@pytest.mark.parametrize("codes", ORDERS)
@valid
@requirement("MOPS-B-34", case=1)
def test_every_reply_is_restored(node: Node, server: Server, dut: NatRouter, codes: str) -> None:
    """Of a Migrate and its repeat each one's reply comes to the node, whatever the first one said."""
    migration = _sent_on(node, server, dut, 2)
    again = dut.forwarded(node.send(migration.request.message, server), server)
    first, second = ORDERS[codes]
    _require_restored(dut.restores(migration.reply(first), node), migration, first, [0, 1])
    reply = dut.restores(server.reply(again.message, again.packet.src, second), node)
    _require_restored(reply, migration, second, [0, 1])


@waits(8)
@valid
@requirement("MOPS-B-34", case=2)
def test_late_reply_is_restored(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """A success comes to the node that the server sends when a node gives up."""
    mops = case.setup.profile.ixit.mops
    migration = _sent_on(node, server, dut)
    case.wait_until(migration.request.sent.ns + round(mops.retry_interval_s * (mops.retries + 1) * NANO))
    _require_restored(dut.restores(migration.reply(), node), migration, SUCCESS, [0])


UNASKED: dict[str, Callable[[Node, Server, NatRouter], Packet]] = {
    "of a mapped port": lambda node, server, dut: _reply_at(dut.maps(node.at(), server).outside),
    "of a port without mapping": lambda node, server, dut: _reply_at((dut.outside.dut_address, 9)),
    "to its inside address": lambda node, server, dut: _reply_at(node.at().place),
}


def _reply_at(migrated: tuple[str, int], code: int = SUCCESS) -> Packet:
    return MOPSMigrate(
        code=code, previous_source="1.2.3.4.5", migrated_source=in_mops(migrated[0]), entries=[(1027, migrated[1], 7)]
    )


@CODES
@pytest.mark.parametrize("which", UNASKED)
@inopportune
@requirement("MOPS-B-16", case=1)
def test_reply_that_nobody_asked_for_is_dropped(
    node: Node, server: Server, dut: NatRouter, which: str, code: int
) -> None:
    """A reply to a node that has sent no Migrate comes to nobody on the inside."""
    message = UNASKED[which](node, server, dut)
    message.code = code
    dut.passes_no_reply(server.send(message, dut.outside.dut_address), node)


@CODES
@inopportune
@requirement("MOPS-B-16", case=2)
def test_reply_before_the_migrate_is_dropped(node: Node, server: Server, dut: NatRouter, code: int) -> None:
    """A reply that the server sends before the second Migrate to it comes to nobody; after it one does."""
    first = _sent_on(node, server, dut)
    dut.restored(first.reply(), node)
    early = server.send(_reply_at(first.mapped[0], code), first.came.packet.src)
    dut.passes_no_reply(early, node)
    second = _sent_on(node, server, dut)
    dut.restored(second.reply(), node)


@CODES
@inopportune
@requirement("MOPS-B-35", case=1)
def test_reply_of_another_server_is_dropped(node: Node, server: Server, dut: NatRouter, code: int) -> None:
    """A reply that is right, but comes from another address, comes to nobody; the server's own does."""
    migration = _sent_on(node, server, dut)
    other = Server.like(server)
    dut.passes_no_reply(other.reply(migration.came.message, migration.came.packet.src, code), node)
    dut.restored(migration.reply(code), node)


DIFFERENT: dict[str, Callable[[Migration, NatRouter], dict[str, Any]]] = {
    "Protocol": lambda asked, dut: {"protocol": UDP_PROTOCOL},
    "Previous Source Address": lambda asked, dut: {"previous_source": in_mops(dut.elsewhere()[0])},
    "Migrated Source Address": lambda asked, dut: {"migrated_source": in_mops(asked.node.address)},
    "previous port": lambda asked, dut: _changed(asked, 1, 0),
    "migrated port": lambda asked, dut: _changed(asked, 1, 1),
    "identifier": lambda asked, dut: _changed(asked, 1, 2),
    "order": lambda asked, dut: {"entries": asked.came.entries[::-1]},
    "an entry twice": lambda asked, dut: {"entries": [asked.came.entries[0]] * 2},
    "one entry more": lambda asked, dut: {"entries": [*asked.came.entries, (9, 10, 11)]},
}


def _changed(asked: Migration, place: int, column: int) -> dict[str, Any]:
    entries = [list(one) for one in asked.came.entries]
    entries[place][column] ^= 0x4000 if column < 2 else 0x8000_0000
    return {"entries": [tuple(one) for one in entries]}


@CODES
@pytest.mark.parametrize("what", DIFFERENT)
@inopportune
@requirement("MOPS-B-36", case=1)
def test_reply_to_something_else_is_dropped(node: Node, server: Server, dut: NatRouter, what: str, code: int) -> None:
    """A reply that differs from the Migrate in one field comes to nobody; the right one after it does."""
    migration = _sent_on(node, server, dut, 2)
    wrong = migration.reply(code, **DIFFERENT[what](migration, dut))
    dut.passes_no_reply(wrong, node)
    dut.restored(migration.reply(code), node)


@pytest.mark.parametrize("places", [[0], [2], [0, 2]], ids=str)
@inopportune
@requirement("MOPS-B-37", case=1)
def test_success_of_a_part_is_dropped(node: Node, server: Server, dut: NatRouter, places: list[int]) -> None:
    """A success that lists one or two of three entries comes to nobody; one that lists all of them does."""
    migration = _sent_on(node, server, dut, 3)
    part = migration.reply(entries=[migration.came.entries[place] for place in places])
    dut.passes_no_reply(part, node)
    dut.restored(migration.reply(), node)


@CODES
@pytest.mark.parametrize("how", WRONG)
@invalid
@requirement("MOPS-B-56", case=1)
def test_spoilt_reply_is_dropped(node: Node, server: Server, dut: NatRouter, how: str, code: int) -> None:
    """A reply with a wrong checksum, version or count comes to nobody; the right one after it does."""
    migration = _sent_on(node, server, dut, 2)
    right = server.reply_message(migration.came.message, code)
    dut.passes_no_reply(server.send(WRONG[how](right), migration.came.packet.src), node)
    dut.restored(migration.reply(code), node)


@valid
@requirement("MOPS-B-48", case=1)
def test_replies_of_two_servers_are_told_apart(node: Node, server: Server, dut: NatRouter) -> None:
    """One inside tuple is migrated to two servers: one fails, the other succeeds, and each reply is its server's."""
    other, end = Server.like(server), node.at()
    previous = dut.elsewhere()
    migrations = [dut.sends_on(node, one, node.bring(one, previous, end.port)) for one in (server, other)]
    failed = dut.restores(migrations[1].reply(FAILED), node)
    _require_restored(failed, migrations[1], FAILED, [0])
    success = dut.restores(migrations[0].reply(), node)
    _require_restored(success, migrations[0], SUCCESS, [0])


@valid
@requirement("MOPS-B-50", case=1)
def test_migrate_after_failed_passes(node: Node, server: Server, dut: NatRouter) -> None:
    """After a failed reply the next Migrate of the same tuple, with another number, passes, and data after it."""
    (moved,) = dut.brings(node, server, 1)
    dut.refuses(node, server, moved)
    moved.inner.send_lost(b"never came")
    moved.outer.rcv_nxt = moved.inner.snd_nxt
    migration = dut.passes_migrate(node, server, moved)
    _require_restored(dut.restores(migration.reply(), node), migration, SUCCESS, [0])
    dut.continues(moved)
