# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy under test between two ends: the streams through it, their closes, and what the correspondent sees."""

from collections.abc import Callable, Sequence

from conformance.msocks.dut.socks import SocksServer
from conformance.msocks.tester.client import Client, random_data
from conformance.msocks.tester.correspondent import Correspondent
from conformance.msocks.tester.dialogue import PASSWORD
from conformance.msocks.tester.session import Joined
from conformance.msocks.tester.streams import Flow, carry, require_stream, take
from layers.msocks import Socks5Greeting
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.peers.connection import await_state, new_peer
from testbed.peers.segment import Segment
from testbed.peers.stream import most_data, room
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame
from testbed.wire.clock import Deadline

SMALL = 200
"""Bytes of what shows that a session lives."""

FULL_S = 0.4
"""A window that has stayed shut for so long is taken to be shut for good."""


class Relay(SocksServer):
    """The device under test as what joins two connections."""

    def serves_anew(self, far: Correspondent | None = None) -> Joined:
        """A new client is served: greeting, CONNECT, and data both ways."""
        client = Client(self._case, *self._case.inside.stations[:1])
        dialogue, wanted = client.call(), client.method()
        dialogue.send(Socks5Greeting(methods=[wanted]))
        self.selects(dialogue, {wanted})
        if wanted == PASSWORD:
            client.log_in(dialogue, client.users()[0])
        far = far or Correspondent(self._case, *self._case.outside.stations[:1])
        since = self.mark()
        dialogue.send(far.request())
        session = self.connects(dialogue, far, since)
        self.carries(session)
        return session

    def serves_an_ordinary_client(self) -> None:
        """That nothing was served says something: a new client is, as preamble."""
        with preamble():
            self.serves_anew()

    def is_open(self, far: Correspondent, address: str, port: int) -> tuple[TcpPeer, Segment]:
        """A correspondent can connect to where the proxy listens; its end, and the SYN-ACK."""
        peer = new_peer(self._case, far.station, far.port, port, checks_source=True)
        peer.remote = address
        deadline = self._case.deadline(since_ns=peer.start().ns)
        frame = await_state(self._case, peer, deadline, lambda: peer.state != "SYN-SENT")
        segment = peer.segment_in(frame) if frame else None
        if segment is None or peer.state != "ESTABLISHED":
            raise Broken(Finding(f"SYN to {address}:{port}", "a SYN-ACK", peer.state), deadline)
        peer.acknowledge()
        return peer, segment

    # Streams

    def carries(self, session: Joined, to_far: bytes | None = None, to_node: bytes | None = None) -> None:
        """Data of both ends comes to the other, byte for byte, both ways at once."""
        outward = random_data(SMALL) if to_far is None else to_far
        inward = random_data(SMALL) if to_node is None else to_node
        session.to_far += outward
        session.to_node += inward
        self.brings_all(session, outward, inward)

    def brings_all(self, session: Joined, outward: bytes = b"", inward: bytes = b"") -> None:
        """All that either end has sent has come to the other; the last of it is yet to be sent."""
        flows = (
            Flow(session.node, session.far, bytes(session.to_far)),
            Flow(session.far, session.node, bytes(session.to_node)[len(session.taken) :], session.dialogue.at),
        )
        for flow, left in zip(flows, (outward, inward), strict=True):
            flow.sent = len(flow.data) - len(left)
        carry(self._case, *flows)

    def brings_to_far(self, session: Joined) -> None:
        """All that the node has sent has come to the correspondent."""
        self.brings_all_of(session, Flow(session.node, session.far, bytes(session.to_far)))

    def brings_to_node(self, session: Joined) -> None:
        """All that the correspondent has sent has come to the node."""
        data = bytes(session.to_node)[len(session.taken) :]
        self.brings_all_of(session, Flow(session.far, session.node, data, session.dialogue.at))

    def brings_all_of(self, session: Joined, flow: Flow) -> None:
        """All of a flow, which has been sent, has come."""
        flow.sent = len(flow.data)
        carry(self._case, flow)

    def lives(self, *sessions: Joined) -> None:
        """Sessions carry data both ways, as preamble."""
        with preamble():
            for session in sessions:
                self.carries(session)

    # What the correspondent sees

    def stays_unbroken(self, *sessions: Joined) -> None:
        """The correspondent has seen one connection each: no other SYN, no FIN, no RST, all from one tuple."""
        known = {(one.far.station.address, one.far.port): one for one in sessions}
        for frame in self._case.trace.received():
            segment = Segment.read(frame, self._case.outside.network)
            session = known.get((segment.destination, segment.destination_port)) if segment else None
            if segment is None or session is None or ("S" in segment.flags and segment.seq == session.syn.seq):
                continue
            what, frames = f"segment at {session.far} after the handshake", (segment.frame, session.syn.frame)
            for flag, name in (("S", "SYN"), ("F", "FIN"), ("R", "RST")):
                require(flag not in segment.flags, what, f"no {name}", segment.flags, *frames)
            ends, source = (segment.source, segment.source_port), (session.far.remote, session.far.remote_port)
            require(ends == source, what, f"from {source}", ends, *frames)

    def tells_far_of_the_end(self, session: Joined, within_s: float | None = None) -> Frame:
        """FIN or RST comes to the correspondent in time."""
        return self._comes(session, lambda: session.far.state in ("CLOSE-WAIT", "RESET"), "FIN or RST", within_s)

    def tells_far_of_a_close(self, session: Joined) -> Frame:
        """A FIN comes to the correspondent in time."""
        return self._comes(session, lambda: session.far.state == "CLOSE-WAIT", "FIN", None)

    def _comes(self, session: Joined, reached: Callable[[], bool], what: str, within_s: float | None) -> Frame:
        far, deadline = session.far, self._case.deadline(within_s)
        last: list[Frame] = []

        def look() -> Frame | None:
            if frame := take(far):
                last.append(frame)
            return last[-1] if last and (reached() or far.state == "RESET") else None

        if not reached():
            self._case.look(look, deadline)
        if not reached():
            raise Broken(Finding(f"no {what} at {far} within {deadline.within_s:g} s", what, far.state), deadline)
        return last[-1] if last else session.syn.frame

    def tells_node_of_a_close(self, session: Joined) -> None:
        """A FIN comes to the node in time."""
        deadline = self._case.deadline()
        if not session.dialogue.ends(deadline) or session.node.state != "CLOSE-WAIT":
            raise Broken(Finding(f"no FIN at {session.node}", "a FIN", session.node.state), deadline)

    def tells_node_of_the_end(self, session: Joined) -> None:
        """FIN or RST comes to the node in time."""
        deadline = self._case.deadline()
        if not session.dialogue.ends(deadline):
            raise Broken(Finding(f"no FIN or RST at {session.node}", "FIN or RST", session.node.state), deadline)

    def half_closes(self, session: Joined, end: str, data: bytes = b"what is left") -> None:
        """A FIN after data comes after all of it; the other direction still carries data, and its FIN comes."""
        one, other = (session.node, session.far) if end == "node" else (session.far, session.node)
        flow, deadline = Flow.of(one, other, data), self._case.deadline()
        flow.push()
        one.finish()
        self.comes_to(other, lambda: other.state in ("CLOSE-WAIT", "RESET"), deadline)
        require_stream(other, flow.came, data, deadline)
        if other.state != "CLOSE-WAIT":
            raise Broken(Finding(f"FIN at {other}", "a FIN", other.state), deadline)
        answer = random_data(2000)
        carry(self._case, Flow.of(other, one, answer))
        deadline = self._case.deadline(since_ns=other.finish().ns)
        if not self.comes_to(one, lambda: one.state in ("CLOSE-WAIT", "RESET"), deadline) or one.state == "RESET":
            raise Broken(Finding(f"FIN at {one}", "a FIN", one.state), deadline)

    def comes_to(self, peer: TcpPeer, reached: Callable[[], bool], deadline: Deadline) -> bool:
        """Whether an end comes into a state in time; what comes meanwhile is acknowledged."""
        last: list[Frame] = []

        def look() -> Frame | None:
            if frame := take(peer):
                last.append(frame)
            return last[-1] if last and reached() else None

        take(peer)
        return reached() or self._case.look(look, deadline) is not None

    # An end that takes nothing

    def fills(self, sender: TcpPeer, receiver: TcpPeer | None) -> bytes:
        """Send to an end that takes nothing, or is away, until the window is shut for good; what was sent.

        Broken where it is not when more has been sent than the profile says that the proxy and its kernel keep.
        """
        limit = self._ixit.buffer_bytes + self._ixit.kernel_bytes
        data = bytearray()

        def opens() -> Frame | None:
            frames = sender.read()
            if receiver:
                self._refuse(receiver)
            return frames[-1] if frames and room(sender) > 0 else None

        while True:
            while (size := min(most_data(sender), room(sender))) > 0 and len(data) <= limit:
                piece = bytes([len(data) % 251]) * size
                last = sender.send(piece)
                data += piece
            if len(data) > limit:
                raise Broken(Finding("bytes that nobody takes", f"at most {limit} kept", str(len(data))), last.frame)
            if self._case.look(opens, self._case.deadline(FULL_S)) is None:
                return bytes(data)

    def _refuse(self, receiver: TcpPeer) -> None:
        """Take what has come, and say that no more is wanted."""
        before = receiver.rcv_nxt
        receiver.read()
        if receiver.rcv_nxt != before:
            receiver.acknowledge(window=0)

    def comes_through(self, one: TcpPeer, other: TcpPeer, data: bytes) -> None:
        """Data comes from an end that itself takes nothing."""
        flow = Flow.of(one, other, data)
        for at in range(0, len(data), most_data(one)):
            sent = one.send(data[at : at + most_data(one)], window=0)
        deadline = self._case.deadline(since_ns=sent.ns)
        self.comes_to(other, lambda: flow.is_over, deadline)
        require_stream(other, flow.came, data, deadline)

    # Many connections

    def opens_many(self, client: Client, far: Correspondent, count: int) -> list[Joined]:
        """So many sessions of one client, each with a port of its own at the correspondent, are opened."""
        sessions = []
        for _ in range(count):
            one, dialogue, since = far.another_port(), client.greet(), self.mark()
            dialogue.send(one.request())
            sessions.append(self.connects(dialogue, one, since))
        return sessions

    def carry_each(self, sessions: Sequence[Joined]) -> None:
        """Each of many sessions carries its own data both ways."""
        for session in sessions:
            self.pass_over(session)
            self.carries(session)

    def pass_over(self, session: Joined) -> None:
        """Of a session of many, look at nothing that has come so far: there is nothing."""
        mark = self._case.mark()
        session.node.pass_over(mark)
        session.far.pass_over(mark)
