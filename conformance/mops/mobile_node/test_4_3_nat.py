# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.1 and 4.3, the mobile node behind NAT: what it learns, and what it names in its Migrate."""

import itertools

import pytest
from scapy.packet import Packet

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.dut.natted import INNER, OUTER, OUTERMOST, NattedConnection, tuple_in_mops
from conformance.mops.migrate import Message, in_mops, messages, off_by_one, sealed
from conformance.mops.tester.nat_router import NatRouter
from conformance.mops.tester.server import Correspondent
from layers.mops import MOPSNATAck
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import LATER_S, Case
from testbed.case.expect import preamble
from testbed.case.verdict import require, require_none
from testbed.wire.headers import UDP_PROTOCOL

MANY = 100


@pytest.fixture
def natted(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, router: NatRouter
) -> NattedConnection:
    """A connection, and three levels of NAT that can be acknowledged."""
    connection = app.connect(correspondent)
    chain = [(case.station().address, port) for port in (INNER, OUTER, OUTERMOST)]
    return NattedConnection(dut, app, router, connection, (dut.address, connection.previous_port), chain)


@exclusive
@valid
@requirement("MOPS-4.1-107", case=1)
def test_previous_address_is_the_outermost_one(natted: NattedConnection) -> None:
    """After two levels of NAT Previous Source Address is the outermost translated one."""
    natted.acknowledge(natted.acknowledgement(1), natted.acknowledgement(2))
    ((request, (address, _)),) = natted.requests()
    natted.require("previous address", in_mops(natted.chain[1][0]), address, request)


@exclusive
@valid
@requirement("MOPS-4.1-109", case=1)
def test_previous_port_is_the_outermost_one(natted: NattedConnection) -> None:
    """After two levels of NAT Previous Source Port is the outermost translated one."""
    natted.acknowledge(natted.acknowledgement(1), natted.acknowledgement(2))
    ((request, (_, port)),) = natted.requests()
    natted.require("previous port", OUTER, port, request)


@exclusive
@valid
@requirement("MOPS-4.3-28", case=1)
def test_level_one_is_learnt(natted: NattedConnection) -> None:
    """After the acknowledgement of level 1 the Migrate names the translated tuple."""
    natted.acknowledge(natted.acknowledgement(1))
    natted.names(natted.chain[0])


@exclusive
@valid
@requirement("MOPS-4.3-28", case=2)
def test_level_one_is_learnt_before_the_syn_ack(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent, router: NatRouter
) -> None:
    """The acknowledgement that the SYN elicits comes before the server's answer, and is learnt all the same."""
    attempt = app.begin_connect(correspondent)
    inside, outside = (dut.address, attempt.local.remote_port), (case.station().address, INNER)
    router.send(dut.address, router.acknowledgement(inside, outside))
    dut.barrier()
    connection = correspondent.accept(attempt)
    NattedConnection(dut, app, router, connection, inside, [outside]).names(outside)


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param((1, 2, 3), marks=requirement("MOPS-4.3-29")),
        *(
            pytest.param(levels, marks=requirement("MOPS-4.3-51"))
            for levels in itertools.permutations((1, 2, 3))
            if levels != (1, 2, 3)
        ),
    ],
    ids=lambda levels: "levels " + " ".join(map(str, levels)),
)
@exclusive
@valid
@requirement(case=1)
def test_highest_level_of_the_chain_is_named(natted: NattedConnection, levels: tuple[int, ...]) -> None:
    """Acknowledgements of three levels lead to the translated tuple of the third."""
    natted.acknowledge(*(natted.acknowledgement(level) for level in levels))
    natted.names(natted.chain[2])


def another_socket(natted: NattedConnection, other: str) -> list[Packet]:
    """Another original address or port."""
    address, port = natted.inside
    return [natted.router.acknowledgement(end, natted.chain[0]) for end in ((other, port), (address, port ^ 0x8000))]


def another_protocol(natted: NattedConnection, other: str) -> list[Packet]:
    """UDP, of the same port."""
    return [natted.acknowledgement(1, protocol=UDP_PROTOCOL)]


