# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.1: the nonce and the addresses of REHASH-INIT."""

import itertools
import secrets

import pytest

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import preamble, require
from conformance.rehash.tester.host import Node, Session
from conformance.rehash.tester.peer import RehashPeer
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.peers.segment import Option, Segment

MANY = 64
BITS = 32
NEAR = 1 << 20
"""Two random nonces are nearer to each other than this once in 2048 pairs."""

CARRIERS = pytest.mark.parametrize("carrier", ["SYN-ACK", "SYN", "acknowledgement"])


def collects_nonces(node: Node, host: Host, count: int) -> list[int]:
    """The device's nonces of many connections, as preamble."""
    nonces = []
    for _ in range(count):
        session = node.half_opens()
        nonces.append(host.nonce(session))
        session.peer.reset()
    return nonces


@valid
@requirement("REHASH-6.1-16", case=1)
def test_nonces_cannot_be_predicted(node: Node, host: Host) -> None:
    """Over many connections every bit of the nonce changes, and neither values nor distances come again."""
    nonces = collects_nonces(node, host, MANY)
    stuck = [bit for bit in range(BITS) if len({nonce >> bit & 1 for nonce in nonces}) == 1]
    require(not stuck, "bits that never change", "none", stuck)
    distances = [(after - before) % (1 << BITS) for before, after in itertools.pairwise(nonces)]
    require(len(set(distances)) > MANY // 2, "distances from nonce to nonce", "different ones", "the same again")
    near = sum(min(one, (1 << BITS) - one) < NEAR for one in distances)
    require(near < 4, "nonces near the one before", "hardly any", near)


@valid
@requirement("REHASH-6.1-17", case=1)
def test_each_connection_has_its_own_nonce(node: Node, host: Host) -> None:
    """Connections of one peer to one service all have nonces of their own."""
    nonces = collects_nonces(node, host, 8)
    require(len(set(nonces)) == len(nonces), "different nonces of 8 connections", 8, len(set(nonces)))


def keeps_its_nonce(session: Session, segment: Segment) -> None:
    """REHASH-INIT on this segment carries the nonce that the device told first."""
    first = session.peer.device_nonce
    require(segment.init and segment.init.nonce == first, "nonce", first, segment.init, segment)


@valid
@requirement("REHASH-6.1-18", case=1)
def test_nonce_lasts_for_the_connection(node: Node, host: Host) -> None:
    """Every REHASH-INIT of a connection carries the same nonce, before and after moves of the peer."""
    session = node.connects()
    keeps_its_nonce(session, host.acknowledged(node.sends(session.peer, "A", options=[session.peer.init()])))
    for _ in range(2):
        node.moves()
        order = node.orders(session)
        keeps_its_nonce(session, host.acknowledged(order))
        session.follows(order)


@valid
@requirement("REHASH-6.1-19", case=1)
def test_first_nonces_serve_for_later_moves(node: Node, host: Host) -> None:
    """The nonce that the device told at first moves the connection three times."""
    session = node.connects()
    for _ in range(3):
        node.moves()
        host.has_moved(session, node.orders(session))


def has_the_nonce_of(peer: RehashPeer, segment: Segment, order: Option) -> None:
    """REHASH-ADDR carries the nonce that the tester told."""
    require(order.nonce == peer.nonce, "nonce", hex(peer.nonce), hex(order.nonce), segment)


@exclusive
@valid
@requirement("REHASH-6.1-19", case=2)
def test_first_nonce_serves_for_later_moves_of_the_device(node: Node, host: Host) -> None:
    """REHASH-ADDR of the device's second move carries the nonce that the tester told at first."""
    session = host.offers(node)
    first = host.moves()
    host.application_sends(session, b"once")
    with preamble():
        has_the_nonce_of(session.peer, *host.order_of(first, session.peer))
    node.takes_over(session, first)
    host.has_calmed_down()
    second = host.moves()
    host.application_sends(session, b"twice")
    has_the_nonce_of(session.peer, *host.order_of(second, session.peer))


@exclusive
@valid
@requirement("REHASH-6.1-19", case=3)
def test_first_nonce_serves_after_a_move_of_the_device(node: Node, host: Host) -> None:
    """The nonce that the device told at first moves the connection after the device has moved itself."""
    session = host.offers(node)
    move = host.moves()
    asked_ns = host.application_sends(session, b"I have moved")
    host.order_of(move, session.peer)
    node.takes_over(session, move)
    with preamble():
        host.delivers(session, b"I have moved", asked_ns)
    node.moves()
    host.has_moved(session, node.orders(session))


@CARRIERS
@valid
@requirement("REHASH-6.1-20", case=1)
def test_old_address_of_init_is_zero(node: Node, host: Host, carrier: str) -> None:
    """Old IP address is 0 in REHASH-INIT."""
    segment, init = host.init_on(node, carrier)
    require(init.old == "0.0.0.0", "Old IP address", "0.0.0.0", init.old, segment)


@CARRIERS
@valid
@requirement("REHASH-6.1-21", case=1)
def test_new_address_of_init_is_the_source(node: Node, host: Host, carrier: str) -> None:
    """New IP address in REHASH-INIT is the source address of the packet."""
    segment, init = host.init_on(node, carrier)
    require(init.new == segment.source, "New IP address", segment.source, init.new, segment)


@exclusive
@valid
@requirement("REHASH-6.1-21", case=2)
def test_new_address_of_init_after_a_move(node: Node, host: Host) -> None:
    """New IP address in REHASH-INIT is the source address of the packet at a host that has moved, too."""
    host.moves()
    segment, init = host.init_on(node, "SYN")
    require(init.new == segment.source, "New IP address", segment.source, init.new, segment)


@pytest.mark.parametrize("field", ["old", "new"])
@invalid
@requirement("REHASH-6.1-22", case=1)
def test_init_with_other_addresses(node: Node, host: Host, case: Case, field: str) -> None:
    """Reported: what a REHASH-INIT with an Old address, or with a New one that is not its source, does."""
    session = node.connects_plainly()
    elsewhere = case.station().address
    order = node.sends(session.peer, "A", options=[session.peer.init(**{field: elsewhere})])
    case.values["answer"] = host.answers(order)
    session.skips()
    node.moves()
    order = node.orders(session)
    case.values["answer to REHASH-ADDR afterwards"] = host.answers(order)


@inopportune
@requirement("REHASH-6.1-23", case=1)
def test_later_init_does_not_replace_the_nonce(node: Node, host: Host) -> None:
    """After REHASH-INIT with another nonce, that nonce does not move the connection."""
    session = node.connects()
    other = secrets.randbits(BITS)
    node.sends(session.peer, "A", options=[session.peer.init(nonce=other)])
    host.has_gone_on()
    node.moves()
    order = node.orders(session, nonce=other)
    host.has_not_moved(session, order)


@inopportune
@requirement("REHASH-6.1-23", case=2)
def test_own_nonce_counts_after_a_later_init(node: Node, host: Host) -> None:
    """After REHASH-INIT with another nonce the device's own nonce still moves the connection."""
    session = node.connects()
    node.sends(session.peer, "A", options=[session.peer.init(nonce=secrets.randbits(BITS))])
    host.has_gone_on()
    node.moves()
    host.has_moved(session, node.orders(session))
