# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of both sides of a connection (RFC 9293, 3.8.6): the tester announces its own, and fills the device's."""

from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import NotApplicable
from testbed.peers.connection import await_state
from testbed.peers.host import Host
from testbed.peers.stream import most_data, room
from testbed.peers.tcp import TcpPeer

PROBE = 1
"""Bytes that may come though the window is shut (RFC 9293, 3.8.6.1)."""

_MOST_TO_FILL = 400


def announce(dut: Host, peer: TcpPeer, window: int) -> None:
    """Have the device know of a window, in units of its scale.

    The second segment follows the first in sequence: a sender may leave a narrower window alone that comes with numbers
    which it has had before, as Linux does.
    """
    peer.send(b".", window=window)
    peer.acknowledge(window=window)
    dut.barrier()
    peer.read()


def fill(case: Case, peer: TcpPeer) -> bytes:
    """Send until the device's window is full; what was sent. NotApplicable where it does not fill."""
    sent = bytearray()
    for number in range(_MOST_TO_FILL):
        size = min(most_data(peer), room(peer))
        if size <= 0:
            return bytes(sent)
        data = bytes([number % 251]) * size
        peer.send(data)
        sent += data
        _await_all_taken(case, peer)
    raise NotApplicable(f"the device's window is not full after {len(sent)} bytes that nobody reads")


def _await_all_taken(case: Case, peer: TcpPeer) -> None:
    deadline = case.deadline()
    if await_state(case, peer, deadline, lambda: peer.snd_una == peer.snd_nxt) is None:
        raise Broken(Finding("data to an application that does not read", "acknowledged", "not"), deadline)
