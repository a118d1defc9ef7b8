# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B and section 6: what a Migrate from the inside becomes on its way out."""

from typing import Any

import pytest

from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.migrate import ENTRY, HEADER, Entry, entries_in, in_mops
from conformance.mops.tester.sides import Node, SentMessage, Server
from layers.mops import FAILED, MIGRATE_ATOMIC, SUCCESS
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire import chance
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL

LEAST_MTU = 1320
"""The smallest MTU of IPFF."""

REPEATS = 3
PIECE = 24
CODES = pytest.mark.parametrize("code", [0, MIGRATE_ATOMIC], ids=["best effort", "atomic"])
PROTOCOLS = pytest.mark.parametrize("protocol", [TCP_PROTOCOL, UDP_PROTOCOL], ids=["TCP", "UDP"])


def _send(node: Node, server: Server, dut: NatRouter, entries: list[Entry], **fields: Any) -> SentMessage:
    return node.send(node.request(dut.elsewhere()[0], entries, **fields), server)


def _full(node: Node, mtu: int = 0) -> int:
    """How many entries a packet carries."""
    network = node.station.network
    return ((mtu - network.header_length if mtu else node.station.room) - HEADER) // ENTRY.size


@pytest.mark.parametrize("number", [1, 2, 8, "least full", "full"])
@valid
@requirement("MOPS-B-05", case=1)
def test_each_entry_has_a_mapping_of_its_own(
    case: Case, node: Node, server: Server, dut: NatRouter, number: int | str
) -> None:
    """Of 1, 2, 8 entries, and of as many as a packet of 1,320 bytes or of the link carries, each has its own port."""
    if isinstance(number, str):
        number = min(_full(node), _full(node, LEAST_MTU) if number == "least full" else _full(node))
    case.values["entries"] = str(number)
    came = dut.forwards(_send(node, server, dut, node.entries(number)), server)
    ports = [migrated for _, migrated, _ in came.entries]
    require(len(ports) == number, "entries", number, len(ports), came.frame)
    require(len({*ports}) == number, "migrated ports", f"{number} different ones", ports, came.frame)


@valid
@requirement("MOPS-B-05", case=2)
def test_mapping_that_is_there_is_used_again(node: Node, server: Server, dut: NatRouter) -> None:
    """A port that has a mapping by a SYN is migrated with that one; a second server gets the same."""
    mapping = dut.maps(node.at(), server)
    for one in (server, Server.like(server)):
        entry = (1027, mapping.inside[1], chance.randbits(32))
        came = dut.forwards(_send(node, one, dut, [entry]), one)
        seen = came.packet.src, came.entries[0][1]
        require(seen == mapping.outside, "outside tuple", mapping.outside, seen, came.frame)


@pytest.mark.parametrize("number", [1, 3])
@valid
@requirement("MOPS-B-06", case=1)
def test_migrated_fields_are_those_of_the_mappings(node: Node, server: Server, dut: NatRouter, number: int) -> None:
    """The data of each connection comes from the tuple that its entry of the Migrate names."""
    moved = dut.brings(node, server, number)
    migration = dut.migrates(node, server, *moved)
    address = migration.came.address("migrated_source")
    for one, (_, migrated, _) in zip(moved, migration.came.entries, strict=True):
        segment = dut.comes_out(one)
        seen = in_mops(segment.source), segment.source_port
        require(seen == (address, migrated), "source of data", (address, migrated), seen, segment.frame)


