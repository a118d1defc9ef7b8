# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy under test as what splices: acknowledgements, and what is mapped."""

from collections.abc import Callable

from conformance.msocks.dut.relay import Relay
from conformance.msocks.tester.session import Joined
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive
from testbed.peers.segment import Segment
from testbed.peers.sequence import after
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame


class Splicer(Relay):
    """The device under test, as far as its acknowledgements go."""

    def segments_at(self, peer: TcpPeer) -> list[Segment]:
        """Every segment that has come to an end."""
        found = (peer.segment_in(frame) for frame in self._case.trace.received())
        return [one for one in found if one]

    def shows_at_node(self, session: Joined) -> None:
        """All that the correspondent has sent is seen at the mobile side, which acknowledges none of it; preamble."""
        self._shows(session.node, lambda: len(session.received) >= len(session.to_node))

    def shows_at_far(self, session: Joined) -> None:
        """All that the node has sent is seen at the correspondent, which acknowledges none of it; preamble."""
        self._shows(session.far, lambda: len(session.far.stream) >= len(session.to_far))

    def shows_a_gap(self, session: Joined) -> None:
        """Data that came ahead of its turn is seen at the node; preamble."""
        node = session.node
        self._shows(node, lambda: any(after(one.seq, node.rcv_nxt) > 0 for one in self.segments_at(node)))

    def _shows(self, peer: TcpPeer, reached: Callable[[], bool]) -> None:
        last: list[Frame] = []

        def look() -> Frame | None:
            last.extend(peer.read())
            return last[-1] if last and reached() else None

        if self._case.look(look, self._case.deadline()) is None:
            raise Inconclusive(f"preamble: the data of the other end does not come to {peer}")

    def waits_for_the_node(self, session: Joined, data: bytes) -> None:
        """Data of the correspondent is acknowledged to it when the node has acknowledged it, and not before."""
        session.far_sends(data)
        self.shows_at_node(session)
        self.acknowledges_nothing(session.far)
        session.node.acknowledge()
        self.acknowledges_all(session.far)

    def acknowledges_nothing(self, peer: TcpPeer) -> None:
        """In a quiet time nothing is acknowledged to an end of what it has sent last."""
        self.quiesce()
        peer.read()
        if peer.snd_una != peer.snd_nxt:
            return
        segment = next(one for one in reversed(self.segments_at(peer)) if one.ack == peer.snd_nxt)
        require(False, "acknowledgement", "none before that of the other end", segment.ack, segment.frame)

    def acknowledges_all(self, peer: TcpPeer) -> None:
        """All that an end has sent is acknowledged to it in time."""
        deadline = self._case.deadline()
        if not self.comes_to(peer, lambda: peer.snd_una == peer.snd_nxt, deadline):
            raise Broken(Finding(f"acknowledgement at {peer}", "of all", "of less"), deadline)

    def brings_sack(self, session: Joined) -> Segment:
        """A segment with a block of a selective acknowledgement comes to the correspondent."""
        deadline = self._case.deadline()

        def look() -> Frame | None:
            return next((one.frame for one in self.segments_at(session.far) if one.sack), None)

        if self._case.look(look, deadline) is None:
            raise Broken(Finding(f"no SACK at {session.far}", "a block", "none"), deadline)
        return next(one for one in self.segments_at(session.far) if one.sack)
