# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: errors about sessions, redirects, and Migrates in fragments."""

import pytest

from conformance.mops.claims import needs_opening_on_success
from conformance.mops.dut.firewall import Firewall
from conformance.mops.tester.beyond import ERRORS, REDIRECT, Router
from conformance.mops.tester.crossing import End, Flow, Place, RoamingNode
from conformance.mops.tester.pieces import in_pieces, read_otherwise
from testbed import inopportune, invalid, over, requirement, valid
from testbed.case.case import Case

CROSSED = pytest.mark.parametrize("position", ["crossed"])
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "udp"])


@pytest.fixture
def router(case: Case) -> Router:
    """The tester as a router on the outside."""
    return Router(case)


def _inside_end(node: RoamingNode, session: Flow, place: Place) -> End:
    return session.node_at(place) if node.position == "inside" else session.server_to(place)


@CROSSED
@inopportune
@requirement("MOPS-6-50", case=1)
def test_errors_end_no_rule(node: RoamingNode, dut: Firewall, router: Router) -> None:
    """After errors about packets of the inside, at the migrated tuple and the old one, the session passes."""
    session = dut.connect(node)
    dut.migrate(node, session)
    for error in ERRORS:
        for place in (session.left[-1], session.place):
            router.report(error, _inside_end(node, session, place))
    dut.barrier()
    dut.carries(session)


@CROSSED
@TRANSPORTS
@valid
@requirement("MOPS-6-61", case=1)
def test_errors_about_a_migrated_session_come_in(
    node: RoamingNode, dut: Firewall, router: Router, transport: str
) -> None:
    """Errors about a packet that the inside has sent at the migrated tuple come in."""
    session = dut.connect(node, transport)
    dut.migrate(node, session)
    for error in ERRORS:
        dut.passes(router.report(error, _inside_end(node, session, session.place)))


@CROSSED
@inopportune
@requirement("MOPS-6-62", case=1)
def test_errors_about_no_session_stay_out(node: RoamingNode, dut: Firewall, router: Router) -> None:
    """Errors about a tuple that the session could migrate to, but was not asked to, stay out."""
    session = dut.connect(node)
    place = node.new_place(session.place.station) if node.position == "inside" else node.new_place()
    dut.blocks(*[router.report(error, _inside_end(node, session, place)) for error in ERRORS])


@CROSSED
@inopportune
@requirement("MOPS-6-03", case=11)
def test_redirect_is_told(node: RoamingNode, dut: Firewall, router: Router, case: Case) -> None:
    """Reported: whether a migrated session passes after a Redirect from the outside that is about it."""
    session = dut.connect(node)
    dut.migrate(node, session)
    router.report(REDIRECT, _inside_end(node, session, session.place))
    dut.barrier()
    case.values["after a Redirect the session"] = dut.tells(dut.inward(node, session, session.place))


@over("ipv4")
@pytest.mark.parametrize("position", ["inside", "outside"])
@pytest.mark.parametrize("order", ["the server's first", "the other first"])
@invalid
@requirement("MOPS-6-60", case=1)
def test_overlapping_fragments_open_one_reading(node: RoamingNode, dut: Firewall, case: Case, order: str) -> None:
    """Of a Migrate whose fragments overlap the tuple stays closed that the server has not read, and not agreed to."""
    needs_opening_on_success(case)
    case.explains = lambda _: False
    session = dut.connect(node)
    move, other = node.move(session), node.move(session)
    read = node.request(move)
    unread = read_otherwise(read, other.places[0].port)
    pieces = in_pieces(move, read, unread, first=order == "the other first")
    request = node.send_pieces(move, read, pieces)
    dut.message_barrier()
    node.server.reply(request)
    dut.message_barrier()
    dut.stays_closed(node, session, Place(move.places[0].station, other.places[0].port))


@over("ipv4")
@invalid
@requirement("MOPS-6-60", case=2)
def test_first_fragment_opens_nothing(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """Of a Migrate of which the first fragment alone comes, with the header and an entry, the tuple stays closed."""
    needs_opening_on_success(case)
    case.explains = lambda _: False
    move = node.move(dut.connect(node), dut.connect(node))
    message = node.request(move)
    request = node.send_pieces(move, message, in_pieces(move, message)[:1])
    dut.message_barrier()
    node.server.reply(request)
    dut.message_barrier()
    dut.keeps_closed(node, move)


@over("ipv4")
@valid
@requirement("MOPS-6-81", case=1)
def test_migrate_in_fragments_is_told(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """Reported: whether a Migrate in two fragments passes, and whether its session does after the success."""
    case.explains = lambda _: False
    session = dut.connect(node)
    move = node.move(session, dut.connect(node))
    message = node.request(move)
    request = node.send_pieces(move, message, in_pieces(move, message))
    dut.message_barrier()
    dut.quiesce()
    case.values["Migrate in two fragments"] = "passes" if dut.shows(request) else "does not pass"
    node.server.reply(request)
    dut.message_barrier()
    case.values["its session"] = dut.tells(dut.inward(node, session, move.places[0]))
