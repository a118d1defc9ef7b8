# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy under test: sessions that go on at another mobile side, and those that it refuses."""

from collections.abc import Collection

from scapy.packet import Packet

from conformance.msocks.dut.relay import SMALL
from conformance.msocks.dut.splicer import Splicer
from conformance.msocks.tester.client import Client, random_data
from conformance.msocks.tester.dialogue import OVER, SUCCEEDED, Dialogue
from conformance.msocks.tester.session import Joined
from conformance.msocks.tester.streams import Flow, carry, take
from layers.msocks import MSOCKSReconnectReply
from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.wire import chance
from testbed.wire.capture import Frame
from testbed.wire.clock import NANO, Deadline
from testbed.wire.station import Station

SHORTEST_HOLD_S, LONGEST_HOLD_S = 2.0, 10.0
"""Hold times that cases wait for."""

_MARGIN_S = 0.5
"""How long before the end of a hold time RECONNECT must have come to be in time."""


class Proxy(Splicer):
    """The device under test in the role of the MSOCKS proxy."""

    # RECONNECT

    def reconnects(self, client: Client, session: Joined, at: Station | None = None, **counters: int) -> Packet:
        """RECONNECT with the node's true counters, or with these, is answered by success; the session goes on there.

        What either end has sent meanwhile, or what was lost, is not waited for.
        """
        dialogue = client.greet(session.user, at=at)
        sent = dialogue.send(client.reconnect_to(session, **counters))
        try:
            reply = self.replies(dialogue, kind=MSOCKSReconnectReply)
        except Broken:
            if session.lost_ns and sent.ns - session.lost_ns > (self._ixit.hold_s - _MARGIN_S) * NANO:
                raise Inconclusive("the tester sent RECONNECT when the hold time was over") from None
            raise
        session.attach(dialogue)
        if reply.received < len(session.to_far):
            self.push(session, int(reply.received))
        return reply

    def push(self, session: Joined, received: int) -> None:
        """The node sends again what the proxy has not received."""
        again = bytes(session.to_far[received:])
        del session.to_far[received:]
        session.node_sends(again)

    def goes_on(self, client: Client, session: Joined, at: Station | None = None) -> Packet:
        """RECONNECT succeeds, and nothing of either stream is lost, repeated or reordered, then or later."""
        reply = self.reconnects(client, session, at)
        self.brings_all(session)
        self.carries(session)
        return reply

    def moved(self, client: Client, session: Joined, at: Station | None = None) -> Packet:
        """RECONNECT succeeds, and the streams go on, as preamble."""
        with preamble():
            return self.goes_on(client, session, at)

    def refuses_reconnect(self, client: Client, message: Packet | bytes, user: str = "") -> Dialogue:
        """RECONNECT is answered by an error."""
        dialogue = client.greet(user)
        dialogue.send(message)
        reply = self.refuses(dialogue)
        require(reply.reply != SUCCEEDED, "reply code", "any but 0", reply.reply, self.frame(dialogue))
        return dialogue

    def leaves_alone(self, client: Client, session: Joined) -> None:
        """A session carries data where it is, and goes on elsewhere when its node says so."""
        self.carries(session)
        self.goes_on(client, session, client.move())

    def brings_from(self, session: Joined, dialogue: Dialogue, since: int) -> None:
        """At a mobile side that a repeated RECONNECT has got, the correspondent's data follows from byte `since` on."""
        session.far_sends(random_data(SMALL))
        data = bytes(session.to_node)[since:]
        carried = Flow(session.far, dialogue.peer, data, dialogue.at)
        carried.sent = len(data)
        carry(self._case, carried)

    # Counters

    def counts(self, session: Joined, reply: Packet, received: Collection[int], sent: Collection[int]) -> None:
        """The counters of a reply are among these."""
        frame = self.frame(session.dialogue)
        for name, allowed, seen in (("received", received, reply.received), ("sent", sent, reply.sent)):
            require(seen in allowed, f"counter of bytes {name}", _range(allowed), seen, frame)

    def takes_some(self, session: Joined) -> None:
        """The node takes what has come up to a point that chance draws, or nothing."""
        left = len(session.to_node) - len(session.received)
        wanted = len(session.received) + chance.randbelow(left + 1)
        if not self.comes_to(session.node, lambda: len(session.received) >= wanted, self._case.deadline()):
            raise Inconclusive("preamble: the data of the correspondent does not come to the mobile side")

    def fills_for_absent(self, session: Joined) -> None:
        """The correspondent sends to an absent node until its window is shut, as preamble."""
        with preamble():
            session.to_node += self.fills(session.far, None)

    # Closes

    def closes_one_way(self, session: Joined, end: str) -> None:
        """One end has closed, and the other knows, as preamble."""
        (session.node if end == "node" else session.far).finish()
        with preamble():
            self.tells_far_of_a_close(session) if end == "node" else self.tells_node_of_a_close(session)

    def closes_the_other_way(self, session: Joined, end: str) -> None:
        """After a move of a half-closed session the other direction goes on, until its FIN comes."""
        if end == "node":
            session.node.finish()
            session.far_sends(random_data(SMALL))
            self.brings_to_node(session)
            session.far.finish()
            self.tells_node_of_a_close(session)
        else:
            self.tells_node_of_a_close(session)
            session.node_sends(random_data(SMALL))
            self.brings_to_far(session)
            session.node.finish()
            self.tells_far_of_a_close(session)

    # The old mobile side

    def leaves(self, former: Dialogue, session: Joined) -> None:
        """Nothing of the session comes to a former mobile side, and nothing from there to the correspondent."""
        take(former.peer)
        before = len(former.peer.stream)
        if former.peer.state not in OVER:
            former.peer.send(b"from the grave")
        self.carries(session)
        self._case.watch(self._silence_s)
        take(former.peer)
        take(session.far)
        came = bytes(former.peer.stream[before:])
        if came:
            frames = [one for one in self._case.trace.received() if former.peer.owns(one)]
            raise Broken(Finding("data to the former mobile side", "none", came[:40].hex()), frames[-1])
        seen, sent = bytes(session.far.stream), bytes(session.to_far)
        require(seen == sent, "bytes at the correspondent", len(sent), len(seen), self._last_frame())

    def _last_frame(self) -> Frame:
        return list(self._case.trace.received())[-1]

    def is_attached(self, session: Joined, dialogues: Collection[Dialogue]) -> list[Dialogue]:
        """At which of these mobile sides data of the correspondent comes, a second after it has been sent."""
        data = random_data(SMALL)
        before = {id(one): len(one.peer.stream) for one in dialogues}
        session.far_sends(data)
        self._case.watch(1.0)
        for one in dialogues:
            take(one.peer)
        return [one for one in dialogues if data in bytes(one.peer.stream[before[id(one)] :])]

    # Hold time

    @property
    def hold_s(self) -> float:
        """The hold time; NotApplicable where it is not one that cases wait for."""
        seconds = self._ixit.hold_s
        if not SHORTEST_HOLD_S <= seconds <= LONGEST_HOLD_S:
            span = f"{SHORTEST_HOLD_S:g} to {LONGEST_HOLD_S:g} s"
            raise NotApplicable(f"ixit.msocks.hold_s is {seconds:g}: cases wait for {span}")
        return float(seconds)

    def needs_loss_by_reset(self) -> None:
        """NotApplicable where a reset of the mobile side is the end of the session."""
        if self._ixit.rst_means != "loss":
            raise NotApplicable(f"{self._case.setup.profile.path}: ixit.msocks.rst_means is not loss")

    def wait_after_loss(self, session: Joined, share: float) -> None:
        """A share of the hold time goes by since the loss."""
        self._case.wait_until(session.lost_ns + round(share * self.hold_s * NANO))

    def gives_up(self, session: Joined) -> None:
        """The correspondent's connection ends when the hold time is over, and not before."""
        deadline = Deadline(session.lost_ns, self.hold_s + self._case.setup.profile.ixit.tcp_within_s)
        reached = self.comes_to(session.far, lambda: session.far.state in OVER, deadline)
        if not reached:
            raise Broken(
                Finding(f"end of {session.far}", f"FIN or RST within {deadline.within_s:g} s", "open"), deadline
            )
        first = next(one for one in self.segments_at(session.far) if set("FR") & set(one.flags))
        after_s = (first.frame.ns - session.lost_ns) / NANO
        require(
            after_s >= self.hold_s,
            "end of the session after",
            f"{self.hold_s:g} s or more",
            f"{after_s:.2f} s",
            first.frame,
        )


def _range(allowed: Collection[int]) -> str:
    if len(allowed) < 4:
        return " or ".join(map(str, sorted(allowed)))
    return f"{min(allowed)} to {max(allowed)}"
