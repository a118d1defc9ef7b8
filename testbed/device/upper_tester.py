# SPDX-License-Identifier: GPL-2.0-or-later
"""The upper tester: control of the DUT's upper side by verbs (docs/dut-contract.md), and its usual form, JSON-RPC."""

import contextlib
import itertools
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import IO, Any

from testbed.device.untrusted import read_json
from testbed.device.verb_results import checked_result
from testbed.interruptions import DeviceLost, Inconclusive, NotApplicable
from testbed.wire.clock import Clock

METHOD_NOT_FOUND = -32601
OPERATION_FAILED = -32000

_TIMEOUT_S = 10
_LONGEST_MESSAGE = 500
_LONGEST_REPLY = 1 << 24

Reply = dict[str, Any]
"""`{"result": {...}}` or `{"error": {"code": ..., "message": ...}}`, as in JSON-RPC 2.0."""


class OperationFailed(Inconclusive):
    """The operation failed at the device: preamble trouble, unless the case is about what the application sees."""


@dataclass(frozen=True)
class Call:
    """A verb that was asked for and is not answered yet."""

    verb: str
    reply: Future[Reply]
    timeout_s: float | None
    clock: Clock

    def result(self) -> dict[str, Any]:
        """The result of the verb.

        Raises NotApplicable if the device has no such verb, Inconclusive if there is no answer, OperationFailed if the
        operation failed: what the upper tester does is preamble, the wire is what is judged.
        """
        try:
            with self.clock.waiting():
                reply = self.reply.result(timeout=self.timeout_s)
        except FutureTimeout:
            raise Inconclusive(f"upper tester: no answer to {self.verb} within {self.timeout_s:.0f} s") from None
        failure = reply.get("error")
        if isinstance(failure, dict):
            if failure.get("code") == METHOD_NOT_FOUND:
                raise NotApplicable(f"the device's upper tester has no verb {self.verb}")
            raise OperationFailed(f"upper tester: {self.verb}: {str(failure.get('message'))[:_LONGEST_MESSAGE]}")
        try:
            return checked_result(self.verb, reply.get("result"))
        except ValueError as error:
            raise Inconclusive(f"upper tester: {self.verb}: {error}", repeat=False) from None


class UpperTester(ABC):
    """Calls verbs at the device; many cases may have calls open at once."""

    def call(self, verb: str, **parameters: Any) -> dict[str, Any]:
        """Call a verb and return its result (see `Call.result`)."""
        return self.ask(verb, **parameters).result()

    def read(self, connection: int, length: int, within_s: float) -> tuple[bytes, str]:
        """What a socket brings until it is `length` bytes, each part in time, and why there are no more, or nothing."""
        came = b""
        while len(came) < length:
            arguments = {"connection": connection, "length": length - len(came), "timeout_s": within_s}
            try:
                result = self.call("receive", **arguments)
            except OperationFailed as error:
                return came, error.reason
            came += bytes.fromhex(result["data"])
            if result["eof"] or not result["data"]:
                return came, "and then the end of the stream" if result["eof"] else "and no more"
        return came, ""

    @abstractmethod
    def ask(self, verb: str, **parameters: Any) -> Call:
        """Call a verb whose result is taken later: the wire may have to do something for it first."""

    @abstractmethod
    def close(self) -> None:
        """End whatever the upper tester has started."""


class JsonRpc(UpperTester):
    """JSON-RPC 2.0, one message a line. Lines that are no reply to an open call are passed over.

    `final_log` gives the last lines that the agent has logged, for the message that it is gone; `end` is called by
    `close`.
    """

    def __init__(
        self,
        requests: IO[bytes],
        replies: IO[bytes],
        clock: Clock,
        final_log: Callable[[], str] = str,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        self._requests = requests
        self._clock = clock
        self._final_log = final_log
        self._end = end
        self._numbers = itertools.count(1)
        self._open: dict[int, Future[Reply]] = {}
        self._lost: DeviceLost | None = None
        self._writing = threading.Lock()
        threading.Thread(target=self._read, args=(replies,), name="upper tester", daemon=True).start()

    def ask(self, verb: str, **parameters: Any) -> Call:
        """Send the request. DeviceLost if the agent is gone."""
        answer: Future[Reply] = Future()
        number = next(self._numbers)
        self._open[number] = answer
        answer.add_done_callback(lambda _: self._open.pop(number, None))
        request = {"jsonrpc": "2.0", "id": number, "method": verb, "params": parameters}
        with self._clock.waiting(), self._writing:
            if self._lost:
                raise self._lost
            try:
                self._requests.write(json.dumps(request).encode() + b"\n")
                self._requests.flush()
            except (OSError, ValueError):
                raise DeviceLost(f"the upper tester does not take requests\n{self._final_log()}".rstrip()) from None
        return Call(verb, answer, _TIMEOUT_S + float(parameters.get("timeout_s", 0)), self._clock)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._requests.close()
        self._end()

    def _read(self, replies: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := replies.readline(_LONGEST_REPLY):
                self._take(line)
        lost = DeviceLost(f"the upper tester has closed its output\n{self._final_log()}".rstrip())
        with self._writing:
            self._lost = lost
        for waiting in list(self._open.values()):
            with contextlib.suppress(Exception):  # answered in this very moment
                waiting.set_exception(lost)

    def _take(self, line: bytes) -> None:
        try:
            reply = read_json(line)
        except ValueError:
            return
        number = reply.get("id") if isinstance(reply, dict) else None
        if type(number) is int and (waiting := self._open.get(number)):
            waiting.set_result(reply)
