# SPDX-License-Identifier: GPL-2.0-or-later
"""Sequence numbers of a Migrate in relation to the server's receive window (readings of section 4.1)."""

from conformance.mops.tester.mobile_node import Connection
from testbed.case.case import Case
from testbed.interruptions import NotApplicable
from testbed.peers.sequence import SEQUENCE_SPACE, after

HALF_THE_SPACE = 1 << 31
EDGE = "edge"
"""The number after the last byte of the window: a peer that has filled it stands there."""


def inside_window(case: Case, connection: Connection, offset: int | str) -> int:
    """How far ahead of RCV.NXT to ask, inside the window as announced. NotApplicable where it is too small for that."""
    window = connection.local.window
    if offset == EDGE:
        return window
    if window < 2 and int(offset):
        raise NotApplicable(f"the device announces a window of {window} bytes")
    return min(int(offset), window - 1)


def margin(connection: Connection) -> int:
    """How far beyond its announced window a server may still accept: what a scale cuts off, or a segment more."""
    peer = connection.local
    return max(1 << peer.scale, peer.largest)


def beyond_window(connection: Connection, further: int = 0) -> int:
    """The nearest number above RCV.NXT that is refused in any case, or one further away."""
    return connection.local.window + margin(connection) + further


def below_window(connection: Connection) -> int:
    """The nearest number below RCV.NXT that is refused in any case."""
    return -beyond_window(connection, 1)


def wrong_numbers(case: Case, connection: Connection) -> list[int]:
    """Sequence numbers that the server has to refuse, of each kind: below, above, half the space away."""
    near = -1 if refuses_below(case) else below_window(connection)
    offsets = (near, beyond_window(connection, margin(connection)), HALF_THE_SPACE)
    return [(connection.local.snd_nxt + offset) % SEQUENCE_SPACE for offset in offsets]


def wrong_number(case: Case, connection: Connection, row: int = 0) -> int:
    """One of them, another for each row of a table."""
    return wrong_numbers(case, connection)[row % 3]


def is_refused(connection: Connection, number: int) -> bool:
    """Whether every server that compares sequence numbers refuses this one."""
    return not below_window(connection) < after(number, connection.local.snd_una) < beyond_window(connection)


def refuses_below(case: Case) -> bool:
    """Whether the server refuses every number below RCV.NXT, near ones included."""
    mops = case.setup.profile.ixit.mops
    return bool(mops.migrate_seq == "exact" or mops.migrate_seq_below == "refused")
