# SPDX-License-Identifier: GPL-2.0-or-later
"""A node that moves: what it asks, how often, and what becomes of its connections."""

import itertools
import re
import socket

import pytest

from tests.lab.host import Lab
from tests.lab.wire import ACK, RST, TCP, mops_number, number
from tests.mops.conftest import RETRY_INTERVAL_S as INTERVAL_S
from tests.mops.messages import anycast_acknowledgement, elsewhere, nat_acknowledgement, server_address
from tests.mops.servers import Caller, Server, Surroundings

CAPABLE = bytes.fromhex("fe044d4f")


def test_a_connection_goes_on_after_a_move(surroundings: Surroundings, network: str) -> None:
    server = Server(surroundings, server_address(network))
    assert server.works()
    home = surroundings.node
    surroundings.move(elsewhere(network))
    request = surroundings.request()
    assert request is not None
    assert (request.code, request.protocol) == (0, TCP)
    assert request.heard.source == number(surroundings.node)
    assert request.heard.destination == number(server.address)
    assert (request.previous, request.migrated) == (mops_number(home), mops_number(surroundings.node))
    assert request.entries == [(server.node_port, request.entries[0][1], server.rcv_nxt)]
    server.says(b"held")
    assert server.hears(timeout=0.05) is None, "nothing before the reply"
    server.moved(request)
    surroundings.reply(request)
    assert server.receive(4) == b"held"
    assert server.works()
    assert surroundings.request(INTERVAL_S * 2) is None


def test_the_sequence_number_counts_what_is_not_acknowledged(surroundings: Surroundings, network: str) -> None:
    server = Server(surroundings, server_address(network))
    server.says(b"lost on the way")
    assert server.receive(15, acknowledge=False)
    surroundings.move(elsewhere(network))
    request = surroundings.request()
    assert request is not None
    assert request.entries[0][2] == server.rcv_nxt + 15
    server.moved(request)
    surroundings.reply(request)
    assert server.receive(15) == b"lost on the way"


def test_a_request_is_repeated_and_then_the_socket_is_dead(surroundings: Surroundings, network: str) -> None:
    server = Server(surroundings, server_address(network))
    waiting = surroundings.lab.start("receive", connection=server.connection, length=10, timeout_s=5)
    surroundings.move(elsewhere(network))
    requests = [surroundings.request() for _ in range(4)]
    assert all(request is not None and request.raw == requests[0].raw for request in requests)
    times = [request.heard.at for request in requests if request is not None]
    assert all(abs(later - time - INTERVAL_S) < 0.05 for time, later in itertools.pairwise(times))
    with pytest.raises(LookupError) as caught:
        surroundings.lab.result(waiting)
    assert caught.value.args[1].startswith("ECONNRESET")
    for verb, more in (("receive", {"length": 1}), ("send", {"data": "00"})):
        with pytest.raises(LookupError, match="ECONNRESET"):
            surroundings.lab.call(verb, connection=server.connection, **more)
    surroundings.reply(requests[0])
    assert [one for one in surroundings.quiet(INTERVAL_S * 1.5) if not (one.protocol == TCP and one.flags & RST)] == []


def test_failed_for_some_ports_ends_these_only(surroundings: Surroundings, network: str) -> None:
    servers = [Server(surroundings, server_address(network)) for _ in range(3)]
    surroundings.move(elsewhere(network))
    request = surroundings.request()
    assert request is not None
    by_port = {entry[0]: entry for entry in request.entries}
    dead = by_port[servers[1].node_port]
    surroundings.reply(request, 3, entries=[dead])
    assert servers[0].works()
    assert servers[2].works()
    with pytest.raises(LookupError, match="ECONNRESET"):
        surroundings.lab.call("receive", connection=servers[1].connection, length=1, timeout_s=1)
    assert surroundings.request(INTERVAL_S * 1.5) is None


def test_a_node_moves_on_before_an_answer_and_back(surroundings: Surroundings, network: str) -> None:
    server = Server(surroundings, server_address(network))
    home = surroundings.node
    surroundings.move(elsewhere(network, 1))
    first = surroundings.request()
    surroundings.move(elsewhere(network, 2))
    second = surroundings.request()
    assert first is not None
    assert second is not None
    assert (second.previous, second.migrated) == (mops_number(home), mops_number(surroundings.node))
    surroundings.reply(first)
    assert surroundings.quiet(0.02) == []
    surroundings.reply(second)
    server.moved(second)
    assert server.works()
    surroundings.move(home)
    third = surroundings.request()
    assert third is not None
    assert third.previous == second.migrated
    surroundings.reply(third)
    server.moved(third)
    assert server.works()