@valid
@requirement("MOPS-B-07", case=1)
def test_migrate_goes_to_its_destination(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """The Migrates of a node come each to its own server, from the address that they name as migrated."""
    for one in (server, Server.like(server), server):
        came = dut.forwards(_send(node, one, dut, node.entries(1)), one)
        source = in_mops(came.packet.src)
        require(source != in_mops(node.address), "source", "a translated one", source, came.frame)
        migrated = came.address("migrated_source")
        require(source == migrated, "source and Migrated Source Address", "the same", (source, migrated), came.frame)


@pytest.mark.parametrize("port", [1, 1027, 65535])
@PROTOCOLS
@valid
@requirement("MOPS-B-08", case=1)
def test_previous_fields_pass_untouched(node: Node, server: Server, dut: NatRouter, protocol: int, port: int) -> None:
    """Previous Source Address and Previous Source Ports of three entries are as they were."""
    address = dut.elsewhere()[0]
    entries = [(port, *node.entries(1)[0][1:]), *node.entries(2, previous=2098)]
    came = dut.forwards(node.send(node.request(address, entries, protocol=protocol), server), server)
    seen = came.address("previous_source")
    require(seen == in_mops(address), "Previous Source Address", in_mops(address), seen, came.frame)
    wanted, ports = ([previous for previous, _, _ in one] for one in (entries, came.entries))
    require(ports == wanted, "Previous Source Ports", wanted, ports, came.frame)


@valid
@requirement("MOPS-B-08", case=2)
def test_own_outside_tuple_as_previous_passes_untouched(node: Node, server: Server, dut: NatRouter) -> None:
    """Previous that is another node's outside tuple, or an address of the inside, is as it was."""
    other = Node.like(node)
    mapping = dut.maps(other.at(), server)
    for address, port in (mapping.outside, mapping.inside):
        entries = [(port, node.at().port, chance.randbits(32))]
        came = dut.forwards(node.send(node.request(address, entries), server), server)
        seen = came.address("previous_source"), came.entries[0][0]
        require(seen == (in_mops(address), port), "previous tuple", (in_mops(address), port), seen, came.frame)


@PROTOCOLS
@CODES
@valid
@requirement("MOPS-B-09", case=1)
def test_identifiers_pass_untouched(node: Node, server: Server, dut: NatRouter, code: int, protocol: int) -> None:
    """Sequence numbers and Unique IDs are as they were: 0, the largest, half of it, and others."""
    numbers = [0, 0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x0000FFFF, chance.randbits(32)]
    entries = [(*one[:2], number) for one, number in zip(node.entries(len(numbers)), numbers, strict=True)]
    came = dut.forwards(_send(node, server, dut, entries, code=code, protocol=protocol), server)
    seen = [identifier for _, _, identifier in came.entries]
    require(seen == numbers, "identifiers", numbers, seen, came.frame)


@PROTOCOLS
@CODES
@valid
@requirement("MOPS-B-10", case=1)
def test_other_fields_pass_untouched(node: Node, server: Server, dut: NatRouter, code: int, protocol: int) -> None:
    """Type, Version, Code, Protocol and Count of what comes out are the request's, of one entry and of eight."""
    names = ("type", "version", "code", "protocol", "count")
    for number in (1, 8):
        request = _send(node, server, dut, node.entries(number), code=code, protocol=protocol)
        came = dut.forwards(request, server)
        sent = [request.message.getfieldval(name) for name in names]
        seen = [came.message.getfieldval(name) for name in names]
        require(sent == seen, ", ".join(names), sent, seen, came.frame, request.sent.frame)
        require(len(came.octets) == len(request.octets), "length", len(request.octets), len(came.octets), came.frame)


@pytest.mark.parametrize("number", [1, 2, 8])
@valid
@requirement("MOPS-B-10", case=2)
def test_checksum_of_the_migrate(node: Node, server: Server, dut: NatRouter, number: int) -> None:
    """The checksum of what comes out is right, at the first Migrate and at the next ones."""
    for _ in range(3):
        came = dut.forwards(_send(node, server, dut, node.entries(number)), server)
        require(came.is_intact, "checksum", hex(came.right_checksum), hex(came.message.checksum), came.frame)


@PROTOCOLS
@valid
@requirement("MOPS-B-13", case=1)
def test_repeat_is_given_the_same_mappings(node: Node, server: Server, dut: NatRouter, protocol: int) -> None:
    """A Migrate of two entries that is sent four times comes out the same each time."""
    message = node.request(dut.elsewhere()[0], node.entries(2), protocol=protocol)
    first = dut.forwards(node.send(message, server), server)
    for _ in range(REPEATS):
        came = dut.forwards(node.send(message, server), server)
        require(came.octets == first.octets, "message", first.octets.hex(), came.octets.hex(), came.frame, first.frame)


@pytest.mark.parametrize("moment", ["before a reply", "after failed", "after the success"])
@valid
@requirement("MOPS-B-33", case=1)
def test_every_repeat_is_sent_on(node: Node, server: Server, dut: NatRouter, moment: str) -> None:
    """Three repeats of a Migrate come out, before its reply or after one."""
    message = node.request(dut.elsewhere()[0], node.entries(1))
    first = node.send(message, server)
    came = dut.forwards(first, server)
    if moment != "before a reply":
        reply = server.reply(came.message, came.packet.src, FAILED if moment == "after failed" else SUCCESS)
        dut.restored(reply, node)
    for _ in range(REPEATS):
        dut.forwards(node.send(message, server), server)


@valid
@requirement("MOPS-B-47", case=1)
def test_nodes_with_one_port_are_told_apart(node: Node, server: Server, dut: NatRouter) -> None:
    """Three nodes migrate to the same port, to one server: three outside tuples, each its own reply and data."""
    nodes, port = [node, Node.like(node), Node.like(node)], node.at().port
    address, previous = dut.elsewhere()
    moved = [one.bring(server, (address, previous + number), port) for number, one in enumerate(nodes)]
    migrations = [dut.sends_on(one, server, its) for one, its in zip(nodes, moved, strict=True)]
    mapped = [one.mapped[0] for one in migrations]
    frames = [one.came.frame for one in migrations]
    require(len({*mapped}) == len(nodes), "outside tuples", "three", mapped, *frames)
    for one, migration in reversed([*zip(nodes, migrations, strict=True)]):
        reply = dut.restores(migration.reply(), one)
        seen = reply.entries[0][0]
        wanted = entries_in(migration.request.octets)[0][0]
        require(seen == wanted, "previous port of the reply", wanted, seen, reply.frame)
    dut.continues(*moved)


@valid
@requirement("MOPS-B-71", case=1)
def test_choice_of_ports_is_told(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Reported: what one inside port of three nodes becomes, the first, the second and the third."""
    port = node.at().port
    places = [node, Node.like(node), Node.like(node)]
    outside = [dut.maps(one.at(port), server).outside[1] for one in places]
    case.values[f"outside ports for {port}"] = ", ".join("kept" if one == port else str(one) for one in outside)
