# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: sessions of a node inside with an anycast server, which is asked at its unicast address."""

from collections.abc import Callable

import pytest

from conformance.mops.dut.firewall import Firewall
from conformance.mops.tester.beyond import AnycastServer
from conformance.mops.tester.crossing import Flow, RoamingNode, aimed, placed
from testbed import requirement, valid
from testbed.case.expect import preamble

TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "udp"])
MOVES = 2


def _moves(node: RoamingNode, dut: Firewall, transport: str, then: Callable[[Flow, AnycastServer], None]) -> None:
    """An acknowledged session is migrated twice by way of the server's own address; what comes after each move."""
    session, server = dut.connect(node, transport), AnycastServer(node)
    dut.hear(server.acknowledge(session))
    for _ in range(MOVES):
        move = node.move(session)
        message = node.request(move)
        with preamble():
            request = node.send(move, message, to=server.unicast.address)
            dut.passes(request.sent)
        dut.hear(node.server.send(request, node.server.reply_message(request), server.unicast))
        move.follow()
        then(session, server)


@TRANSPORTS
@valid
@requirement("MOPS-6-82", case=1)
def test_session_passes_at_the_unicast_address(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """After each of two moves the session passes with the server's own address, the node's packets first."""

    def passes_there(session: Flow, server: AnycastServer) -> None:
        own = server.unicast
        session.server = placed(session.server, own, session.server.port)
        session.node = aimed(session.node, own.address, session.server.port)
        dut.carries(session, first="node")

    _moves(node, dut, transport, passes_there)


@TRANSPORTS
@valid
@requirement("MOPS-6-83", case=1)
def test_session_passes_at_the_anycast_address(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """After each of two moves the session passes with the anycast address, the node's packets first."""
    _moves(node, dut, transport, lambda session, _: dut.carries(session, first="node"))
