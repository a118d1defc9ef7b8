# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.3 and appendix B: acknowledgements of an upstream router, which are sent on with the next level."""

from collections.abc import Callable
from typing import Any

import pytest
from scapy.packet import Packet

from conformance.mops.dut.acknowledging import LEARNING_S, Acknowledgement, Mapping
from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.migrate import Message, Octets, in_mops, sealed
from conformance.mops.tester.nat_router import nat_acknowledgement
from conformance.mops.tester.sides import Node, SentMessage, Server, Upstream
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.peers.through import Tuple
from testbed.wire.clock import NANO
from testbed.wire.headers import UDP_PROTOCOL

HIGHEST = 255
AT_ONCE = 32
UNMAPPED = 9
"""A port that no NAT gives to a node."""


@pytest.fixture
def mapping(node: Node, server: Server, dut: NatRouter) -> Mapping:
    """A mapping of the node that has been acknowledged."""
    made = dut.maps(node.at(), server)
    dut.is_acknowledged(made)
    return made


def _levels(dut: NatRouter, node: Node, upstream: Upstream, mapping: Mapping, number: int) -> tuple[Tuple, list[Any]]:
    """Acknowledge levels 1 to `number` in order; the last translated tuple, and what has come of each."""
    original, came = mapping.outside, []
    for first in range(1, number + 1, AT_ONCE):
        told = []
        for level in range(first, min(first + AT_ONCE, number + 1)):
            translated = upstream.address, 1024 + level
            told.append(upstream.send(nat_acknowledgement(original, translated, level), mapping.outside[0]))
            original = translated
        dut.acknowledges(node.station, told[0].sent, number=len(told))
        came += dut.acknowledgements(node.station, told[0].since)
    return original, came


