# SPDX-License-Identifier: GPL-2.0-or-later
"""A node that moves: what it asks, how often, and what becomes of its connections."""

import itertools

import pytest

from tests.reference.conftest import RETRY_INTERVAL_S as INTERVAL_S
from tests.reference.server import Network, Server, elsewhere, server_address
from tests.reference.wire import RST, TCP, mops_number, number


def test_a_connection_goes_on_after_a_move(network: Network, carriage: str) -> None:
    server = Server(network, server_address(carriage))
    assert server.works()
    home = network.node
    network.move(elsewhere(carriage))
    request = network.request()
    assert request is not None
    assert (request.code, request.protocol) == (0, TCP)
    assert request.heard.source == number(network.node)
    assert request.heard.destination == number(server.address)
    assert (request.previous, request.migrated) == (mops_number(home), mops_number(network.node))
    assert request.entries == [(server.node_port, request.entries[0][1], server.rcv_nxt)]
    server.says(b"held")
    assert server.hears(timeout=0.05) is None, "nothing before the reply"
    server.moved(request)
    network.reply(request)
    assert server.receive(4) == b"held"
    assert server.works()
    assert network.request(INTERVAL_S * 2) is None


def test_the_sequence_number_counts_what_is_not_acknowledged(network: Network, carriage: str) -> None:
    server = Server(network, server_address(carriage))
    server.says(b"lost on the way")
    assert server.receive(15, acknowledge=False)
    network.move(elsewhere(carriage))
    request = network.request()
    assert request is not None
    assert request.entries[0][2] == server.rcv_nxt + 15
    server.moved(request)
    network.reply(request)
    assert server.receive(15) == b"lost on the way"


def test_a_request_is_repeated_and_then_the_socket_is_dead(network: Network, carriage: str) -> None:
    server = Server(network, server_address(carriage))
    waiting = network.lab.start("receive", connection=server.connection, length=10, timeout_s=5)
    network.move(elsewhere(carriage))
    requests = [network.request() for _ in range(4)]
    assert all(request is not None and request.raw == requests[0].raw for request in requests)
    times = [request.heard.at for request in requests if request is not None]
    assert all(abs(later - time - INTERVAL_S) < 0.05 for time, later in itertools.pairwise(times))
    with pytest.raises(LookupError) as caught:
        network.lab.result(waiting)
    assert caught.value.args[1].startswith("ECONNRESET")
    for verb, more in (("receive", {"length": 1}), ("send", {"data": "00"})):
        with pytest.raises(LookupError, match="ECONNRESET"):
            network.lab.call(verb, connection=server.connection, **more)
    network.reply(requests[0])
    assert [one for one in network.quiet(INTERVAL_S * 1.5) if not (one.protocol == TCP and one.flags & RST)] == []
