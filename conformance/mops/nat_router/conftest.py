# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the cases for NAT routers. They are called in the case's own thread (testbed.run.fixtures)."""

from collections.abc import Iterator

import pytest

from conformance.mops.dut.acknowledging import Mapping
from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.tester.sides import Node, Server, Upstream
from testbed.case.case import Case


@pytest.fixture
def node(case: Case) -> Node:
    """The tester as a mobile node on the inside."""
    return Node(case)


@pytest.fixture
def server(case: Case) -> Server:
    """The tester as a server on the outside."""
    return Server(case)


@pytest.fixture
def upstream(case: Case) -> Upstream:
    """The tester as a NAT router on the outside."""
    return Upstream(case)


@pytest.fixture
def dut(case: Case) -> Iterator[NatRouter]:
    """The device under test; a case that takes longer than it keeps mappings says nothing."""
    made = NatRouter(case)
    yield made
    made.check_in_time()


@pytest.fixture
def mapping(node: Node, server: Server, dut: NatRouter) -> Mapping:
    """A mapping of the node that has been acknowledged."""
    made = dut.maps(node.at(), server)
    dut.is_acknowledged(made)
    return made
