# SPDX-License-Identifier: GPL-2.0-or-later
"""One host for all tests of a module that do not need their own."""

from collections.abc import Iterator

import pytest

from tests.reference.lab import Lab
from tests.reference.rehash_peer import home
from tests.reference.server import Surroundings, elsewhere
from tests.reference.wire import ACK, NETWORKS, RST

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


@pytest.fixture(scope="module")
def rehash_host() -> Iterator[Lab]:
    with Lab(role="host", rehash={"option_kind": 253, "max_retries": 5, "init_reissues": 3}) as lab:
        yield lab


@pytest.fixture
def mover(rehash_host: Lab) -> Lab:
    """The shared Rehash host, at its first address."""
    home(rehash_host)
    rehash_host.wire.take(lambda _: False, 0)
    rehash_host.wire.seen.clear()
    return rehash_host


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
    surroundings.quiet(0.01)
    surroundings.seen.clear()
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
