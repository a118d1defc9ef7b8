# SPDX-License-Identifier: GPL-2.0-or-later
"""An application of the server under test: the choices it makes for its sockets, TCP and UDP."""

import hashlib
from dataclasses import dataclass
from typing import Any

from conformance.mops.tester.mobile_node import MobileNode, Request, Session
from layers.mops import MOPSMigrate
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import Inconclusive
from testbed.peers.udp import UdpPeer
from testbed.wire.capture import Frame
from testbed.wire.clock import NANO, Deadline
from testbed.wire.network import UDP_PROTOCOL
from testbed.wire.station import Station

ACCEPT_POLL_NS = 10_000_000


@dataclass
class Conversation:
    """A UDP conversation of the node with the application. `end` is where the node is now, `left` where it was."""

    end: UdpPeer
    connection: int
    left: UdpPeer | None = None


class Application:
    """Calls the upper tester of the device in the role of a server."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self._agent = case.setup.dut.upper_tester()

    def serves_tcp(self, node: MobileNode, **choices: Any) -> Session:
        """A session of the node with an echo service whose socket is as the application chose, as preamble."""
        listener = self._agent.call("listen", port=0, service="echo", **choices)
        return node.connects(remote_port=int(listener["port"]))

    def serves_udp(self, node: MobileNode, **choices: Any) -> Conversation:
        """A conversation of the node over a UDP socket that is as the application chose, as preamble."""
        listener = self._agent.call("listen", port=0, service="manual", protocol="udp", **choices)
        end = UdpPeer(node.station, node.new_port(), int(listener["port"]))
        end.send(b"hello")
        conversation = Conversation(end, self._socket_of(int(listener["listener"])))
        if self.reads(conversation) != b"hello":
            raise Inconclusive("preamble: the application did not get the first datagram")
        try:
            self.reaches(conversation, end)
        except Broken as broken:
            raise Inconclusive(f"preamble: {broken.finding.reason}") from None
        return conversation

    def reads(self, conversation: Conversation) -> bytes:
        """The next datagram that the application gets, empty if none comes."""
        arguments = {"connection": conversation.connection, "length": 2000, "timeout_s": self._ixit.tcp_within_s}
        try:
            return bytes.fromhex(self._agent.call("receive", **arguments)["data"])
        except OperationFailed:
            return b""

    def reaches(self, conversation: Conversation, end: UdpPeer) -> None:
        """What the application sends arrives at this end of the node."""
        mark, start_ns = self._case.mark(), self._case.clock.now_ns()
        self._agent.call("send", connection=conversation.connection, data=b"from the server".hex())

        def came() -> Frame | None:
            return next((frame for frame, _ in end.datagrams(mark)), None)

        within = self._ixit.tcp_within_s
        if self._case.look(came, Deadline(start_ns, within)) is None:
            where = f"{end.station.address}:{end.port}"
            raise Broken(Finding(f"no datagram came to {where}", "one", "none"), Deadline(start_ns, within))

    def goes_on(self, conversation: Conversation, end: UdpPeer) -> None:
        """Datagrams pass between the application's socket and this end of the node, both ways."""
        self.reaches(conversation, end)
        start_ns = self._case.clock.now_ns()
        end.send(b"from the node")
        if (came := self.reads(conversation)) != b"from the node":
            finding = Finding("the application does not get the datagram", f"{b'from the node'!r}", f"{came!r}")
            raise Broken(finding, Deadline(start_ns, self._ixit.tcp_within_s))

    def udp_migrate(self, node: MobileNode, conversation: Conversation, identifier: int) -> tuple[Request, UdpPeer]:
        """The node asks for its conversation at its present address; the request and the end it would have there."""
        station, port = node.station, node.new_port()
        message = MOPSMigrate(
            protocol=UDP_PROTOCOL,
            previous_source=conversation.end.station.address,
            migrated_source=node.address,
            entries=[(conversation.end.port, port, identifier)],
        )
        return node.sends(message), self._end_at(station, port, conversation)

    @staticmethod
    def _end_at(station: Station, port: int, conversation: Conversation) -> UdpPeer:
        return UdpPeer(station, port, conversation.end.remote_port)

    def _socket_of(self, listener: int) -> int:
        deadline = self._case.clock.now_ns() + round(self._ixit.tcp_within_s * NANO)
        while self._case.clock.now_ns() < deadline:
            for entry in self._agent.call("sockets")["connections"]:
                if entry.get("listener") == listener:
                    return int(entry["connection"])
            self._case.clock.wait_until(self._case.clock.now_ns() + ACCEPT_POLL_NS)
        raise Inconclusive("upper tester: the listener shows no connection")


def next_unique_id(unique_id: int) -> int:
    """The one-time Unique ID that follows this one (docs/dut-contract.md)."""
    return int.from_bytes(hashlib.sha256(unique_id.to_bytes(4, "big")).digest()[:4], "big")


def creates(case: Case, verb: str, **arguments: object) -> None:
    """The system creates the socket that the application asks for."""
    try:
        case.setup.dut.upper_tester().call(verb, **arguments)
    except OperationFailed as error:
        raise Broken(Finding("the application cannot choose MOBILE_ALLOWED", "a socket", error.reason)) from None
