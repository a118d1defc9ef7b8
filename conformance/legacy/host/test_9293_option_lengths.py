# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293, 3.1, MUST-7: options of an illegal length."""

import pytest

from conformance.legacy.dut.host import LegacyHost
from conformance.legacy.tester.node import Node
from conformance.legacy.tester.options import MIGRATE, MIGRATE_PERMITTED, MOBILE_CAPABLE, REHASH, Kind
from testbed import invalid, requirement

KINDS = pytest.mark.parametrize("option", [REHASH, MOBILE_CAPABLE, MIGRATE_PERMITTED, MIGRATE], ids=str)
LENGTHS = pytest.mark.parametrize("length", [0, 1, 5, 255])
"""Of an option of four bytes at the end of the header: 5 is one too many."""

SEGMENTS = pytest.mark.parametrize("segment", ["SYN", "data"])


@KINDS
@LENGTHS
@SEGMENTS
@invalid
@requirement("LEGACY-9293.3.1-08", case=1)
def test_other_connections_continue(node: Node, dut: LegacyHost, option: Kind, length: int, segment: str) -> None:
    """A connection of the same peer continues after an option of illegal length on another one."""
    other = node.connect()
    node.send_malformed(option, length, segment)
    dut.serves(other)


@KINDS
@LENGTHS
@SEGMENTS
@invalid
@requirement("LEGACY-9293.3.1-08", case=2)
def test_new_connections_open(node: Node, dut: LegacyHost, option: Kind, length: int, segment: str) -> None:
    """A new connection of the same peer opens after an option of illegal length."""
    node.send_malformed(option, length, segment)
    dut.accepts_new_connection(node.peer())
