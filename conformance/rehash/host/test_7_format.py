# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 7, TCP Rehash option format: kind, length, control header, nonce; as sent and as received."""

import pytest
from scapy.packet import Packet

from conformance.rehash.dut.host import DutHost
from conformance.rehash.segment import Option, RehashSegment
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr, rehash_init
from layers.rehash import ADDR, INIT
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.device.application import Application
from testbed.interruptions import Inconclusive

LENGTHS = (2, 3, 4, 12, 14, 15, 17, 18, 20, 32, 34)
CONTROLS = (0x0000, 0x0011, 0x0100, 0x1000, 0xFFFF)
LENGTH = 16


def of_length(option: Packet, length: int) -> bytes:
    """The option with another length, in its length byte and in fact."""
    content = bytes(option)
    return bytes([content[0], length]) + content[2:length].ljust(length - 2, b"\0")


def expect_field(case: Case, segment: RehashSegment, option: Option, field: str, control: int) -> None:
    """A field of the option is what the draft says."""
    expected = {"kind": case.setup.profile.ixit.rehash.option_kind, "length": LENGTH, "control": control}[field]
    seen = getattr(option, field)
    require(seen == expected, f"{field} of the option", hex(expected), hex(seen), segment.frame)


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("kind", marks=requirement("REHASH-7-01", case=1)),
        pytest.param("length", marks=requirement("REHASH-7-02", case=1)),
    ],
)
@valid
def test_kind_and_length_of_init(node: RehashHost, dut: DutHost, case: Case, field: str) -> None:
    """The option of REHASH-INIT has kind 253 and length 16."""
    expect_field(case, *dut.init_on(node, "acknowledgement"), field, INIT)


@pytest.mark.parametrize("carrier", ["SYN", "SYN-ACK", "acknowledgement"])
@valid
@requirement("REHASH-7-04", case=1)
def test_control_header_of_init(node: RehashHost, dut: DutHost, case: Case, carrier: str) -> None:
    """The control header of REHASH-INIT is 0x0001."""
    expect_field(case, *dut.init_on(node, carrier), "control", INIT)


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("kind", marks=requirement("REHASH-7-01", case=2)),
        pytest.param("length", marks=requirement("REHASH-7-02", case=2)),
        pytest.param("control", marks=requirement("REHASH-7-05", case=1)),
    ],
)
@exclusive
@valid
def test_format_of_rehash_addr(node: RehashHost, dut: DutHost, app: Application, case: Case, field: str) -> None:
    """The option of REHASH-ADDR has kind 253, length 16 and the control header 0x0010."""
    announced = dut.move_with_data(node.connect_to(app))
    expect_field(case, announced.segment, announced.rehash_addr, field, ADDR)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(pytest.param("length", one, id=f"{one}", marks=requirement("REHASH-7-03", case=1)) for one in LENGTHS),
        *(pytest.param("control", one, id=hex(one), marks=requirement("REHASH-7-06", case=1)) for one in CONTROLS),
    ],
)
@invalid
def test_malformed_rehash_addr_moves_nothing(node: RehashHost, dut: DutHost, field: str, value: int) -> None:
    """REHASH-ADDR with a length other than 16, or with an undefined control header, moves nothing."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    end = connection.local.at(node.station)
    option = rehash_addr(end, connection.address)
    changed = of_length(option, value) if field == "length" else rehash_addr(end, connection.address, control=value)
    dut.does_not_rehash(connection, node.send(end, "A", options=[changed]))


@pytest.mark.parametrize("length", LENGTHS)
@invalid
@requirement("REHASH-7-03", case=2)
def test_init_of_another_length_completes_nothing(
    node: RehashHost, dut: DutHost, app: Application, length: int
) -> None:
    """REHASH-INIT with a length other than 16 in answer to the device's does not make the connection movable."""
    connection = node.accept_plainly(app)
    node.send(connection.local, "A", options=[of_length(rehash_init(connection.local), length)])
    dut.await_nonce(connection)
    node.move()
    with dut.refusal_control():
        dut.does_not_rehash(connection, node.send_rehash_addr(connection))