def level_zero(natted: NattedConnection, other: str) -> list[Packet]:
    """Level 0, which does not exist."""
    return [natted.acknowledgement(1, nat_level=0)]


def wrong_checksum(natted: NattedConnection, other: str) -> list[Message]:
    """A checksum that is one too large."""
    return [off_by_one(bytes(natted.acknowledgement(1)))]


def another_shape(natted: NattedConnection, other: str) -> list[Message]:
    """Another version or code, a Count of 0 or of more entries than there are, or cut short."""
    fields = {"version": (0, 2, 255), "code": (1, 255), "count": (0, 2, 0x3FFF)}
    altered = [natted.acknowledgement(1, **{name: value}) for name, values in fields.items() for value in values]
    right = bytes(natted.acknowledgement(1))
    return [*altered, sealed(right[:-4]), sealed(right[:-1])]


def trailing_bytes(natted: NattedConnection, other: str) -> list[Message]:
    """More bytes, or another entry, than Count says."""
    entries = [(natted.inside[1], INNER), (1, 2)]
    return [sealed(bytes(natted.acknowledgement(1)) + bytes(4)), natted.acknowledgement(1, entries=entries, count=1)]


WRONG = {
    "another socket": another_socket,
    "another protocol": another_protocol,
    "level zero": level_zero,
    "wrong checksum": wrong_checksum,
    "another shape": another_shape,
    "trailing bytes": trailing_bytes,
}


EACH = pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("another socket", marks=requirement("MOPS-4.3-30")),
        pytest.param("another protocol", marks=requirement("MOPS-4.3-32")),
        pytest.param("level zero", marks=requirement("MOPS-4.3-33")),
        pytest.param("wrong checksum", marks=requirement("MOPS-4.3-34")),
        pytest.param("another shape", marks=requirement("MOPS-4.3-35")),
        pytest.param("trailing bytes", marks=requirement("MOPS-4.3-52")),
    ],
)


@EACH
@exclusive
@invalid
@requirement(case=1)
def test_wrong_acknowledgement_is_silently_discarded(case: Case, natted: NattedConnection, wrong: str) -> None:
    """An acknowledgement that is not for the socket, or is malformed, leaves the mapping table unchanged."""
    natted.learns_nothing(*WRONG[wrong](natted, case.station().address))


@EACH
@exclusive
@inopportune
@requirement(case=11)
def test_right_acknowledgement_counts_after_wrong_ones(case: Case, natted: NattedConnection, wrong: str) -> None:
    """After a hundred acknowledgements that leave the mapping table unchanged the right one is learnt."""
    many = itertools.islice(itertools.cycle(WRONG[wrong](natted, case.station().address)), MANY)
    natted.acknowledge(*many, natted.acknowledgement(1))
    natted.names(natted.chain[0])


@EACH
@exclusive
@invalid
@requirement(case=12)
def test_wrong_acknowledgement_is_not_learnt_later(case: Case, natted: NattedConnection, wrong: str) -> None:
    """What leaves the mapping table unchanged has done so after a while as well."""
    natted.acknowledge(*WRONG[wrong](natted, case.station().address))
    case.watch(LATER_S)
    natted.learns_nothing()


@exclusive
@valid
@requirement("MOPS-4.3-28", case=11)
def test_level_one_is_learnt_for_an_accepted_connection(
    dut: MobileNode, app: Applications, correspondent: Correspondent, router: NatRouter, case: Case
) -> None:
    """The acknowledgement of a connection that the node has accepted is learnt as well."""
    connection = app.accept(correspondent, app.listen())
    inside, outside = (dut.address, connection.previous_port), (case.station().address, INNER)
    natted = NattedConnection(dut, app, router, connection, inside, [outside])
    natted.acknowledge(natted.acknowledgement(1))
    natted.names(outside)


