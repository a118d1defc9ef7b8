# SPDX-License-Identifier: GPL-2.0-or-later
"""The applications of the device: their sockets, by the verbs of the upper tester (docs/dut-contract.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from testbed.device.upper_tester import Call, OperationFailed, UpperTester
from testbed.interruptions import Inconclusive
from testbed.wire.clock import NANO, Clock

CONNECT_TIMEOUT_S = 10
"""How long an application may wait for its connection: longer than any deadline of a case."""

END_OF_STREAM = "end of the stream"
POLL_S = 0.02
_PROBE_S = 0.02
_LONGEST_DATAGRAM = 2000


@dataclass(frozen=True)
class Socket:
    """A socket of an application at the device, TCP or UDP."""

    connection: int
    agent: UpperTester
    clock: Clock

    def send(self, data: bytes) -> int:
        """Send data; when it was asked to. OperationFailed if the socket does not take it."""
        asked_ns = self.clock.now_ns()
        self.agent.call("send", connection=self.connection, data=data.hex())
        return asked_ns

    def try_send(self, data: bytes) -> str:
        """Send data; why the socket did not take it, or nothing."""
        try:
            self.send(data)
        except OperationFailed as error:
            return error.reason
        return ""

    def begin_send(self, data: bytes) -> Call:
        """Send data that the wire has to make room for first; the result is taken later."""
        return self.agent.ask("send", connection=self.connection, data=data.hex())

    def read(self, length: int, within_s: float) -> tuple[bytes, str]:
        """What the socket brings until it is `length` bytes, each part in time; why there is no more, or nothing."""
        return self.agent.read(self.connection, length, within_s)

    def receive(self, within_s: float) -> bytes:
        """The next datagram, or what a stream brings next; empty if nothing comes in time."""
        try:
            return bytes.fromhex(self.begin_read(_LONGEST_DATAGRAM, within_s).result()["data"])
        except OperationFailed:
            return b""

    def begin_read(self, length: int, within_s: float) -> Call:
        """Read; the result is taken later."""
        return self.agent.ask("receive", connection=self.connection, length=length, timeout_s=within_s)

    def error(self) -> str:
        """What its socket tells the application now: the reason of a failure, the end of the stream, or nothing."""
        try:
            result = self.begin_read(1, _PROBE_S).result()
        except OperationFailed as error:
            return error.reason
        return END_OF_STREAM if result["eof"] else ""

    def entry(self) -> dict[str, Any]:
        """What the application sees of its socket: state and addresses; empty if it has none any more."""
        sockets = self.agent.call("sockets")["connections"]
        return next((dict(one) for one in sockets if one["connection"] == self.connection), {})

    def shut(self) -> None:
        """Send no more (shutdown); the socket stays and can read. NotApplicable where the device has no such verb."""
        self.agent.call("shutdown", connection=self.connection)

    def close(self) -> None:
        """Close the socket."""
        self.agent.call("close", connection=self.connection)


@dataclass(frozen=True)
class Listener:
    """A listening socket of an application at the device."""

    listener: int
    port: int
    application: "Application"

    def close(self) -> None:
        """Close the socket."""
        self.application.agent.call("close", listener=self.listener)

    def accepted(self, within_s: float, peer_port: int = 0) -> Socket:
        """The only connection that it has accepted, or that from this port; Inconclusive if it shows none in time."""
        application = self.application
        for _ in application.polls(within_s):
            for entry in application.agent.call("sockets")["connections"]:
                is_meant = not peer_port or str(entry.get("peer")).endswith(f":{peer_port}")
                if entry.get("listener") == self.listener and is_meant:
                    return application.socket(int(entry["connection"]))
        raise Inconclusive("upper tester: the listener shows no connection")


@dataclass(frozen=True)
class Connecting:
    """A connection that an application is opening."""

    call: Call
    application: "Application"

    def socket(self) -> Socket:
        """The application's socket when it is connected; OperationFailed if it does not come to that."""
        return self.application.socket(int(self.call.result()["connection"]))


@dataclass(frozen=True)
class Application:
    """The applications at the device, as the upper tester commands them.

    `choices` of `listen` and `connect` are those of the contract: `mobile_allowed`, `unique_id`, `one_time`.
    """

    agent: UpperTester
    clock: Clock

    def listen(self, port: int = 0, service: str = "manual", **choices: Any) -> Listener:
        """Listen at a port, any one if none is named."""
        reply = self.agent.call("listen", port=port, service=service, **choices)
        return Listener(int(reply["listener"]), int(reply["port"]), self)

    def connect(self, address: str, port: int, timeout_s: float = CONNECT_TIMEOUT_S, **choices: Any) -> Connecting:
        """Begin to connect."""
        call = self.agent.ask("connect", address=address, port=port, timeout_s=timeout_s, **choices)
        return Connecting(call, self)

    def socket(self, connection: int) -> Socket:
        """The socket of this number."""
        return Socket(connection, self.agent, self.clock)

    def polls(self, within_s: float) -> Iterator[None]:
        """Now and then until the time is over, at least once."""
        deadline = self.clock.now_ns() + round(within_s * NANO)
        yield
        while self.clock.now_ns() < deadline:
            self.clock.wait_until(self.clock.now_ns() + round(POLL_S * NANO))
            yield
