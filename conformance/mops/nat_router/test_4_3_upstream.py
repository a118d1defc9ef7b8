# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.3 and appendix B: acknowledgements of an upstream router, which are sent on with the next level."""

import pytest

from conformance.mops.claims import needs_addresses_of_the_draft
from conformance.mops.dut.acknowledging import LEARNING_S, Mapping
from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.migrate import in_mops
from conformance.mops.tester.nat_router import nat_acknowledgement
from conformance.mops.tester.sides import Node, SentMessage, Server, Upstream
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.clock import NANO

HIGHEST = 255
UNMAPPED = 9
"""A port that no NAT gives to a node."""


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
        came = dut.forwarded_level(node.station, upstream.acknowledge(mapping.outside, upstream.translation()))
        require(came.is_intact, "checksum", "a right one", hex(came.message.checksum), came.frame)


@valid
@requirement("MOPS-4.3-62", case=1)
def test_level_comes_from_the_inside_address(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """The source of what is sent on is the router's own address on the inside."""
    came = dut.forwarded_level(node.station, upstream.acknowledge(mapping.outside, upstream.translation()))
    require(came.packet.src == dut.inside.dut_address, "source", dut.inside.dut_address, came.packet.src, came.frame)


@valid
@requirement("MOPS-4.3-20", case=1)
def test_level_254_is_sent_on_as_255(node: Node, upstream: Upstream, dut: NatRouter, mapping: Mapping) -> None:
    """After all levels in order one of 254 is sent on as 255, and each one before it with the next number."""
    _, came = dut.climbs(node.station, upstream, mapping, HIGHEST - 1)
    wanted = list(range(2, HIGHEST + 1))
    levels = [one.message.nat_level for one in came]
    require(levels == wanted, "levels that came", "2 to 255", levels, came[-1].frame)


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
    _, came = dut.climbs(node.station, upstream, mapping, levels)
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


@valid
@requirement("MOPS-B-01", case=1)
def test_first_half_of_the_scenario(case: Case, dut: NatRouter) -> None:
    """The node of appendix B, port 1027, connects to its server: it gets levels 1 and 2, one chained to the other."""
    needs_addresses_of_the_draft(case)
    node, server, router = Node(case, "10.2.0.0.1"), Server(case, "8.8.8.8.8", 80), Upstream(case)
    mapping = dut.maps(node.at(1027), server)
    first = dut.acknowledges(node.station, mapping.made)
    require(first.pairs == [(mapping.inside, mapping.outside)], "level 1", mapping, first.pairs, first.frame)
    translated = router.address, 6050
    second = dut.forwards_level(node.station, router.acknowledge(mapping.outside, translated))
    require(second.message.nat_level == 2, "level", 2, second.message.nat_level, second.frame)
    require(second.pairs == [(mapping.outside, translated)], "level 2", translated, second.pairs, second.frame)
