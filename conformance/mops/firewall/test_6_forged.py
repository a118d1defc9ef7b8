# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: successes and Migrates that open nothing, whoever sends them."""

from typing import Any

import pytest

from conformance.mops.claims import needs_opening_on_success
from conformance.mops.dut.firewall import Firewall
from conformance.mops.migrate import in_mops
from conformance.mops.tester.crossing import RoamingNode
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.interruptions import NotApplicable
from testbed.wire.headers import UDP_PROTOCOL

CROSSED = pytest.mark.parametrize("position", ["crossed"])
OUTSIDE = pytest.mark.parametrize("position", ["outside"])
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "udp"])


@CROSSED
@TRANSPORTS
@inopportune
@requirement("MOPS-6-11", case=1)
def test_unasked_success_opens_nothing(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """A success for a Migrate that nobody has sent opens no tuple, neither at first nor after a move."""
    session = dut.connect(node, transport)
    first = node.move(session)
    node.server.agree_unasked(first, node.request(first))
    dut.migrate(node, session)
    second = node.move(session)
    node.server.agree_unasked(second, node.request(second))
    dut.message_barrier()
    dut.stays_closed(node, session, first.places[0], second.places[0])


@inopportune
@requirement("MOPS-6-11", case=2)
def test_unasked_success_opens_no_unseen_session(node: RoamingNode, dut: Firewall) -> None:
    """Nor does a success about a session that the firewall has never seen."""
    move = node.move(node.bring())
    node.server.agree_unasked(move, node.request(move))
    dut.message_barrier()
    dut.keeps_closed(node, move)


@CROSSED
@TRANSPORTS
@inopportune
@requirement("MOPS-6-44", case=1)
def test_success_of_another_host_opens_nothing(node: RoamingNode, dut: Firewall, case: Case, transport: str) -> None:
    """A success from another address than the Migrate went to opens no tuple."""
    needs_opening_on_success(case)
    move = node.move(dut.connect(node, transport))
    request = dut.ask(node, move)
    node.server.send(request, node.server.reply_message(request), node.server.side.station())
    dut.message_barrier()
    dut.keeps_closed(node, move)


@CROSSED
@pytest.mark.parametrize("otherwise", ["ports", "identifier", "one entry more", "addresses", "protocol"])
@invalid
@requirement("MOPS-6-45", case=1)
def test_success_about_something_else_opens_nothing(
    node: RoamingNode, dut: Firewall, case: Case, otherwise: str
) -> None:
    """Successes whose fields are not those of the Migrate open neither what was asked for nor what they name."""
    needs_opening_on_success(case)
    session = dut.connect(node)
    move, named = node.move(session), node.move(session)
    request = dut.ask(node, move)
    ((old, new, number),) = request.entries
    other = named.places[0]
    answers: dict[str, list[dict[str, Any]]] = {
        "ports": [{"entries": [(old, other.port, number)]}, {"entries": [(old ^ 1, new, number)]}],
        "identifier": [{"entries": [(old, new, number ^ 1)]}, {"entries": [(old, new, number ^ 1 << 31)]}],
        "one entry more": [{"entries": [(old, new, number), (old, other.port, number)]}],
        "addresses": [
            {"previous_source": in_mops(node.side.station().address)},
            {"migrated_source": in_mops(other.station.address)},
        ],
        "protocol": [{"protocol": UDP_PROTOCOL}],
    }
    for fields in answers[otherwise]:
        node.server.reply(request, **fields)
    dut.message_barrier()
    asked = move.places[0]
    dut.stays_closed(node, session, asked, other, asked._replace(port=other.port))


@CROSSED
@inopportune
@requirement("MOPS-6-46", case=1)
def test_success_from_the_nodes_side_opens_nothing(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """A success with the server's address as its source that comes from the side of the node opens no tuple."""
    needs_opening_on_success(case)
    move = node.move(dut.connect(node))
    request = dut.ask(node, move)
    node.pretend(node.server.station.address, node.server.reply_message(request), move.places[0].station.address)
    dut.message_barrier()
    dut.keeps_closed(node, move)


@inopportune
@pytest.mark.parametrize("known", [True, False], ids=["known", "unseen"])
@requirement("MOPS-6-58", case=1)
def test_host_opens_nothing_towards_its_neighbour(node: RoamingNode, dut: Firewall, known: bool) -> None:
    """A Migrate that a host inside sends with its neighbour's address as the migrated one opens no tuple there."""
    session = dut.connect(node) if known else node.bring()
    move = node.move(session)
    request = node.send(move, node.request(move), node.station)
    dut.message_barrier()
    node.server.reply(request)
    dut.message_barrier()
    dut.keeps_closed(node, move)


@CROSSED
@inopportune
@requirement("MOPS-6-59", case=1)
def test_migrate_that_dies_opens_nothing(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """A Migrate whose hop limit ends at the device, and a success for it, open no tuple."""
    needs_opening_on_success(case)
    move = node.move(dut.connect(node))
    request = node.send(move, node.request(move), hops=1)
    dut.message_barrier()
    if dut.find(request.sent):
        raise NotApplicable("the device takes no hop: the Migrate has passed")
    node.server.reply(request)
    dut.message_barrier()
    dut.keeps_closed(node, move)


@OUTSIDE
@inopportune
@requirement("MOPS-6-47", case=1)
def test_unseen_session_of_a_server_inside_opens_nothing(node: RoamingNode, dut: Firewall) -> None:
    """A Migrate from the outside for a session that the firewall has never seen, and its success, open no tuple."""
    session = node.bring()
    move = node.move(session)
    request = node.migrate(move)
    dut.message_barrier()
    node.server.reply(request)
    dut.message_barrier()
    dut.keeps_closed(node, move)


@OUTSIDE
@inopportune
@requirement("MOPS-6-63", case=1)
def test_migrate_of_an_unknown_session_is_not_let_in(node: RoamingNode, dut: Firewall) -> None:
    """A Migrate from the outside with another previous port or address, or for another server, does not pass."""
    session = dut.connect(node)
    move = node.move(session)
    ((old, new, number),) = move.entries
    requests = [
        node.send(move, node.request(move, entries=[(old ^ 1, new, number)])),
        node.send(move, node.request(move, previous_source=in_mops(node.side.station().address))),
        node.send(move, node.request(move), to=node.server.side.station().address),
    ]
    dut.message_barrier()
    dut.blocks(*[request.sent for request in requests])
    dut.can_open(node, session)


@OUTSIDE
@valid
@requirement("MOPS-6-64", case=1)
def test_migrate_with_a_known_entry_opens_that_alone(node: RoamingNode, dut: Firewall) -> None:
    """Of a Migrate from the outside with a known and two unknown entries the known one passes, and not the others."""
    known = dut.connect(node)
    unknown = [dut.new_session(node) for _ in range(2)]
    move = node.move(unknown[0], known, unknown[1])
    request = node.migrate(move)
    dut.passes(request.sent)
    dut.passes(node.server.reply(request))
    move.follow(1)
    dut.carries(known)
    dut.blocks(*[dut.inward(node, move.sessions[number], move.places[number]) for number in (0, 2)])