@exclusive
@invalid
@requirement("MOPS-4.3-31", case=1)
def test_level_without_the_one_below_is_ignored(case: Case, natted: NattedConnection) -> None:
    """Level 2 whose original tuple is not what level 1 translated to leaves the mapping table unchanged."""
    address, port = natted.chain[0]
    others = [(case.station().address, port), (address, port + 1)]
    unconnected = [natted.router.acknowledgement(other, natted.chain[1], 2) for other in others]
    natted.acknowledge(natted.acknowledgement(1), *unconnected)
    ((request, seen),) = natted.requests()
    wrong, right = tuple_in_mops(natted.chain[1]), tuple_in_mops(natted.chain[0])
    require(seen[0] != wrong[0] and seen[1] != wrong[1], "previous tuple", right, seen, request.frame)
    with preamble():
        require(seen == right, "previous tuple", right, seen, request.frame)


@exclusive
@valid
@requirement("MOPS-4.3-36", case=1)
def test_acknowledgement_with_reserved_bits_is_taken(natted: NattedConnection) -> None:
    """An acknowledgement with every bit of Reserved set counts like any other."""
    natted.acknowledge(natted.acknowledgement(1, reserved=0xFF))
    natted.names(natted.chain[0])


@exclusive
@valid
@requirement("MOPS-4.3-37", case=1)
def test_every_entry_is_learnt(app: Applications, natted: NattedConnection) -> None:
    """One acknowledgement with two entries is learnt for both sockets."""
    connections = [natted.connection, app.connect(natted.connection.server)]
    ports = {connection.previous_port: INNER + number for number, connection in enumerate(connections)}
    natted.acknowledge(natted.acknowledgement(1, entries=list(ports.items())))
    for connection, (request, (_, seen)) in zip(connections, natted.requests(*connections), strict=True):
        natted.require("previous port", ports[connection.previous_port], seen, request)


@exclusive
@valid
@requirement("MOPS-4.3-38", case=1)
def test_acknowledgement_is_not_answered(case: Case, dut: MobileNode, natted: NattedConnection) -> None:
    """A NAT acknowledgement elicits no message, and the connection continues; it is learnt all the same."""
    mark = case.mark()
    natted.acknowledge(natted.acknowledgement(1), natted.acknowledgement(2))
    dut.quiesce()
    answers = [frame for frame, _ in messages(case, mark)]
    require_none("messages", answers)
    dut.continues(natted.connection)
    request, learnt = natted.named(dut.move(), natted.connection)
    with preamble():
        wanted = tuple_in_mops(natted.chain[1])
        require(learnt == wanted, "previous tuple", wanted, learnt, request.frame)


@exclusive
@valid
@requirement("MOPS-4.3-39", case=1)
def test_mapping_is_forgotten_after_the_move(dut: MobileNode, natted: NattedConnection) -> None:
    """After a move out of the NAT and a success the next Migrate names the tuple of that success."""
    natted.acknowledge(natted.acknowledgement(1))
    dut.complete_move(natted.connection)
    natted.names((dut.address, natted.connection.previous_port))


@exclusive
@valid
@requirement("MOPS-4.3-39", case=2)
def test_mapping_at_home_is_not_remembered_there(dut: MobileNode, natted: NattedConnection) -> None:
    """A node that is back home, without another acknowledgement, names its own tuple when it leaves once more."""
    natted.acknowledge(natted.acknowledgement(1))
    dut.complete_move(natted.connection)
    dut.complete_move(natted.connection, to=dut.home)
    natted.names((dut.address, natted.connection.previous_port))


@exclusive
@invalid
@requirement("MOPS-4.3-40", case=1)
def test_acknowledgement_of_another_sender(case: Case, dut: MobileNode, natted: NattedConnection) -> None:
    """Reported: whether the device believes any sender of the right tuple; then a forger spoils its next Migrate."""
    NatRouter(case).send(dut.address, natted.acknowledgement(1))
    dut.barrier()
    request = dut.request(dut.move(), natted.connection)
    case.values["believed"] = "yes" if request.entry(natted.connection)[0] == INNER else "no"


@exclusive
@valid
@requirement("MOPS-4.3-27", case=2)
def test_mobile_node_sends_no_nat_acknowledgement(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A mobile node sends no NAT acknowledgement, neither for its SYN nor for its Migrate."""
    connection = app.connect(correspondent)
    dut.complete_move(connection)
    dut.quiesce()
    for frame, message in messages(case):
        require(not isinstance(message, MOPSNATAck), "message", "no NAT acknowledgement", message.name, frame)
