# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the SACIP cases. They are called in the case's own thread (testbed.run.fixtures)."""

import pytest

from conformance.sacip.tester.node import Node
from testbed.case.case import Case


@pytest.fixture
def node(case: Case) -> Node:
    """The tester as a host that speaks SACIP, at an address of its own. Cases judge what messages the device sends."""
    case.solicited.clear()
    return Node(case)


@pytest.fixture
def other(node: Node, case: Case) -> Node:
    """Another one, of which the first is no business."""
    return Node(case)