@pytest.mark.parametrize("control", CONTROLS, ids=hex)
@invalid
@requirement("REHASH-7-06", case=2)
def test_undefined_control_header_completes_nothing(
    node: RehashHost, dut: DutHost, app: Application, control: int
) -> None:
    """An option with an undefined control header and all else like REHASH-INIT makes no connection movable."""
    connection = node.accept_plainly(app)
    node.send(connection.local, "A", options=[rehash_init(connection.local, control=control)])
    dut.await_nonce(connection)
    node.move()
    with dut.refusal_control():
        dut.does_not_rehash(connection, node.send_rehash_addr(connection))


@pytest.mark.parametrize("carrier", ["SYN", "SYN-ACK", "acknowledgement"])
@valid
@requirement("REHASH-7-07", case=1)
def test_nonce_of_init_is_the_one_that_counts(node: RehashHost, dut: DutHost, carrier: str) -> None:
    """The authenticator of the device's REHASH-INIT is the nonce that moves the connection."""
    if carrier != "acknowledgement":
        node.expects_init_at_syn()
    if carrier == "SYN":
        connection = node.accept_from(dut.app)
    elif carrier == "SYN-ACK":
        connection = node.connect()
    else:
        connection = node.connect_plainly()
        node.exchange_init(connection)
    node.move()
    dut.rehashes(connection, node.send_rehash_addr(connection))


@pytest.mark.parametrize("what", ["acknowledgement", "data", "INIT from elsewhere"])
@exclusive
@inopportune
@requirement("REHASH-7-09", case=1)
def test_only_init_acknowledges_rehash_addr(
    node: RehashHost, dut: DutHost, app: Application, case: Case, what: str
) -> None:
    """A segment without REHASH-INIT, or with it but from another host, does not end the repeating of REHASH-ADDR."""
    connection = node.connect_to(app)
    peer = connection.local
    move = dut.move()
    dut.await_rehash_addr(move, peer)
    peer.follow_remote(move.new, move.mark)
    other_host = peer.at(case.station())
    if what == "INIT from elsewhere":
        node.send(other_host, "A", options=[rehash_init(peer)])
    elif what == "data":
        node.send(peer, "PA", b"plain")
    else:
        node.send(peer, "A")
    dut.barrier()
    mark = case.mark()
    asked_ns = connection.socket.send(b"with REHASH-ADDR too")
    deadline = case.deadline(case.setup.profile.ixit.rehash.retry_within_s, since_ns=asked_ns)
    announced = dut.await_segment(peer, mark, lambda one: one.rehash_addr, deadline)
    frames = [one.frame for one in dut.segments(peer, mark) if not one.is_reset]
    if not frames:
        raise Inconclusive("preamble: the DUT sent nothing more")
    require(announced, "REHASH-ADDR before REHASH-INIT", "some", "none", deadline, *frames)


@exclusive
@valid
@requirement("REHASH-7-09", case=2)
def test_init_acknowledges_rehash_addr(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """REHASH-INIT of the peer at the new tuple ends the repeating of REHASH-ADDR, and the connection continues."""
    connection = node.connect_to(app)
    move = dut.move()
    dut.await_rehash_addr(move, connection.local)
    node.follow_move(connection, move)
    dut.barrier()
    mark = case.mark()
    dut.serves(connection)
    for segment in dut.segments(connection.local, mark):
        require(not segment.rehash_addr, "segment after REHASH-INIT", "no REHASH-ADDR", segment, segment.frame)


@pytest.mark.parametrize("pair", ["the same twice", "wrong nonce first", "right nonce first", "INIT and ADDR"])
@invalid
@requirement("REHASH-7-10", case=1)
def test_two_options_on_a_segment(node: RehashHost, dut: DutHost, case: Case, pair: str) -> None:
    """Reported: what a segment with two Rehash options does; the connection is not harmed."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    end, old = connection.local.at(node.station), connection.address
    right, wrong = rehash_addr(end, old), rehash_addr(end, old, nonce=connection.device_nonce() ^ 1)
    options = {
        "the same twice": [right, right],
        "wrong nonce first": [wrong, right],
        "right nonce first": [right, wrong],
        "INIT and ADDR": [rehash_init(end), right],
    }[pair]
    sent = node.send(end, "A", options=options)
    case.values["answer"] = dut.response_to(sent)
    if any(one.init for one in dut.segments(end, sent.mark)):
        connection.rebind(sent)
    case.values["connection continues"] = str(dut.is_served(connection))
