# SPDX-License-Identifier: GPL-2.0-or-later
"""A session through the proxy: the mobile node's end, the correspondent's, and what both have sent since CONNECT."""

from dataclasses import dataclass, field

from conformance.msocks.tester.dialogue import Dialogue
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer

Identifier = tuple[str, int]
"""BND.ADDR and BND.PORT of the reply to CONNECT, or of the first one to BIND."""


@dataclass
class Session:
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

    @property
    def acknowledged(self) -> int:
        """How much of what the node has sent the proxy has acknowledged on its present mobile side, at the least."""
        return len(self.to_far) - (self.node.snd_nxt - self.node.snd_una) % (1 << 32)

    def attach(self, dialogue: Dialogue) -> None:
        """Go on at another mobile side, whose reply has been taken."""
        self.taken = bytearray(self.received)
        self.dialogue = dialogue
        self.lost_ns = 0