@valid
@requirement("MOPS-4.3-17", case=1)
def test_upstream_acknowledgement_is_sent_on(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """An upstream acknowledgement of level 1 about the node's outside tuple comes to the node, with level 2."""
    came = dut.forwards_level(node.station, upstream.acknowledge(mapping.outside, upstream.translation()))
    require(came.message.nat_level == 2, "NAT Level", 2, came.message.nat_level, came.frame)


@valid
@requirement("MOPS-4.3-17", case=2)
def test_each_mapping_has_its_upstream(
    case: Case, node: Node, server: Server, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """Of three mappings of a node, and one of another, each one's acknowledgement comes to its node, the last first."""
    nodes = [node, node, node, Node(case)]
    mappings = [mapping, *(dut.maps(one.at(), server) for one in nodes[1:])]
    for one, made in zip(nodes[1:], mappings[1:], strict=True):
        dut.acknowledgement(one.station, made.made)
    for one, made in zip(reversed(nodes), reversed(mappings), strict=True):
        told = upstream.acknowledge(made.outside, upstream.translation())
        came = dut.forwards_level(one.station, told)
        seen = came.pairs[0][0]
        wanted = in_mops(made.outside[0]), made.outside[1]
        require(seen == wanted, "Original", wanted, seen, came.frame)
        require(came.message.nat_level == 2, "NAT Level", 2, came.message.nat_level, came.frame)


@valid
@requirement("MOPS-B-02", case=1)
def test_level_is_sent_on_in_a_tenth_of_a_second(
    case: Case, node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """From the upstream router's acknowledgement to the one that comes in it takes less than 100 ms, three times."""
    for number in ("first", "second", "third"):
        told = upstream.acknowledge(mapping.outside, upstream.translation())
        came = dut.acknowledges(node.station, told.sent, LEARNING_S)
        case.values[f"{number} upstream acknowledgement sent on after"] = (
            f"{(came.frame.ns - told.sent.ns) / NANO * 1000:.3f} ms"
        )


@pytest.mark.parametrize("ports", [1, 3])
@valid
@requirement("MOPS-4.3-18", case=1)
def test_fields_of_the_upstream_are_kept(
    node: Node, server: Server, upstream: Upstream, dut: NatRouter, mapping: Mapping, ports: int
) -> None:
    """Protocol, Count, Original and Translated are the upstream router's, of one port and of three."""
    mappings = [mapping, *(dut.maps(node.at(), server) for _ in range(ports - 1))]
    for one in mappings[1:]:
        dut.acknowledgement(node.station, one.made)
    entries = [(one.outside[1], 6050 + number) for number, one in enumerate(mappings)]
    told = upstream.acknowledge(mapping.outside, upstream.translation(), entries=entries)
    came = dut.forwards_level(node.station, told)
    names = ("protocol", "original_source", "translated_source", "count", "entries")
    sent = upstream.station.network.dissect(told.sent.data).payload
    for name in names:
        expected, seen = sent.getfieldval(name), came.message.getfieldval(name)
        require(expected == seen, name, expected, seen, came.frame, told.sent.frame)


@valid
@requirement("MOPS-4.3-18", case=2)
def test_checksum_of_what_is_sent_on(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """The checksum of what is sent on is right, three times."""
    for _ in range(3):
        came = dut.forwards_level(node.station, upstream.acknowledge(mapping.outside, upstream.translation()))
        require(came.is_intact, "checksum", "a right one", hex(came.message.checksum), came.frame)


@valid
@requirement("MOPS-4.3-62", case=1)
def test_level_comes_from_the_inside_address(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """The source of what is sent on is the router's own address on the inside."""
    came = dut.forwards_level(node.station, upstream.acknowledge(mapping.outside, upstream.translation()))
    require(came.packet.src == dut.inside.dut_address, "source", dut.inside.dut_address, came.packet.src, came.frame)


@pytest.mark.parametrize("which", ["address", "port", "protocol"])
@inopportune
@requirement("MOPS-4.3-19", case=1)
def test_upstream_that_matches_nothing_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping, which: str
) -> None:
    """An upstream acknowledgement whose Original has another address, another port or another protocol passes not."""
    address, port = mapping.outside
    original = {"address": (upstream.address, port), "port": (address, UNMAPPED)}.get(which, mapping.outside)
    fields = {"protocol": UDP_PROTOCOL} if which == "protocol" else {}
    message = nat_acknowledgement(original, upstream.translation(), **fields)
    dut.passes_none(upstream.send(message, address), node.station)


@inopportune
@requirement("MOPS-4.3-19", case=2)
def test_level_without_the_one_below_is_not_sent_on(
    case: Case, node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """An acknowledgement of level 2 whose Original no level 1 has named as translated is not sent on."""
    lower = upstream.acknowledge(mapping.outside, upstream.translation())
    dut.forwards_level(node.station, lower)
    message = nat_acknowledgement((case.outside.station().address, UNMAPPED), upstream.translation(), 2)
    dut.passes_none(upstream.send(message, mapping.outside[0]), node.station)


@valid
@requirement("MOPS-4.3-20", case=1)
def test_level_254_is_sent_on_as_255(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """After all levels in order one of 254 is sent on as 255, and each one before it with the next number."""
    _, came = _levels(dut, node, upstream, mapping, HIGHEST - 1)
    wanted = list(range(2, HIGHEST + 1))
    levels = [one.message.nat_level for one in came]
    require(levels == wanted, "levels that came", "2 to 255", levels, came[-1].frame)


@invalid
@requirement("MOPS-4.3-21", case=1)
def test_level_255_is_not_sent_on(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """After all levels in order one of 255 is not sent on."""
    original, came = _levels(dut, node, upstream, mapping, HIGHEST - 1)
    for one in came:
        one.frame.account()
    message = nat_acknowledgement(original, upstream.translation(), HIGHEST)
    dut.passes_none(upstream.send(message, mapping.outside[0]), node.station)


@invalid
@requirement("MOPS-4.3-21", case=2)
def test_level_255_of_the_own_tuple_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """An acknowledgement of level 255 about the node's own outside tuple is not sent on."""
    dut.passes_none(upstream.acknowledge(mapping.outside, upstream.translation(), HIGHEST), node.station)


@invalid
@requirement("MOPS-4.3-63", case=1)
def test_level_0_is_not_sent_on(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """An acknowledgement of level 0 is not sent on."""
    dut.passes_none(upstream.acknowledge(mapping.outside, upstream.translation(), 0), node.station)


SPOIL: dict[str, Callable[[int], int]] = {
    "zero": lambda right: 0,
    "inverted": lambda right: right ^ 0xFFFF,
    "off by one": lambda right: (right + 1) % 0xFFFF,
}


def _right(upstream: Upstream, mapping: Mapping) -> Packet:
    return nat_acknowledgement(mapping.outside, upstream.translation())


@pytest.mark.parametrize("wrong", SPOIL)
@invalid
@requirement("MOPS-4.3-22", case=1)
def test_upstream_with_a_wrong_checksum_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping, wrong: str
) -> None:
    """A right acknowledgement is sent on, and then not one whose checksum is wrong."""
    dut.forwards_level(node.station, upstream.send(_right(upstream, mapping), mapping.outside[0]))
    spoilt = Octets(bytes(_right(upstream, mapping)), SPOIL[wrong])
    dut.passes_none(upstream.send(spoilt, mapping.outside[0]), node.station)


MALFORMED: dict[str, Callable[[Packet], Message]] = {
    "version 0": lambda message: _with(message, version=0),
    "version 2": lambda message: _with(message, version=2),
    "version 255": lambda message: _with(message, version=255),
    "code 1": lambda message: _with(message, code=1),
    "code 255": lambda message: _with(message, code=255),
    "Count 0": lambda message: _with(message, count=0),
    "Count 2 of 1 entry": lambda message: _with(message, count=2),
    "cut short": lambda message: sealed(bytes(message)[:-2]),
}


def _with(message: Packet, **fields: int) -> Packet:
    for name, value in fields.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize("how", MALFORMED)
@invalid
@requirement("MOPS-4.3-23", case=1)
def test_malformed_upstream_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping, how: str
) -> None:
    """An acknowledgement of another version or code, without entries, or with fewer than Count says, is not sent on."""
    message = MALFORMED[how](_right(upstream, mapping))
    dut.passes_none(upstream.send(message, mapping.outside[0]), node.station)


@invalid
@requirement("MOPS-4.3-79", case=1)
def test_upstream_with_trailing_bytes_is_not_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """An acknowledgement with an entry more than Count says is not sent on."""
    message = sealed(bytes(_right(upstream, mapping)) + bytes(4))
    dut.passes_none(upstream.send(message, mapping.outside[0]), node.station)


@pytest.mark.parametrize("reserved", [1, 0x80, 0xFF])
@valid
@requirement("MOPS-4.3-24", case=1)
def test_reserved_is_ignored(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping, reserved: int) -> None:
    """An acknowledgement with bits set in Reserved is sent on, with them or with none."""
    told = upstream.acknowledge(mapping.outside, upstream.translation(), reserved=reserved)
    came = dut.forwards_level(node.station, told)
    require(came.message.reserved in (0, reserved), "Reserved", f"0 or {reserved}", came.message.reserved, came.frame)


@pytest.mark.parametrize("levels", [2, 3, 8])
@valid
@requirement("MOPS-4.3-25", case=1)
def test_further_levels_are_sent_on(
    node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping, levels: int
) -> None:
    """After the levels below an acknowledgement of level 2, 3 or 8 is sent on as the next one."""
    _, came = _levels(dut, node, upstream, mapping, levels)
    wanted = list(range(2, levels + 2))
    seen = [one.message.nat_level for one in came]
    require(seen == wanted, "levels that came", wanted, seen, came[-1].frame)


@valid
@requirement("MOPS-4.3-25", case=2)
def test_levels_of_two_mappings_do_not_meet(
    case: Case, server: Server, node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """Levels 1 and 2 of two nodes' mappings, sent by turns, come to their own nodes."""
    nodes = [node, Node(case)]
    mappings = [mapping, dut.maps(nodes[1].at(), server)]
    dut.acknowledgement(nodes[1].station, mappings[1].made)
    ends = [[one.outside, upstream.translation(), upstream.translation()] for one in mappings]
    for level in (1, 2):
        for one, chain, made in zip(nodes, ends, mappings, strict=True):
            told = upstream.send(nat_acknowledgement(chain[level - 1], chain[level], level), made.outside[0])
            came = dut.forwards_level(one.station, told)
            wanted = [tuple((in_mops(end[0]), end[1]) for end in chain[level - 1 : level + 1])]
            require(came.pairs == wanted, f"level {level + 1}", wanted, came.pairs, came.frame)


def _mixed(
    case: Case, node: Node, server: Server, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> tuple[SentMessage, list[tuple[Node, list[tuple[int, int]]]]]:
    """An acknowledgement of four entries: two of a node, one of nobody, one of another node; and whose they are."""
    other = Node(case)
    second, third = dut.maps(node.at(), server), dut.maps(other.at(), server)
    dut.acknowledgement(node.station, second.made)
    dut.acknowledgement(other.station, third.made)
    ports = (mapping.outside[1], UNMAPPED, third.outside[1], second.outside[1])
    entries = [(port, 6050 + number) for number, port in enumerate(ports)]
    told = upstream.acknowledge(mapping.outside, upstream.translation(), entries=entries)
    return told, [(node, [entries[0], entries[3]]), (other, [entries[2]])]


@inopportune
@requirement("MOPS-4.3-64", case=1)
def test_entries_that_match_nothing_come_to_nobody(
    case: Case, node: Node, server: Server, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """Of four entries that are two nodes' and nobody's, none comes to a node whose it is not."""
    told, shares = _mixed(case, node, server, upstream, dut, mapping)
    dut.message_barrier()
    dut.quiets()
    for one, entries in shares:
        for came in dut.acknowledgements(one.station, told.since):
            seen = [entry for entry in came.message.entries if entry not in entries]
            require(not seen, "entries that are not the node's", "none", seen, came.frame.account(), told.sent.frame)


@valid
@requirement("MOPS-4.3-65", case=1)
def test_entries_that_match_come_to_their_nodes(
    case: Case, node: Node, server: Server, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """Of four entries that are two nodes' and nobody's, each node gets its own in one message."""
    told, shares = _mixed(case, node, server, upstream, dut, mapping)
    for one, entries in shares:
        came = dut.forwards_level(one.station, told)
        require([*came.message.entries] == entries, "entries", entries, came.message.entries, came.frame)


@inopportune
@requirement("MOPS-4.3-26", case=1)
def test_upstream_from_the_inside_is_told(
    case: Case, node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """Reported: what becomes of an acknowledgement of the outside tuple that comes from the inside."""
    other = Node(case)
    told = other.tell(_right(upstream, mapping), dut.inside.dut_address)
    dut.message_barrier()
    dut.quiets()
    case.values["upstream acknowledgement from the inside"] = _fate(dut.acknowledgements(node.station, told.since))


@inopportune
@requirement("MOPS-4.3-26", case=2)
def test_forged_upstream_is_told(
    case: Case, node: Node, server: Server, upstream: Upstream, dut: NatRouter, mapping: Mapping
) -> None:
    """Reported: whether an acknowledgement with the right tuple from an address that is no router's is sent on."""
    told = server.send(_right(upstream, mapping), mapping.outside[0])
    dut.message_barrier()
    dut.quiets()
    case.values["forged upstream acknowledgement"] = _fate(dut.acknowledgements(node.station, told.since))


def _fate(came: list[Acknowledgement]) -> str:
    for one in came:
        one.frame.account("reported")
    return "sent on" if came else "dropped"


@valid
@requirement("MOPS-B-01", case=1)
def test_first_half_of_the_scenario(case: Case, dut: NatRouter) -> None:
    """The node of appendix B, port 1027, connects to its server: it gets levels 1 and 2, one chained to the other."""
    if case.inside.network.name != "ipff" or case.setup.profile.link.interfaces:
        raise NotApplicable("the addresses of the scenario exist in IPFF, and on virtual wires alone")
    node, server, router = Node(case, "10.2.0.0.1"), Server(case, "8.8.8.8.8", 80), Upstream(case)
    mapping = dut.maps(node.at(1027), server)
    first = dut.acknowledges(node.station, mapping.made)
    require(first.pairs == [(mapping.inside, mapping.outside)], "level 1", mapping, first.pairs, first.frame)
    translated = router.address, 6050
    second = dut.forwards_level(node.station, router.acknowledge(mapping.outside, translated))
    require(second.message.nat_level == 2, "level", 2, second.message.nat_level, second.frame)
    require(second.pairs == [(mapping.outside, translated)], "level 2", translated, second.pairs, second.frame)
