# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: Migrate messages that name something that is not there, or that somebody else has."""

from collections.abc import Callable
from typing import Any

import pytest

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode, Session
from layers.mops import FAILED
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.peers.connection import half_open


def refuses(node: MobileNode, server: Server, session: Session, **fields: Any) -> None:
    """The server answers "failed" and the connection stays where it is."""
    request = node.sends(node.migrate(session, **fields))
    server.answers(request, FAILED)
    server.serves(session)


@invalid
@requirement("MOPS-4.1-40", case=1)
def test_wrong_previous_address_is_refused(node: MobileNode, server: Server, case: Case) -> None:
    """Right port and sequence number with another previous address: refused, nothing moves."""
    session = node.connects()
    node.moves()
    refuses(node, server, session, previous_source=case.station().address)


@pytest.mark.parametrize("offset", [1, -1, 256])
@invalid
@requirement("MOPS-4.1-41", case=1)
def test_wrong_previous_port_is_refused(node: MobileNode, server: Server, offset: int) -> None:
    """Right address and sequence number with another previous port: refused, nothing moves."""
    session = node.connects()
    node.moves()
    refuses(node, server, session, entries=[node.entry(session, previous_port=session.peer.port + offset)])


@pytest.mark.parametrize("protocol", [17, 0, 132, 6 + 256, 0x3FFF])
@invalid
@requirement("MOPS-4.1-42", case=1)
def test_wrong_protocol_is_refused(node: MobileNode, server: Server, protocol: int) -> None:
    """A protocol that is not the socket's: refused, nothing moves."""
    session = node.connects()
    node.moves()
    refuses(node, server, session, protocol=protocol)


@pytest.mark.parametrize("end", ["reset", "closed by both"])
@inopportune
@requirement("MOPS-4.1-43", case=1)
def test_closed_connection_is_refused(node: MobileNode, server: Server, end: str) -> None:
    """An entry for a connection that has ended is refused."""
    session = node.connects()
    session.peer.reset() if end == "reset" else server.closes_with(session)
    server.has_gone_on()
    node.moves()
    server.answers(node.sends(node.migrate(session)), FAILED)


@inopportune
@requirement("MOPS-4.1-94", case=1)
def test_half_open_connection_is_refused(node: MobileNode, server: Server, case: Case) -> None:
    """An entry for a connection whose handshake is not complete is refused."""
    peer = half_open(case, node.station)
    node.moves()
    server.answers(node.sends(node.migrate(Session(peer))), FAILED)


@inopportune
@requirement("MOPS-4.1-44", case=1)
def test_migrated_tuple_in_use_is_refused(node: MobileNode, server: Server) -> None:
    """An entry to a tuple that another connection has is refused, and both connections go on."""
    session = node.connects()
    node.moves()
    other = node.connects()
    refuses(node, server, session, entries=[node.entry(session, migrated_port=other.peer.port)])
    server.serves(other)


@inopportune
@requirement("MOPS-4.1-45", case=1)
def test_newcomer_at_the_old_tuple_is_served(node: MobileNode, server: Server) -> None:
    """Somebody else who gets the previous address and port opens a connection to the same service."""
    session = node.connects()
    port = session.peer.port
    node.migrates(session)
    node.returns(node.home)
    server.welcomes(node, port)


@inopportune
@requirement("MOPS-4.1-46", case=1)
def test_newcomer_and_migrated_connection_are_kept_apart(node: MobileNode, server: Server) -> None:
    """A newcomer at the old tuple and the migrated connection each get their own bytes, whoever ends first."""
    session = node.connects()
    port = session.peer.port
    node.migrates(session)
    node.returns(node.home)
    newcomer = server.welcomes(node, port)
    for number in range(3):
        server.serves(session, b"migrated %d" % number)
        server.serves(newcomer, b"newcomer %d" % number)
    newcomer.peer.reset()
    server.serves(session, b"migrated, alone")


@valid
@requirement("MOPS-4.1-47", case=1)
def test_service_goes_on_for_others(node: MobileNode, server: Server) -> None:
    """After a migration the service accepts connections from other addresses and ports."""
    session = node.connects()
    node.migrates(session)
    server.welcomes(node, node.new_port())
    node.moves()
    server.welcomes(node, node.new_port())


@inopportune
@requirement("MOPS-4.1-48", case=1)
def test_one_source_port_with_two_services(node: MobileNode, server: Server, case: Case) -> None:
    """Reported: which of two connections from one address and port moves."""
    agent = case.setup.dut.upper_tester()
    second_port = agent.call("listen", port=0, service="echo")["port"]
    first = node.connects()
    second = node.connects(port=first.peer.port, remote_port=second_port)
    node.moves()
    request = node.sends(node.migrate(second))
    case.values["answer"] = server.hears_out(request)
    case.values["first connection still at the old tuple"] = str(server.is_served(first))
    case.values["second connection still at the old tuple"] = str(server.is_served(second))


@inopportune
@requirement("MOPS-4.1-49", case=1)
def test_migrated_address_is_not_the_packets_source(node: MobileNode, server: Server, case: Case) -> None:
    """Reported: whether a third party's address can be given, so that traffic is redirected to it."""
    session = node.connects()
    node.moves()
    third = case.station()
    request = node.sends(node.migrate(session, migrated_source=third.address))
    said = server.hears_out(request)
    case.values["answer"] = said
    case.values["traffic can be redirected to a third party"] = "yes" if said == "success" else "no"


def zero(case: Case) -> dict[str, Any]:
    return {"migrated_source": 0}


def own_address(case: Case) -> dict[str, Any]:
    return {"migrated_source": case.network.dut}


def all_ones(case: Case) -> dict[str, Any]:
    return {"migrated_source": (1 << 50) - 1 if case.network.name == "ipff" else "255.255.255.255"}


@pytest.mark.parametrize("address", [zero, own_address, all_ones], ids=["zero", "server's own", "all ones"])
@invalid
@requirement("MOPS-4.1-50", case=1)
def test_impossible_migrated_address(
    node: MobileNode, server: Server, case: Case, address: Callable[[Case], dict[str, Any]]
) -> None:
    """Reported: the answer to a migrated address that no mobile node can have."""
    session = node.connects()
    node.moves()
    case.values["answer"] = server.hears_out(node.sends(node.migrate(session, **address(case))))


@invalid
@requirement("MOPS-4.1-50", case=2)
def test_migrated_port_zero(node: MobileNode, server: Server, case: Case) -> None:
    """Reported: the answer to migrated port 0."""
    session = node.connects()
    node.moves()
    entry = (session.peer.port, 0, session.peer.snd_nxt)
    case.values["answer"] = server.hears_out(node.sends(node.migrate(session, entries=[entry])))


@inopportune
@requirement("MOPS-4.1-51", case=1)
def test_migrated_tuple_equals_the_previous_one(node: MobileNode, server: Server, case: Case) -> None:
    """Reported: the answer to a Migrate that changes nothing."""
    session = node.connects()
    entry = node.entry(session, migrated_port=session.peer.port)
    case.values["answer"] = server.hears_out(node.sends(node.migrate(session, entries=[entry])))
    case.values["connection alive"] = str(server.is_served(session))
