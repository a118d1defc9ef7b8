# SPDX-License-Identifier: GPL-2.0-or-later
"""The application at the device, which the upper tester plays: its sockets, what it sends and what it reads."""

from collections.abc import Iterator
from typing import Any

from conformance.rehash.oracle import require
from conformance.rehash.tester.host import Node, Session
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding
from testbed.device.upper_tester import OperationFailed, UpperTester
from testbed.interruptions import Inconclusive
from testbed.wire.clock import NANO, Deadline

POLL_S = 0.02


class Application:
    """The application at the device under test."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit

    @property
    def agent(self) -> UpperTester:
        """The upper tester."""
        return self._case.setup.dut.upper_tester()

    def offers(self, node: Node, plainly: bool = False, timestamps: bool = False) -> Session:
        """A session of the node with an application that the upper tester plays, as preamble."""
        listener = self.agent.call("listen", port=0, service="manual")
        open_session = node.connects_plainly if plainly else node.connects
        session = open_session(remote_port=int(listener["port"]), timestamps=timestamps)
        session.connection = self.socket_of(int(listener["listener"]))
        return session

    def socket_of(self, listener: int) -> int:
        """The application's end of the only connection that this listener has accepted."""
        for _ in self._polls(self._ixit.tcp_within_s):
            for entry in self.agent.call("sockets")["connections"]:
                if entry.get("listener") == listener:
                    return int(entry["connection"])
        raise Inconclusive("upper tester: the listener did not accept the connection")

    def socket(self, session: Session) -> dict[str, Any]:
        """What the application sees of its socket; empty if it has none any more."""
        sockets = self.agent.call("sockets")["connections"]
        return next((dict(entry) for entry in sockets if entry["connection"] == session.connection), {})

    def application_sends(self, session: Session, data: bytes) -> int:
        """The application sends data; when it was asked to."""
        asked_ns = self._case.clock.now_ns()
        self.agent.call("send", connection=session.connection, data=data.hex())
        return asked_ns

    def application_says(self, session: Session, data: bytes) -> None:
        """The application's socket takes data without an error."""
        try:
            self.application_sends(session, data)
        except OperationFailed as error:
            require(False, "the socket of the application", "open", error.reason)

    def application_reads(self, session: Session, data: bytes) -> None:
        """The application reads exactly `data` from its socket, without an error or the end of the stream."""
        came, trouble = self.agent.read(session.connection, len(data), self._ixit.tcp_within_s)
        require(came == data, "what the application reads", data, f"{came!r} {trouble}".strip())

    def application_sees_an_error(self, session: Session, within_s: float) -> None:
        """The application's socket fails within this time."""
        start_ns = self._case.clock.now_ns()
        for _ in self._polls(within_s):
            try:
                result = self.agent.call("receive", connection=session.connection, length=1, timeout_s=POLL_S)
            except OperationFailed:
                self._case.waits_ns += self._case.clock.now_ns() - start_ns
                return
            require(not result["eof"], "what the application sees", "an error", "the end of the stream")
        finding = Finding("the connection was not closed", f"an error within {within_s:.0f} s", "an open socket")
        raise Broken(finding, Deadline(start_ns, within_s))

    @property
    def patience_s(self) -> float:
        """How long the device may take until it has repeated REHASH-ADDR often enough."""
        return (self._ixit.rehash.max_retries + 1) * self._ixit.rehash.retry_within_s

    def _polls(self, seconds: float) -> Iterator[None]:
        deadline = self._case.clock.now_ns() + round(seconds * NANO)
        while self._case.clock.now_ns() < deadline:
            yield
            self._case.clock.wait_until(self._case.clock.now_ns() + round(POLL_S * NANO))
