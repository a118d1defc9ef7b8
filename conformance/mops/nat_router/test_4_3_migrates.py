# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.3 and appendix B: the NAT acknowledgement of a Migrate, or of its success."""

from collections.abc import Callable

import pytest
from scapy.packet import Packet

from conformance.mops.dut.acknowledging import LEARNING_S
from conformance.mops.dut.nat_router import Migration, NatRouter
from conformance.mops.migrate import Entry, Message, entries_in, in_mops
from conformance.mops.tester.sides import Node, Server
from conformance.mops.tester.spoilt import MALFORMED, WRONG_CHECKSUMS
from testbed import invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require, require_none
from testbed.interruptions import NotApplicable
from testbed.wire import chance
from testbed.wire.clock import NANO
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL

WRONG: dict[str, Callable[[Packet], Message]] = {**WRONG_CHECKSUMS, **MALFORMED}


def _migration(node: Node, server: Server, dut: NatRouter, entries: list[Entry], protocol: int = 6) -> Migration:
    """A Migrate of connections that only their server knows, as it came to the server; preamble."""
    request = node.send(node.request(dut.elsewhere()[0], entries, protocol=protocol), server)
    return Migration(node, server, request, dut.forwarded(request, server))


@pytest.mark.parametrize("number", [1, 2, 8])
@valid
@requirement("MOPS-4.3-02", case=1)
def test_migrate_elicits_acknowledgements(node: Node, server: Server, dut: NatRouter, number: int) -> None:
    """Each of 1, 2 and 8 mappings of a Migrate is acknowledged to the node, at the moment that the router states."""
    dut.acknowledges_all(_migration(node, server, dut, node.entries(number)))


@valid
@requirement("MOPS-4.3-02", case=2)
def test_migrate_that_reuses_a_mapping_elicits_one(node: Node, server: Server, dut: NatRouter) -> None:
    """A Migrate to a port that has a mapping, by a SYN or by a Migrate before, is acknowledged like any other."""
    mapping = dut.maps(node.at(), server)
    dut.is_acknowledged(mapping)
    for one in (server, Server.like(server)):
        dut.acknowledges_all(_migration(node, one, dut, [(1027, mapping.inside[1], chance.randbits(32))]))


@valid
@requirement("MOPS-4.3-02", case=3)
def test_migrates_of_two_nodes_are_acknowledged_to_each(node: Node, server: Server, dut: NatRouter) -> None:
    """Two nodes migrate to one port: each gets the acknowledgement of its own mapping."""
    other, port = Node.like(node), node.at().port
    for one in (node, other):
        migration = _migration(one, server, dut, [(1027, port, chance.randbits(32))])
        found = dut.acknowledges_all(migration)
        seen = [pair for came in found for pair in came.pairs]
        wanted = _pairs(migration)
        require({*seen} == {*wanted}, "original and translated tuples", wanted, seen, found[-1].frame)


def _pairs(migration: Migration) -> list[tuple[tuple[str, int], tuple[str, int]]]:
    """What the Migrate as it came out says is translated to what."""
    ports = [migrated for _, migrated, _ in entries_in(migration.request.octets)]
    ends = in_mops(migration.node.address), in_mops(migration.came.packet.src)
    mapped = [migrated for _, migrated, _ in migration.came.entries]
    return [((ends[0], one), (ends[1], other)) for one, other in zip(ports, mapped, strict=True)]


@pytest.mark.parametrize("number", [1, 2, 8])
@valid
@requirement("MOPS-B-11", case=1)
def test_acknowledgements_name_the_mappings(node: Node, server: Server, dut: NatRouter, number: int) -> None:
    """Taken together they name each migrated port, and what it has become in the Migrate that came out."""
    for _ in range(2):
        migration = _migration(node, server, dut, node.entries(number))
        found = dut.acknowledges_all(migration)
        seen, wanted = {pair for came in found for pair in came.pairs}, {*_pairs(migration)}
        require(seen == wanted, "original and translated tuples", sorted(wanted), sorted(seen), found[-1].frame)
        for came in found:
            count = came.message.count, len(came.message.entries)
            require(count[0] == count[1] and came.is_intact, "Count, checksum", "right ones", count, came.frame)


@pytest.mark.parametrize("protocol", [TCP_PROTOCOL, UDP_PROTOCOL], ids=["TCP", "UDP"])
@valid
@requirement("MOPS-4.3-75", case=1)
def test_acknowledgement_of_a_migrate_has_its_protocol(
    node: Node, server: Server, dut: NatRouter, protocol: int
) -> None:
    """Protocol is that of the Migrate, and the level is 1."""
    migration = _migration(node, server, dut, node.entries(2), protocol)
    with preamble():
        found = dut.acknowledges_all(migration)
    for came in found:
        seen = came.message.protocol, came.message.nat_level
        require(seen == (protocol, 1), "Protocol and level", (protocol, 1), seen, came.frame)


@valid
@requirement("MOPS-B-32", case=1)
def test_migrate_is_acknowledged_in_a_tenth_of_a_second(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """From the Migrate, or from the success, to the last acknowledgement it takes less than 100 ms, three times."""
    for number in ("first", "second", "third"):
        migration = _migration(node, server, dut, node.entries(2))
        moment = dut.moment(migration)
        found = dut.acknowledges_all(migration, LEARNING_S, moment)
        took = (found[-1].frame.ns - moment.sent.ns) / NANO * 1000
        case.values[f"{number} Migrate acknowledged after"] = f"{took:.3f} ms"


@valid
@requirement("MOPS-4.3-15", case=1)
def test_success_of_several_ports_elicits_one(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Where the success is what is acknowledged, one message lists all three ports."""
    profile = case.setup.profile
    if profile.ixit.mops.nat_ack_on != "success":
        raise NotApplicable(f'{profile.path}: ixit.mops.nat_ack_on is not "success"')
    found = dut.acknowledges_all(_migration(node, server, dut, node.entries(3)))
    counts = [came.message.count for came in found]
    require(counts == [3], "Count of the acknowledgements", [3], counts, *[came.frame for came in found])


@pytest.mark.parametrize("how", WRONG)
@invalid
@requirement("MOPS-4.3-78", case=1)
def test_malformed_migrate_elicits_none(node: Node, server: Server, dut: NatRouter, how: str) -> None:
    """A Migrate with a wrong checksum, version or count is not acknowledged; a right one after it is."""
    request = node.send(WRONG[how](node.request(dut.elsewhere()[0], node.entries(2))), server)
    other = Node.like(node)
    with preamble():
        dut.acknowledges_all(_migration(other, server, dut, other.entries(1)))
    dut.quiets()
    require_none("acknowledgements", [one.frame for one in dut.acknowledgements(node.station, request.since)])


@valid
@requirement("MOPS-4.3-71", case=1)
def test_first_datagram_is_told(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Reported: whether the first datagram of a UDP flow is acknowledged."""
    flow = dut.flow(node.at(), server.listening)
    dut.settles()
    found = dut.acknowledgements(flow.inner.station)
    case.values["first datagram of a flow"] = "acknowledged" if found else "not acknowledged"
    for one in found:
        one.frame.account("reported")
