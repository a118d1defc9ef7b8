# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.1: the nonce and the addresses of REHASH-INIT."""

import itertools
from typing import Any

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.segment import Option, RehashSegment
from conformance.rehash.tester.connection import Connection
from conformance.rehash.tester.host import RehashHost
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.wire import chance
from testbed.wire.capture import BEGINNING, Frame

MANY = 64
BITS = 32
NEAR = 1 << 20
"""Two random nonces are nearer to each other than this once in 2048 pairs."""


def collect_nonces(node: RehashHost, dut: DutHost, count: int) -> tuple[list[int], list[Frame]]:
    """The device's nonces of many connections, and the segments that brought them, as preamble."""
    nonces, frames = [], []
    for _ in range(count):
        connection = node.connect()
        nonces.append(connection.device_nonce())
        frames += [one.frame for one in dut.segments(connection.local) if one.init][:1]
        connection.local.reset()
    return nonces, frames


@valid
@requirement("REHASH-6.1-16", case=1)
def test_nonces_cannot_be_predicted(node: RehashHost, dut: DutHost) -> None:
    """Over many connections every bit of the nonce changes, and neither values nor distances come again."""
    nonces, frames = collect_nonces(node, dut, MANY)
    if len(set(nonces)) == 1:
        raise NotApplicable("all connections have one nonce, see REHASH-6.1-17")
    stuck = [bit for bit in range(BITS) if len({nonce >> bit & 1 for nonce in nonces}) == 1]
    require(not stuck, "bits that never change", "none", stuck, *frames)
    distances = [(after - before) % (1 << BITS) for before, after in itertools.pairwise(nonces)]
    different = len(set(distances))
    require(different > MANY // 2, "distances from nonce to nonce", "different ones", "the same again", *frames)
    near = sum(min(one, (1 << BITS) - one) < NEAR for one in distances)
    require(near < 4, "nonces near the one before", "hardly any", near, *frames)


@valid
@requirement("REHASH-6.1-17", case=1)
def test_each_connection_has_its_own_nonce(node: RehashHost, dut: DutHost) -> None:
    """Connections of one peer to one service all have nonces of their own."""
    nonces, frames = collect_nonces(node, dut, 8)
    require(len(set(nonces)) == len(nonces), "different nonces of 8 connections", 8, len(set(nonces)), *frames)


def expect_first_nonce(connection: Connection, segment: RehashSegment) -> None:
    """REHASH-INIT on this segment carries the nonce that the device sent first."""
    expected = connection.device_nonce()
    seen = hex(segment.init.nonce) if segment.init else "none"
    require(seen == hex(expected), "nonce of REHASH-INIT", hex(expected), seen, segment.frame)


@valid
@requirement("REHASH-6.1-18", case=1)
def test_nonce_lasts_for_the_connection(node: RehashHost, dut: DutHost) -> None:
    """Every REHASH-INIT of a connection carries the same nonce, before and after moves of the peer."""
    connection = node.connect()
    node.send_init(connection)
    dut.quiesce()
    for segment in dut.segments(connection.local):
        if segment.init:
            expect_first_nonce(connection, segment)
    for _ in range(2):
        node.move()
        sent = node.send_rehash_addr(connection)
        expect_first_nonce(connection, node.await_init(sent))
        connection.rebind(sent)


@valid
@requirement("REHASH-6.1-19", case=1)
def test_first_nonces_serve_for_later_moves(node: RehashHost, dut: DutHost) -> None:
    """The nonce that the device sent at first moves the connection three times."""
    connection = node.connect()
    for _ in range(3):
        node.move()
        dut.rehashes(connection, node.send_rehash_addr(connection))


def expect_testers_nonce(connection: Connection, segment: RehashSegment, option: Option) -> None:
    """REHASH-ADDR carries the nonce that the tester sent."""
    expected = connection.state.nonce
    require(option.nonce == expected, "nonce", hex(expected), hex(option.nonce), segment.frame)


@exclusive
@valid
@requirement("REHASH-6.1-19", case=2)
def test_first_nonce_serves_for_later_moves_of_the_device(node: RehashHost, dut: DutHost, app: Application) -> None:
    """REHASH-ADDR of the device's second move carries the nonce that the tester sent at first."""
    connection = node.connect_to(app)
    first = dut.complete_move(node, connection, b"once")
    with preamble():
        expect_testers_nonce(connection, first.segment, first.rehash_addr)
    second = dut.move_with_data(connection, b"twice")
    expect_testers_nonce(connection, second.segment, second.rehash_addr)


@exclusive
@valid
@requirement("REHASH-6.1-19", case=3)
def test_first_nonce_serves_after_a_move_of_the_device(node: RehashHost, dut: DutHost, app: Application) -> None:
    """The nonce that the device sent at first moves the connection after the device has moved itself."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection)
    node.follow_move(connection, announced.move)
    with preamble():
        dut.delivers_on(connection, announced.data, announced.asked_ns)
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))


@pytest.mark.parametrize("carrier", ["SYN-ACK", "SYN", "acknowledgement"])
@pytest.mark.parametrize(
    "field",
    [
        pytest.param("old", marks=requirement("REHASH-6.1-20", case=1)),
        pytest.param("new", marks=requirement("REHASH-6.1-21", case=1)),
    ],
)
@valid
def test_addresses_of_init(node: RehashHost, dut: DutHost, field: str, carrier: str) -> None:
    """In REHASH-INIT the Old IP address is 0 and the New one is the source address of the packet."""
    segment, init = dut.init_on(node, carrier)
    expected = {"old": "0.0.0.0", "new": segment.source}[field]
    seen = getattr(init, field)
    require(seen == expected, f"{field.title()} IP address", expected, seen, segment.frame)


@exclusive
@valid
@requirement("REHASH-6.1-21", case=2)
def test_new_address_of_init_after_a_move(node: RehashHost, dut: DutHost) -> None:
    """New IP address in REHASH-INIT is the source address of the packet at a host that has moved, too."""
    dut.move()
    connection = node.accept_plainly(dut.app)
    segment = node.await_init(node.send_init(connection), BEGINNING)
    new = segment.init.new if segment.init else "none"
    require(new == segment.source, "New IP address", segment.source, new, segment.frame)


@pytest.mark.parametrize("field", ["old", "new"])
@invalid
@requirement("REHASH-6.1-22", case=1)
def test_init_with_other_addresses(node: RehashHost, dut: DutHost, case: Case, field: str) -> None:
    """Reported: what a REHASH-INIT with an Old address, or with a New one that is not its source, does."""
    connection = node.connect_plainly()
    elsewhere: dict[str, Any] = {field: case.station().address}
    case.values["answer"] = dut.response_to(node.send_init(connection, **elsewhere))
    connection.skip()
    node.move()
    case.values["answer to REHASH-ADDR afterwards"] = dut.response_to(node.send_rehash_addr(connection))


@inopportune
@requirement("REHASH-6.1-23", case=1)
def test_later_init_does_not_replace_the_nonce(node: RehashHost, dut: DutHost) -> None:
    """After REHASH-INIT with another nonce, that nonce does not move the connection."""
    connection = node.connect()
    other = chance.randbits(BITS)
    node.send_init(connection, nonce=other)
    dut.barrier()
    node.move()
    dut.does_not_rehash(connection, node.send_rehash_addr(connection, nonce=other))


@inopportune
@requirement("REHASH-6.1-23", case=2)
def test_own_nonce_counts_after_a_later_init(node: RehashHost, dut: DutHost) -> None:
    """After REHASH-INIT with another nonce the device's own nonce still moves the connection."""
    connection = node.connect()
    node.send_init(connection, nonce=chance.randbits(BITS))
    dut.barrier()
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))
