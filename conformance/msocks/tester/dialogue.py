# SPDX-License-Identifier: GPL-2.0-or-later
"""The dialogue of SOCKS5 on one connection, message by message (RFC 1928; RFC 1929 for names and passwords)."""

from typing import Any

from scapy.packet import Packet

from conformance.msocks.tester.streams import take
from layers.msocks import Socks5Reply, Socks5Selection
from testbed.case.case import Case
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Frame, Sent
from testbed.wire.clock import Deadline

SUCCEEDED = 0
NO_METHOD = 0xFF
ANONYMOUS, PASSWORD = 0, 2
LOGIN_VERSION = 1
LOGIN_REPLY = 2
"""Bytes of the answer to a name and a password."""

OVER = ("RESET", "CLOSE-WAIT")
"""States of an end whose peer sends no more."""


def login(name: str, password: str) -> bytes:
    """The request of the method username/password (RFC 1929, section 2)."""
    words = name.encode(), password.encode()
    return bytes([LOGIN_VERSION]) + b"".join(bytes([len(word)]) + word for word in words)


class Dialogue:
    """An end of a connection to the proxy, and how much of its stream has been taken as messages."""

    def __init__(self, case: Case, peer: TcpPeer) -> None:
        self._case = case
        self.peer = peer
        self.at = len(peer.stream)
        self.sent: Sent | None = None
        self.last: Frame | None = None

    def send(self, message: Packet | bytes) -> Sent:
        """Send a message in one segment."""
        self.sent = self.peer.send(bytes(message))
        return self.sent

    def send_in_pieces(self, message: Packet | bytes, size: int = 1) -> Sent:
        """Send a message in segments of so many bytes, each when the one before has been acknowledged."""
        whole = bytes(message)
        for at in range(0, len(whole), size):
            self.send(whole[at : at + size])
            self._await(lambda: self.peer.snd_una == self.peer.snd_nxt, self.deadline)
        assert self.sent is not None
        return self.sent

    @property
    def deadline(self) -> Deadline:
        """For the answer to what was sent last."""
        return self._case.deadline(since_ns=self.sent.ns if self.sent else None)

    def selection(self, deadline: Deadline | None = None) -> Packet | None:
        """The choice of a method, if it comes in time."""
        return self._message(Socks5Selection, deadline)

    def login_reply(self) -> bytes:
        """The answer to a name and a password; what has come of it in time."""
        self._await(lambda: self._has(LOGIN_REPLY), self.deadline)
        return self._cut(LOGIN_REPLY)

    def reply(self, kind: type[Packet] = Socks5Reply, deadline: Deadline | None = None) -> Packet | None:
        """The reply to a request, if it comes in time: of a kind where it is a success, else without counters."""
        return self._message(kind, deadline)

    def ends(self, deadline: Deadline) -> bool:
        """Whether the proxy ends the connection in time, by FIN or RST."""
        return self._await(lambda: self.peer.state in OVER, deadline)

    @property
    def rest(self) -> bytes:
        """What has come after the messages."""
        return bytes(self.peer.stream[self.at :])

    def _message(self, kind: Any, deadline: Deadline | None) -> Packet | None:
        def shape() -> Any:
            refused = kind is not Socks5Selection and len(self.rest) > 1 and self.rest[1] != SUCCEEDED
            return Socks5Reply if refused else kind

        if not self._await(lambda: self._has(shape().needs(self.rest)), deadline or self.deadline):
            return None
        return shape()(self._cut(shape().needs(self.rest)))

    def _has(self, length: int) -> bool:
        return len(self.peer.stream) - self.at >= length

    def _cut(self, length: int) -> bytes:
        message = bytes(self.peer.stream[self.at : self.at + length])
        self.at += len(message)
        return message

    def _await(self, reached: Any, deadline: Deadline) -> bool:
        """Read and acknowledge until a condition holds or the time is over."""

        def look() -> Frame | None:
            self.last = take(self.peer) or self.last
            return self.last if reached() or self.peer.state in OVER else None

        self.last = take(self.peer) or self.last
        if not reached() and self.peer.state not in OVER:
            self._case.look(look, deadline)
        return bool(reached())
