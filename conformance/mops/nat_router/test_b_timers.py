# SPDX-License-Identifier: GPL-2.0-or-later
"""How long mappings live, where a router's timers can be set: after a success, and after what counts for nothing."""

import pytest

from conformance.mops.dut.acknowledging import Mapping
from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.migrate import off_by_one
from conformance.mops.tester.nat_router import nat_acknowledgement
from conformance.mops.tester.sides import Node, Server, Upstream
from layers.mops import SUCCESS, MOPSMigrate
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.tcp import TcpPeer
from testbed.wire.clock import NANO

OVER = 1.6
"""Times of a timer after which it is over, whatever the router's clock ticks in."""

LATE = 1.4
EARLY = 0.85


def _answer(dut: NatRouter, mapping: Mapping, server: Server) -> TcpPeer:
    """The server's end of a connection that has never been answered."""
    return dut.end(server.listening, mapping.outside)


def _has_ended(dut: NatRouter, mapping: Mapping, server: Server, node: Node) -> bool:
    """Whether an answer of the server does not come to the node any more."""
    end = _answer(dut, mapping, server)
    sent = end.transmit(end.segment("SA"))
    dut.settles()
    inner = dut.end(node.at(mapping.inside[1]), server.listening.place)
    return not dut.segments_to(inner, sent)


def _wait(case: Case, since_ns: int, times: float, timer_s: float) -> None:
    case.wait_until(since_ns + round(times * timer_s * NANO))


@pytest.fixture
def transitory_s(case: Case) -> float:
    """How long a mapping lasts of which there is no established connection."""
    return case.setup.profile.ixit.mops.nat_transitory_s


@waits(20)
@inopportune
@requirement("MOPS-4.3-67", case=1)
def test_upstream_after_the_mapping_has_ended(
    case: Case, node: Node, server: Server, upstream: Upstream, dut: NatRouter, transitory_s: float
) -> None:
    """An upstream acknowledgement of a mapping that has ended is not sent on; before its end it was."""
    mapping = dut.maps(node.at(), server)
    dut.is_acknowledged(mapping)
    dut.forwarded_level(node.station, upstream.acknowledge(mapping.outside, upstream.translation()))
    _wait(case, mapping.made.ns, OVER, transitory_s)
    if not _has_ended(dut, mapping, server, node):
        raise Inconclusive("preamble: the mapping has not ended")
    message = nat_acknowledgement(mapping.outside, upstream.translation())
    dut.passes_none(upstream.send(message, mapping.outside[0]), node.station)


@waits(17)
@valid
@requirement("MOPS-B-57", case=1)
def test_migrated_mapping_outlives_the_transitory_time(
    case: Case, node: Node, server: Server, dut: NatRouter, transitory_s: float
) -> None:
    """After the success nothing passes for longer than the transitory time, then the server's data comes in."""
    _lives_on(case, node, server, dut, LATE * transitory_s)


@waits(21)
@valid
@requirement("MOPS-B-58", case=1)
def test_migrated_mapping_lives_like_an_established_one(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """After the success nothing passes for nearly the established time: then the server's data comes to the node."""
    _lives_on(case, node, server, dut, EARLY * case.setup.profile.ixit.mops.nat_established_s)


def _lives_on(case: Case, node: Node, server: Server, dut: NatRouter, seconds: float) -> None:
    moved = node.bring(server, dut.elsewhere())
    migration = dut.sends_on(node, server, moved)
    reply = migration.reply()
    dut.restored(reply, node)
    _wait(case, reply.sent.ns, 1, seconds)
    dut.delivers(moved.outer, moved.inner, b"after a long silence")


FORGED = {
    "malformed Migrate": lambda node, server, mapping: node.send(
        off_by_one(bytes(node.request("1.2.3.4.5", [(1027, mapping.inside[1], 7)]))), server
    ),
    "forged success": lambda node, server, mapping: server.send(_success(mapping), mapping.outside[0]),
    "spoilt upstream acknowledgement": lambda node, server, mapping: server.send(
        off_by_one(bytes(nat_acknowledgement(mapping.outside, ("1.2.3.4.5", 6050)))), mapping.outside[0]
    ),
}


def _success(mapping: Mapping) -> MOPSMigrate:
    return MOPSMigrate(
        code=SUCCESS,
        previous_source="1.2.3.4.5",
        migrated_source=mapping.outside[0],
        entries=[(1027, mapping.outside[1], 7)],
    )


@waits(20)
@pytest.mark.parametrize("what", FORGED)
@inopportune
@requirement("MOPS-B-60", case=1)
def test_what_counts_for_nothing_lengthens_nothing(
    case: Case, node: Node, server: Server, dut: NatRouter, transitory_s: float, what: str
) -> None:
    """Of two mappings made at once one meets messages that count for nothing: it ends as soon as the other one."""
    mapping, control = dut.maps(node.at(), server), dut.maps(node.at(), server)
    for share in (0.5, 0.9):
        _wait(case, mapping.made.ns, share, transitory_s)
        FORGED[what](node, server, mapping)
    _wait(case, control.made.ns, OVER, transitory_s)
    if not _has_ended(dut, control, server, node):
        raise Inconclusive("preamble: a mapping that nothing was sent to has not ended")
    if not _has_ended(dut, mapping, server, node):
        seen = f"answered after {OVER * transitory_s:g} s"
        raise Broken(Finding("mapping after its time", "ended", seen), case.deadline(0))


@waits(20)
@inopportune
@requirement("MOPS-B-59", case=1)
def test_old_server_does_not_come_to_the_new_node(
    case: Case, node: Node, server: Server, dut: NatRouter, transitory_s: float
) -> None:
    """An outside port has become another node's: a segment of the server before comes to neither of them."""
    end = node.at()
    mapping = dut.maps(end, server)
    stranger = dut.end(Server.like(server).listening, mapping.outside)
    sent = stranger.transmit(stranger.segment("SA"))
    dut.settles()
    if dut.segments_to(dut.end(end, server.listening.place), sent):
        raise NotApplicable("this NAT filters by no address: anybody's segment passes to a mapping")
    _wait(case, mapping.made.ns, OVER, transitory_s)
    heir = Node.like(node)
    second = dut.maps(heir.at(end.port), Server.like(server))
    if second.outside != mapping.outside:
        raise NotApplicable("this NAT has given the outside port to nobody else")
    old = _answer(dut, mapping, server)
    sent = old.transmit(old.segment("SA"))
    dut.settles()
    for one in (heir, node):
        for segment in dut.segments_to(dut.end(one.at(end.port), server.listening.place), sent):
            require(False, "segment of the server before", "none", str(segment), segment.frame, sent.frame)
