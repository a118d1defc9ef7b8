# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: what does not pass from the outside, before a move and after it."""

import pytest

from conformance.mops.dut.firewall import Firewall
from conformance.mops.tester.crossing import End, Flow, Place, RoamingNode, aimed, placed, probe
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.peers.sequence import SEQUENCE_SPACE

BOTH = pytest.mark.parametrize("position", ["inside", "outside"])
CROSSED = pytest.mark.parametrize("position", ["crossed"])
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "udp"])


@BOTH
@TRANSPORTS
@inopportune
@requirement("MOPS-6-07", case=1)
def test_migrated_tuple_is_closed_before(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """The session's next data from the outside does not pass at a tuple for which no Migrate was sent."""
    session = dut.connect(node, transport)
    dut.keeps_closed(node, node.move(session))


@CROSSED
@inopportune
@requirement("MOPS-6-07", case=2)
def test_next_migrated_tuple_is_closed_before(node: RoamingNode, dut: Firewall) -> None:
    """After a move the tuple of the next one is closed as that of the first was."""
    session = dut.connect(node)
    dut.migrate(node, session)
    dut.keeps_closed(node, node.move(session))


def _elsewhere(node: RoamingNode, session: Flow, what: str) -> End:
    """The outside end of a session as it would send to or from a tuple that differs in one part."""
    other_port, place = Place(session.place.station, node.new_port()), session.place
    beside = Place(node.side.station(), place.port)
    server = session.server
    if node.position == "inside":
        if what == "other peer":
            return aimed(placed(server, node.server.side.station(), server.port), place.station.address, place.port)
        return session.server_to(other_port if what == "other port" else beside)
    if what == "other peer":
        end = session.node_at(place)
        return aimed(end, node.server.side.station().address, end.remote_port)
    return session.node_at(other_port if what == "other port" else beside)


@CROSSED
@TRANSPORTS
@inopportune
@requirement("MOPS-6-09", case=1)
def test_nothing_beside_the_migrated_tuple_passes(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """After a success nothing passes at another port or address of the node's side, nor from another address."""
    session = dut.connect(node, transport)
    dut.migrate(node, session)
    dut.blocks(*[probe(_elsewhere(node, session, what)) for what in ("other port", "other address", "other peer")])


@inopportune
@requirement("MOPS-6-09", case=2)
def test_unseen_session_opens_for_its_server_alone(node: RoamingNode, dut: Firewall) -> None:
    """Before the first packet of a session that was opened elsewhere no other address than its server's passes."""
    session = node.bring()
    dut.migrate(node, session, used=False)
    dut.blocks(probe(_elsewhere(node, session, "other peer")))
    dut.can_open(node, session)


@CROSSED
@inopportune
@requirement("MOPS-6-43", case=1)
def test_no_connection_is_opened_at_the_migrated_tuple(node: RoamingNode, dut: Firewall) -> None:
    """A SYN from the outside does not pass at the migrated tuple, before the session has passed there nor after."""
    session = dut.connect(node)
    dut.migrate(node, session, used=False)
    end = session.connection[node.position == "inside"]
    first = end.transmit(end.segment("S", seq=(end.snd_nxt + 100_000) % SEQUENCE_SPACE))
    dut.use(session)
    dut.blocks(first, end.transmit(end.segment("S", seq=(end.snd_nxt + 200_000) % SEQUENCE_SPACE)))
    dut.can_open(node, session)


@CROSSED
@inopportune
@requirement("MOPS-6-48", case=1)
def test_old_tuple_is_closed_after_the_success(node: RoamingNode, dut: Firewall) -> None:
    """From the outside the session's next data does not pass at the tuple that it has left."""
    session = dut.connect(node)
    dut.migrate(node, session)
    dut.stays_closed(node, session, session.left[-1])


@CROSSED
@TRANSPORTS
@inopportune
@requirement("MOPS-6-74", case=1)
def test_no_other_port_of_the_server_passes(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """Another port of the server's does not pass at the migrated tuple of a session that the firewall has seen."""
    session = dut.connect(node, transport)
    dut.migrate(node, session, used=False)
    if node.position == "inside":
        other = aimed(placed(session.server, session.server.station, node.new_port()), *session.address)
    else:
        other = aimed(session.node_at(session.place), session.node.remote, node.new_port())
    dut.blocks(probe(other))
    dut.can_open(node, session)


@valid
@CROSSED
@requirement("MOPS-6-14", case=1)
def test_old_tuple_is_told(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """Reported: whether data passes at the old tuple after the success, from the outside and from the inside."""
    session = dut.connect(node)
    dut.migrate(node, session)
    old = session.left[-1]
    ends = {"node": session.node_at(old), "server": session.server_to(old)}
    for name, end in ends.items():
        case.values[f"old tuple, from the {name}"] = dut.tells(probe(end))


@valid
@requirement("MOPS-6-79", case=1)
def test_mid_stream_pick_up_is_told(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """Reported: whether a segment of a connection passes that the firewall has not seen opening."""
    for name in ("outside", "inside"):
        session = node.bring()
        session.follow(node.new_place())
        end = session.server if name == "outside" else session.node
        case.values[f"mid-stream, from the {name}"] = dut.tells(probe(end))
