# SPDX-License-Identifier: GPL-2.0-or-later
"""One server and one mobile node for all tests of a module that do not need their own."""

from collections.abc import Iterator

import pytest

from tests.lab.host import Lab
from tests.lab.wire import ACK, NETWORKS, RST
from tests.mops.messages import elsewhere
from tests.mops.servers import Surroundings

RATE_LIMIT_S = 0.4
RETRY_INTERVAL_S = 0.15


@pytest.fixture(scope="module")
def host() -> Iterator[Lab]:
    with Lab(mops={"rate_limit_s": RATE_LIMIT_S, "migrate_seq": "window"}) as lab:
        yield lab


@pytest.fixture
def lab(host: Lab) -> Lab:
    """The shared host, nothing left over from the test before."""
    host.wire.take(lambda _: False, 0)
    host.wire.seen.clear()
    return host


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def node() -> Iterator[Lab]:
    mops = {"retry_interval_s": RETRY_INTERVAL_S, "retries": 3, "rate_limit_s": 0.3, "mobile_capable": {"kind": 254}}
    with Lab(role="mobile node", mops=mops) as lab:
        yield lab


@pytest.fixture
def surroundings(node: Lab, network: str) -> Iterator[Surroundings]:
    """The wire of a mobile node that has nothing left of the test before."""
    surroundings = Surroundings(node, network)
    surroundings.move(elsewhere(network, 0x80))
    surroundings.forget_what_moves()
    yield surroundings
    for server in surroundings.servers:
        server.segment(RST | ACK)
    listening = node.call("sockets")
    for connection in listening["connections"]:
        node.call("close", connection=connection["connection"])
    for listener in listening["listeners"]:
        if listener["port"] != 7:
            node.call("close", listener=listener["listener"])
    surroundings.move(elsewhere(network, 0x81))
