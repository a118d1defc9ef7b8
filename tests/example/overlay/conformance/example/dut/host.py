# SPDX-License-Identifier: GPL-2.0-or-later
"""The Example host under test."""

from conformance.example.tester.greeter import SentGreeting
from layers.example import ANSWER, Greeting
from scapy.packet import Packet

from testbed.case.expect import preamble
from testbed.case.verdict import Broken, Finding, require_none
from testbed.peers.host import Host
from testbed.wire.capture import Frame


class ExampleHost(Host):
    """The device under test."""

    def answers(self, greeting: SentGreeting) -> tuple[Frame, Packet]:
        """An Answer comes in time."""
        deadline = self._case.deadline(self._ixit.example.answer_within_s, greeting.sent.ns)
        if self._case.look(lambda: next((frame for frame, _ in self._answers(greeting)), None), deadline) is None:
            finding = Finding("no Answer", f"an Answer within {deadline.within_s} s", "silence")
            finding.frames = [greeting.sent.frame]
            raise Broken(finding, deadline)
        frame, answer = self._answers(greeting)[0]
        return frame.account("Answer"), answer

    def answer_to(self, greeting: SentGreeting) -> tuple[Frame, Packet]:
        """The Answer that a case looks into, as preamble."""
        with preamble():
            return self.answers(greeting)

    def stays_silent(self, greeting: SentGreeting) -> None:
        """After the barrier and a quiet window no Answer has come."""
        self.quiesce()
        frames = [frame.account("must not be sent") for frame, _ in self._answers(greeting)]
        require_none("Answers", frames)

    def _answers(self, greeting: SentGreeting) -> list[tuple[Frame, Packet]]:
        found = self._case.messages(self._ixit.example.protocol, greeting.mark)
        return [
            (frame, packet.payload)
            for frame, packet in found
            if isinstance(packet.payload, Greeting) and packet.payload.kind == ANSWER
        ]
