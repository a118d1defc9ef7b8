# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: NAT and anycast acknowledgements that come in to nodes inside."""

import pytest

from conformance.mops.dut.firewall import Firewall
from conformance.mops.migrate import in_mops
from conformance.mops.tester.beyond import AnycastServer, Router
from conformance.mops.tester.crossing import RoamingNode
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.wire.headers import UDP_PROTOCOL

LEVELS = 10
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "udp"])


@pytest.fixture
def router(case: Case) -> Router:
    """The tester as a NAT router beyond the device."""
    return Router(case)


@TRANSPORTS
@valid
@requirement("MOPS-6-54", case=1)
def test_nat_acknowledgement_of_a_session_comes_in(
    node: RoamingNode, dut: Firewall, router: Router, transport: str
) -> None:
    """Acknowledgements of level 1 come in to the node whose session they translate, at home and after a move."""
    session = dut.connect(node, transport)
    dut.passes_unchanged(router.acknowledge(session, session.address, router.translation()))
    dut.migrate(node, session)
    dut.passes_unchanged(router.acknowledge(session, session.address, router.translation()))


@valid
@requirement("MOPS-6-54", case=2)
def test_nat_acknowledgement_of_several_ports_comes_in(node: RoamingNode, dut: Firewall, router: Router) -> None:
    """An acknowledgement of level 1 comes in that names three sessions of the node."""
    sessions = [dut.connect(node) for _ in range(3)]
    entries = [(one.address[1], router.translation()[1]) for one in sessions]
    dut.passes_unchanged(router.acknowledge(sessions[0], sessions[0].address, router.translation(), entries=entries))


@valid
@requirement("MOPS-6-54", case=3)
def test_nat_acknowledgement_of_an_opening_session_comes_in(node: RoamingNode, dut: Firewall, router: Router) -> None:
    """An acknowledgement comes in as soon as the SYN has passed, before it is answered."""
    session = dut.new_session(node)
    dut.sends_syn(session)
    dut.passes_unchanged(router.acknowledge(session, session.address, router.translation()))


@TRANSPORTS
@valid
@requirement("MOPS-6-54", case=4)
def test_anycast_acknowledgement_of_a_session_comes_in(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """The acknowledgement of an anycast server comes in to the node whose session it names."""
    session = dut.connect(node, transport)
    dut.passes_unchanged(AnycastServer(node).acknowledge(session))
    dut.migrate(node, session)
    dut.passes_unchanged(AnycastServer(node).acknowledge(session))


@inopportune
@requirement("MOPS-6-55", case=1)
def test_nat_acknowledgement_of_no_session_stays_out(node: RoamingNode, dut: Firewall, router: Router) -> None:
    """Acknowledgements of level 1 stay out whose Original differs from a known session's in one part."""
    session = dut.connect(node)
    address, port = session.address
    sent = [
        router.acknowledge(session, (address, node.new_port()), router.translation()),
        router.acknowledge(session, (node.side.station().address, port), router.translation()),
        router.acknowledge(session, (address, port), router.translation(), protocol=UDP_PROTOCOL),
    ]
    dut.message_barrier()
    dut.blocks(*sent)
    dut.lets_acknowledge(router, session)


@inopportune
@requirement("MOPS-6-55", case=2)
def test_anycast_acknowledgement_of_no_session_stays_out(node: RoamingNode, dut: Firewall, router: Router) -> None:
    """Anycast acknowledgements stay out that differ in one part from that of a session that the firewall knows."""
    session, server = dut.connect(node), AnycastServer(node)
    elsewhere = node.server.side.station().address
    sent = [
        server.acknowledge(session, source_port=node.new_port()),
        server.acknowledge(session, destination_port=node.new_port()),
        server.acknowledge(session, anycast_destination=in_mops(elsewhere)),
        server.acknowledge(session, protocol=UDP_PROTOCOL),
    ]
    dut.message_barrier()
    dut.blocks(*sent)
    dut.lets_acknowledge(router, session)


@inopportune
@requirement("MOPS-6-55", case=3)
def test_acknowledgement_for_the_old_tuple_of_another_stays_out(
    node: RoamingNode, dut: Firewall, router: Router
) -> None:
    """An acknowledgement of one node's session does not come in to another node."""
    session = dut.connect(node)
    other = dut.connect(RoamingNode(node.case, "inside"))
    sent = router.acknowledge(other, session.address, router.translation())
    dut.message_barrier()
    dut.blocks(sent)
    dut.lets_acknowledge(router, session)


@TRANSPORTS
@valid
@requirement("MOPS-6-56", case=1)
def test_acknowledgement_of_a_migrate_comes_in_before_the_reply(
    node: RoamingNode, dut: Firewall, router: Router, transport: str
) -> None:
    """When a Migrate has passed an acknowledgement of its new tuple comes in, of a known session and an unseen one."""
    for session in (dut.connect(node, transport), node.bring(transport)):
        move = node.move(session)
        dut.ask(node, move)
        place = move.places[0]
        address = place.station.address, place.port
        dut.passes_unchanged(router.acknowledge(session, address, router.translation(), to=place.station))


@valid
@requirement("MOPS-6-75", case=1)
def test_higher_levels_come_in_where_lower_ones_led(node: RoamingNode, dut: Firewall, router: Router) -> None:
    """Acknowledgements of rising levels come in, each of what the one before has translated to."""
    session = dut.connect(node)
    original = session.address
    for level in range(1, LEVELS + 1):
        translated = router.translation()
        dut.passes(router.acknowledge(session, original, translated, level))
        original = translated


@valid
@requirement("MOPS-6-76", case=1)
def test_higher_level_without_a_lower_is_told(node: RoamingNode, dut: Firewall, router: Router, case: Case) -> None:
    """Reported: whether an acknowledgement of level 2 comes in though none of level 1 has."""
    session = dut.connect(node)
    sent = router.acknowledge(session, router.translation(), router.translation(), 2)
    case.values["level 2 without level 1"] = dut.tells(sent)
