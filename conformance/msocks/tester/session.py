# SPDX-License-Identifier: GPL-2.0-or-later
"""A session through the proxy: the mobile node's end, the correspondent's, and what both have sent since CONNECT."""

from dataclasses import dataclass, field

from conformance.msocks.tester.dialogue import Dialogue
from conformance.msocks.tester.streams import take
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import most_data
from testbed.peers.tcp import TcpPeer

Identifier = tuple[str, int]
"""BND.ADDR and BND.PORT of the reply to CONNECT, or of the first one to BIND."""


@dataclass
class Joined:
    """A session. `syn` is the proxy's SYN as the correspondent host got it.

    `to_far` and `to_node` are all that the applications of both ends have sent; what the node has taken on mobile sides
    that are lost is in `taken`.
    """

    dialogue: Dialogue
    far: TcpPeer
    identifier: Identifier
    syn: Segment
    user: str = ""
    to_far: bytearray = field(default_factory=bytearray)
    to_node: bytearray = field(default_factory=bytearray)
    taken: bytearray = field(default_factory=bytearray)
    missing: int = 0
    """Bytes at the end of what the node has sent on this mobile side that never came to the proxy."""

    lost_ns: int = 0
    """When the mobile side was lost as the proxy can see, 0 where it was not."""

    @property
    def node(self) -> TcpPeer:
        """The node's end of the mobile side."""
        return self.dialogue.peer

    @property
    def received(self) -> bytes:
        """All that the node has received since CONNECT."""
        return bytes(self.taken) + self.dialogue.rest

    # What both ends send

    def node_sends(self, data: bytes, lost: bytes = b"") -> None:
        """The node sends data, and then some that never comes to the proxy."""
        self.to_far += data + lost
        send_in_segments(self.node, data)
        self.node.send_lost(lost)
        self.missing += len(lost)

    def far_sends(self, data: bytes) -> None:
        """The correspondent sends data."""
        self.to_node += data
        send_in_segments(self.far, data)

    # The mobile side

    def lose(self, how: str) -> None:
        """Lose the mobile side: by a reset, or in silence, so that nothing goes to or from there any more."""
        take(self.node)
        if how == "reset":
            node = self.node
            seq = (node.snd_nxt - self.missing) % SEQUENCE_SPACE  # what the proxy expects: no other reset is taken
            self.lost_ns = node.transmit(node.segment("RA", seq=seq)).ns
        if how != "open":
            self.node.drop_incoming()

    def unread(self, count: int) -> None:
        """The last bytes that have come are lost at the node after all; it must not have acknowledged them."""
        del self.node.stream[len(self.node.stream) - count :]

    def attach(self, dialogue: Dialogue) -> Dialogue:
        """Go on at another mobile side, whose reply has been taken; the former one."""
        former = self.dialogue
        self.taken = bytearray(self.received)
        self.dialogue = dialogue
        self.lost_ns = self.missing = 0
        return former


def send_in_segments(peer: TcpPeer, data: bytes) -> None:
    """Send data in segments that the device takes, whatever its window says."""
    for at in range(0, len(data), most_data(peer)):
        peer.send(data[at : at + most_data(peer)])
