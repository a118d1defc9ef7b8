# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 5, Communication model: the rest of the header of a segment that carries a Rehash option."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.segment import RehashSegment
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr, rehash_init
from testbed import exclusive, invalid, requirement, valid
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import NotApplicable
from testbed.peers.segment import MSS, WINDOW_SCALE
from testbed.peers.tcp import TIMESTAMPS

SACK_PERMITTED = 4
WRONG = 0xBAD1
"""A TCP checksum that is right once in 65535 times."""

OF_A_SYN = {
    MSS: "segment size",
    WINDOW_SCALE: "window scale",
    SACK_PERMITTED: "SACK-Permitted",
    TIMESTAMPS: "timestamps",
}
"""What the two sides agree on; with REHASH-INIT it takes 36 of 40 bytes."""


def reserves_nothing(segment: RehashSegment) -> None:
    """The reserved bits of the header are zero; the one beside the flags is a flag by now (RFC 9768)."""
    bits = segment.header.word >> 9 & 7
    require(not bits, "reserved bits", 0, bits, segment.frame)


@pytest.mark.parametrize("carrier", ["SYN-ACK", "SYN", "acknowledgement"])
@valid
@requirement("REHASH-5-14", case=1)
def test_reserved_bits_beside_init(node: RehashHost, dut: DutHost, carrier: str) -> None:
    """The reserved bits of a segment with REHASH-INIT are zero."""
    segment, _ = dut.init_on(node, carrier)
    reserves_nothing(segment)


@exclusive
@valid
@requirement("REHASH-5-14", case=2)
def test_reserved_bits_beside_rehash_addr(node: RehashHost, dut: DutHost, app: Application) -> None:
    """The reserved bits of segments with REHASH-ADDR, with data and without, are zero."""
    connection = node.connect_to(app)
    announced = dut.move_with_data(connection)
    dut.quiesce()
    for segment in dut.segments(connection.local, announced.move.mark):
        if segment.rehash_addr:
            reserves_nothing(segment)


@valid
@requirement("REHASH-5-15", case=1)
def test_options_beside_init_on_a_syn_ack(node: RehashHost, dut: DutHost) -> None:
    """A SYN-ACK with REHASH-INIT agrees to all that one without it agrees to."""
    node.expects_init_at_syn()
    plain = dut.segments(node.connect_plainly(timestamps=True, scale=7).local)[0]
    segment = dut.segments(node.half_open(node.new_peer(timestamps=True, scale=7)).local)[0]
    if segment.init is None:
        raise NotApplicable("the SYN-ACK carries no REHASH-INIT, as it should")
    kinds = [kind for kind in OF_A_SYN if plain.option(kind)]
    missing = ", ".join(OF_A_SYN[kind] for kind in kinds if segment.option(kind) is None)
    require(not missing, "options missing beside REHASH-INIT", "none", missing, plain.frame, segment.frame)


@pytest.mark.parametrize("data", [b"", b"not intact"], ids=["acknowledgement", "data"])
@invalid
@requirement("REHASH-5-16", case=1)
def test_rehash_addr_with_a_wrong_checksum(node: RehashHost, dut: DutHost, data: bytes) -> None:
    """REHASH-ADDR on a segment whose TCP checksum is wrong moves nothing."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    end = connection.local.at(node.station)
    option = rehash_addr(end, connection.address)
    dut.does_not_rehash(connection, node.transmitted(end, end.segment("PA", data, [option], chksum=WRONG)))


@invalid
@requirement("REHASH-5-16", case=2)
def test_init_with_a_wrong_checksum(node: RehashHost, dut: DutHost, app: Application) -> None:
    """REHASH-INIT on a segment whose TCP checksum is wrong completes no exchange."""
    connection = node.accept_plainly(app)
    connection.device_nonce()
    end = connection.local
    node.transmitted(end, end.segment("A", options=[rehash_init(end)], chksum=WRONG))
    dut.quiesce()
    node.move()
    dut.does_not_rehash(connection, node.send_rehash_addr(connection))


@exclusive
@invalid
@requirement("REHASH-5-16", case=3)
def test_acknowledging_init_with_a_wrong_checksum(node: RehashHost, dut: DutHost, app: Application) -> None:
    """REHASH-INIT on a segment whose TCP checksum is wrong acknowledges no move; one that is intact does."""
    connection = node.connect_to(app)
    move = dut.move()
    dut.await_rehash_addr(move, connection.local)
    end = connection.local
    end.follow_remote(move.new, move.mark)
    end.read()
    node.transmitted(end, end.segment("A", options=[rehash_init(end)], chksum=WRONG))
    dut.barrier()
    dut.repeats_rehash_addr(connection, dut.segments(end, move.mark)[-1])
    node.follow_move(connection, move)
    dut.serves(connection)
