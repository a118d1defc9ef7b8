# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy under test as a server of SOCKS5: methods, replies and connections."""

from collections.abc import Callable, Collection

from scapy.packet import Packet

from conformance.msocks.tester.client import Client
from conformance.msocks.tester.correspondent import Correspondent
from conformance.msocks.tester.dialogue import OVER, SUCCEEDED, Dialogue, login
from conformance.msocks.tester.session import Joined
from conformance.msocks.tester.streams import take
from layers.msocks import Socks5Greeting, Socks5Reply
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require, require_none
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import await_state, first_segment
from testbed.peers.segment import Segment
from testbed.wire.capture import BEGINNING, Frame, Mark
from testbed.wire.clock import Deadline


class SocksServer:
    """The device under test as what any client of SOCKS5 takes it for."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit.msocks
        self._silence_s = case.setup.profile.ixit.silence_s

    def mark(self) -> Mark:
        """Now, as a moment of the trace."""
        return self._case.mark()

    # Messages

    def selects(self, dialogue: Dialogue, allowed: Collection[int]) -> Packet:
        """It answers a greeting by one of these methods."""
        deadline = dialogue.deadline
        selection = dialogue.selection(deadline)
        if selection is None:
            raise Broken(self._nothing(dialogue, "selection of a method"), deadline)
        frame = self.frame(dialogue)
        require(selection.version == 5, "version of the selection", 5, selection.version, frame)
        wanted = " or ".join(str(one) for one in sorted(allowed))
        require(selection.method in allowed, "method", wanted, selection.method, frame)
        return selection

    def replies(
        self,
        dialogue: Dialogue,
        allowed: Callable[[int], bool] = lambda code: code == SUCCEEDED,
        what: str = "0",
        kind: type[Packet] = Socks5Reply,
        deadline: Deadline | None = None,
    ) -> Packet:
        """A reply comes in time whose code is allowed; `what` says in words which are."""
        deadline = deadline or dialogue.deadline
        reply = dialogue.reply(kind, deadline)
        if reply is None:
            raise Broken(self._nothing(dialogue, "reply"), deadline)
        frame = self.frame(dialogue)
        require(reply.version == 5, "version of the reply", 5, reply.version, frame)
        require(allowed(reply.reply), "reply code", what, reply.reply, frame)
        return reply

    def refuses(self, dialogue: Dialogue, codes: Collection[int] = (), within_s: float | None = None) -> Packet:
        """It replies that it does not do what was asked: by one of these codes, or by any but success."""
        deadline = self._case.deadline(within_s, since_ns=dialogue.deadline.start_ns)
        what = " or ".join(str(one) for one in sorted(codes)) or "any but 0"
        return self.replies(
            dialogue, lambda code: code in codes if codes else code != SUCCEEDED, what, deadline=deadline
        )

    def refuses_or_ends(self, dialogue: Dialogue) -> None:
        """What cannot be understood is not served: an error, or the end of the connection, comes in time."""
        deadline = dialogue.deadline
        reply = dialogue.reply(deadline=deadline)
        if reply is not None:
            require(reply.reply != SUCCEEDED, "reply code", "any but 0", reply.reply, self.frame(dialogue))
        elif dialogue.peer.state not in OVER:
            raise Broken(self._nothing(dialogue, "reply, and no end of the connection"), deadline)

    def ends(self, dialogue: Dialogue, within_s: float) -> None:
        """It ends the connection within a time."""
        deadline = self._case.deadline(within_s, since_ns=self.frame(dialogue).ns)
        if not dialogue.ends(deadline):
            raise Broken(
                Finding(f"connection of {dialogue.peer}", f"FIN or RST within {within_s:g} s", "open"), deadline
            )

    def logs_in(self, dialogue: Dialogue, name: str, password: str) -> bytes:
        """The answer to a name and a password, which comes in time; its status."""
        dialogue.send(login(name, password))
        deadline = dialogue.deadline
        answer = dialogue.login_reply()
        if len(answer) != 2:
            raise Broken(self._nothing(dialogue, "answer to name and password"), deadline)
        return answer

    def frame(self, dialogue: Dialogue) -> Frame:
        """The frame that has brought the last message, or the last one that was sent where nothing has come."""
        assert dialogue.last or dialogue.sent
        return dialogue.last or dialogue.sent.frame  # type: ignore[union-attr]

    def _nothing(self, dialogue: Dialogue, what: str) -> Finding:
        seen = {"RESET": "a reset", "CLOSE-WAIT": "a FIN"}.get(dialogue.peer.state, "silence")
        seen += f" after {dialogue.rest.hex()}" if dialogue.rest else ""
        frames = [dialogue.sent.frame] if dialogue.sent else []
        return Finding(f"no {what} at {dialogue.peer}: {seen}", what, seen, frames=frames)

    # Connections

    def calls(self, far: Correspondent, since: Mark = BEGINNING) -> Segment:
        """It opens a connection to a correspondent host: its SYN comes in time."""

        def wanted(segment: Segment) -> bool:
            ends = segment.destination, segment.destination_port
            return ends == (far.station.address, far.port) and "S" in segment.flags

        deadline = self._case.deadline()
        segment = first_segment(self._case, wanted, deadline, since, far.station)
        if segment is None:
            raise Broken(Finding(f"no SYN at {far.station.address}:{far.port}", "a SYN", "none"), deadline)
        segment.frame.account()
        return segment

    def calls_nobody(self, far: Correspondent, since: Mark = BEGINNING) -> None:
        """When what was sent has been dealt with, no SYN has come to a correspondent host since a mark."""
        self.quiesce()
        network = far.station.network
        found = (Segment.read(frame, network) for frame in self._case.trace.received(since))
        ends = far.station.address, far.port
        syns = [one.frame for one in found if one and (one.destination, one.destination_port) == ends]
        require_none(f"segments to {far.station.address}:{far.port}", syns)

    def address_of_nobody(self) -> str:
        """An address on the outside that nobody has; NotApplicable where the profile leaves none."""
        network = self._case.outside.network
        address = network.address(network.last + 2)
        table = self._case.setup.profile.ixit.ipv4.of("outside")
        if table is None or not table.has_room_for(address):
            raise NotApplicable(
                f"{self._case.setup.profile.path}: ixit.ipv4.outside leaves no address after the tester's"
            )
        return address

    def has_not_replied(self, dialogue: Dialogue, since: Frame) -> None:
        """No reply has come, though nothing stands in its way but the correspondent host."""
        take(dialogue.peer)
        if dialogue.rest:
            last = dialogue.peer.station.trace
            frames = [one for one in last.received() if dialogue.peer.owns(one)]
            raise Broken(Finding("reply before the connection stands", "none", dialogue.rest.hex()), frames[-1], since)

    def connects(self, dialogue: Dialogue, far: Correspondent, since: Mark = BEGINNING, user: str = "") -> Joined:
        """CONNECT, which has been sent, leads to a session: SYN, and success once the connection stands."""
        syn = self.calls(far, since)
        peer = far.end_for(syn)
        deadline = self._case.deadline(since_ns=peer.accept(syn).ns)
        if await_state(self._case, peer, deadline, lambda: peer.state == "ESTABLISHED") is None:
            raise Broken(Finding(f"SYN-ACK of {peer}", "acknowledged", "not"), deadline)
        reply = self.replies(dialogue, deadline=deadline)
        return Joined(dialogue, peer, (reply.bound_address, reply.bound_port), syn, user)

    def quiesce(self) -> None:
        """What was sent before has been dealt with: a later client is answered, and then there is silence."""
        dialogue = Client(self._case, *self._case.inside.stations[:1]).call()
        dialogue.send(Socks5Greeting(methods=[0, 2]))
        if dialogue.selection() is None:
            raise Inconclusive("preamble: the proxy does not answer a later client")
        self._case.watch(self._silence_s)