def test_the_other_network_is_left_alone(surroundings: Surroundings, network: str) -> None:
    other = "ipv4" if network == "ipff" else "ipff"
    here, there = Server(surroundings, server_address(network)), Surroundings(surroundings.lab, other)
    there.move(elsewhere(other, 0x82))
    untouched = Server(there, server_address(other))
    surroundings.move(elsewhere(network))
    request = surroundings.request()
    assert request is not None
    assert untouched.works()
    surroundings.reply(request)
    here.moved(request)
    assert here.works()
    untouched.segment(RST | ACK)


def test_neighbours_hear_of_the_new_address_only(node: Lab) -> None:
    surroundings = Surroundings(node, "ipv4")
    surroundings.move(elsewhere("ipv4", 3))
    home = surroundings.node
    surroundings.move(elsewhere("ipv4", 4))
    surroundings.quiet(0.02)
    assert surroundings.announced[-1] == socket.inet_aton(surroundings.node)
    assert not surroundings.resolves(home)
    assert surroundings.resolves(surroundings.node)


def test_a_node_accepts_connections_at_its_new_address_and_they_move(surroundings: Surroundings, network: str) -> None:
    peer = Caller(surroundings, server_address(network), 3000, 7)
    surroundings.move(elsewhere(network))
    request = surroundings.request()
    assert request is not None
    assert request.entries == [(7, 7, peer.rcv_nxt)]
    surroundings.reply(request)
    peer.send(b"echo")
    assert peer.receive(4) == b"echo"
    newcomer = Caller(surroundings, server_address(network), 3001, 7)
    newcomer.send(b"new")
    assert newcomer.receive(3) == b"new"


@pytest.mark.parametrize(
    ("address", "reason"),
    [("1.2.3", "octets"), ("198.19.300.1", "Octet"), ("10.0.0.1", "no address for a host")],
)
def test_nowhere_to_move_to(node: Lab, address: str, reason: str) -> None:
    with pytest.raises(LookupError) as caught:
        node.call("move", address=address)
    assert re.search(reason, caught.value.args[1], re.I), caught.value.args[1]


# NAT, anycast, MOBILE_CAPABLE ----------------------------------------------------------------------------------------


def test_the_outermost_translation_is_named(surroundings: Surroundings, network: str) -> None:
    """Appendix B, the addresses cut to what the network can carry."""
    inner, outer = ("10.0.0.0.1", "525.8.78.2.2") if network == "ipff" else ("10.0.0.1", "198.51.100.2")
    server = Server(surroundings, server_address(network))
    surroundings.message(server_address(network, 9), nat_acknowledgement(2, inner, outer, [(5050, 6050)]))
    surroundings.message(
        server_address(network, 9), nat_acknowledgement(1, surroundings.node, inner, [(server.node_port, 5050)])
    )
    assert surroundings.quiet(0.02) == []
    surroundings.move(elsewhere(network))
    request = surroundings.request()
    assert request is not None
    assert (request.previous, request.entries[0][0]) == (mops_number(outer), 6050)
    surroundings.reply(request)
    server.moved(request)
    assert server.works()


def test_an_anycast_server_is_found_at_its_unicast_address(surroundings: Surroundings, network: str) -> None:
    server, unicast = Server(surroundings, server_address(network)), server_address(network, 2)
    surroundings.message(server.address, anycast_acknowledgement(server.address, unicast, server.node_port, 80))
    assert server.works()
    surroundings.move(elsewhere(network))
    request = surroundings.request()
    assert request is not None
    assert request.heard.destination == number(unicast)
    surroundings.reply(request)
    server.moved(request)
    server.address = unicast
    assert server.works()


@pytest.mark.parametrize("answers", [True, False])
def test_mobile_capable_is_on_the_handshake(surroundings: Surroundings, network: str, answers: bool) -> None:
    server = Server(surroundings, server_address(network), options=CAPABLE if answers else b"")
    assert CAPABLE in server.syn.options
    assert server.ack is not None
    assert (CAPABLE in server.ack.options) == answers
    assert server.works()


def test_mobile_capable_answers_only_what_asks(surroundings: Surroundings, network: str) -> None:
    for options in (CAPABLE, b"\x01\x01\x01\x01"):
        caller = Caller(surroundings, server_address(network), 3000 + options[0], 7, options)
        assert (CAPABLE in caller.answer.options) == (options == CAPABLE)
        caller.send(b"echo")
        assert caller.receive(4) == b"echo"
