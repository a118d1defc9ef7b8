# SPDX-License-Identifier: GPL-2.0-or-later
"""The upper tester: control of the DUT's upper side by verbs (docs/dut-contract.md), and its usual form, JSON-RPC."""

import contextlib
import itertools
import json
import os
import select
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from io import BufferedReader
from typing import IO, Any

from testbed.device.untrusted import Line, Lines, read_json
from testbed.device.verb_results import checked_result
from testbed.interruptions import DeviceLost, Inconclusive, NotApplicable
from testbed.wire.clock import Clock

METHOD_NOT_FOUND = -32601
OPERATION_FAILED = -32000

_TIMEOUT_S = 10
_LONGEST_READING_S = 60
_LONGEST_MESSAGE = 500
_LONGEST_REPLY = 1 << 20
_MOST_UNASKED = 16 << 20
_COST_OF_A_LINE = 64
_PART = 1 << 16

Reply = dict[str, Any]
"""`{"result": {...}}` or `{"error": {"code": ..., "message": ...}}`, as in JSON-RPC 2.0."""


class OperationFailed(Inconclusive):
    """The operation failed at the device: preamble trouble, unless the case is about what the application sees."""


@dataclass(frozen=True)
class Call:
    """A verb that was asked for and is not answered yet; `instead` tells what came in place of an answer."""

    verb: str
    reply: Future[Reply]
    timeout_s: float | None
    clock: Clock
    instead: Callable[[], str] = str

    def result(self) -> dict[str, Any]:
        """The result of the verb.

        Raises NotApplicable if the device has no such verb, Inconclusive if there is no answer, OperationFailed if the
        operation failed: what the upper tester does is preamble, the wire is what is judged.
        """
        try:
            with self.clock.waiting():
                reply = self.reply.result(timeout=self.timeout_s)
        except FutureTimeout:
            came = self.instead()
            what = f"upper tester: no answer to {self.verb} within {self.timeout_s:.0f} s{came}"
            raise Inconclusive(what, repeat=not came) from None
        self._check_known(reply)
        failure = reply.get("error")
        if isinstance(failure, dict):
            raise OperationFailed(f"upper tester: {self.verb}: {shortened(str(failure.get('message')))}")
        try:
            return checked_result(self.verb, reply.get("result"))
        except ValueError as error:
            raise Inconclusive(f"upper tester: {self.verb}: {error}", repeat=False) from None

    def check_verb(self) -> None:
        """NotApplicable if the device has answered by now that it has no such verb."""
        if self.reply.done() and not self.reply.exception():
            self._check_known(self.reply.result())

    def _check_known(self, reply: Reply) -> None:
        failure = reply.get("error")
        if isinstance(failure, dict) and failure.get("code") == METHOD_NOT_FOUND:
            raise NotApplicable(f"the device's upper tester has no verb {self.verb}")


class UpperTester(ABC):
    """Calls verbs at the device; many cases may have calls open at once."""

    def call(self, verb: str, **parameters: Any) -> dict[str, Any]:
        """Call a verb and return its result (see `Call.result`)."""
        return self.ask(verb, **parameters).result()

    def read(self, connection: int, length: int, within_s: float) -> tuple[bytes, str]:
        """What a socket brings until it is `length` bytes, each part in time, and why there are no more, or nothing.

        However many parts there are, they take a minute at the most.
        """
        came = b""
        end = time.monotonic() + _LONGEST_READING_S
        while len(came) < length:
            if time.monotonic() > end:
                return came, f"and no more within {_LONGEST_READING_S} s"
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


def shortened(message: str) -> str:
    """What a device has written, as much of it as anybody reads in a line."""
    more = len(message) - _LONGEST_MESSAGE
    return message if more <= 0 else f"{message[:_LONGEST_MESSAGE]} (and {more} characters more)"


class JsonRpc(UpperTester):
    """JSON-RPC 2.0, one message a line. Lines that are no reply to an open call are passed over.

    A line of more than 1 MiB ends the oldest call, 16 MiB of lines that answer nothing are the end of the agent.
    `final_log` gives the last lines that the agent has logged, for the message that it is gone; `end` is called by
    `close`.
    """

    def __init__(
        self,
        requests: IO[bytes],
        replies: BufferedReader,
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
        self._lines = Lines(_LONGEST_REPLY)
        self._unasked, self._unasked_lines = 0, 0
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
                self._write(json.dumps(request).encode() + b"\n")
            except (OSError, ValueError) as error:
                why = " for 10 s" if isinstance(error, TimeoutError) else ""
                self._lost = DeviceLost(f"the upper tester does not take requests{why}\n{self._final_log()}".rstrip())
                raise self._lost from None
        return Call(verb, answer, _TIMEOUT_S + float(parameters.get("timeout_s", 0)), self._clock, self._came_instead)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._requests.close()
        self._end()

    def _write(self, data: bytes) -> None:
        """Hand a request over. TimeoutError where the agent reads nothing any more."""
        descriptor = self._requests.fileno()
        os.set_blocking(descriptor, False)
        poller = select.poll()
        poller.register(descriptor, select.POLLOUT)
        end = time.monotonic() + _TIMEOUT_S
        while data:
            if not poller.poll(max(0.0, end - time.monotonic()) * 1000):
                raise TimeoutError
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(descriptor, data) :]

    def _came_instead(self) -> str:
        """What has come since the last answer, as the end of a sentence; nothing if nothing has."""
        came = []
        if self._unasked_lines:
            came.append(f"{self._unasked_lines} lines that answer nothing")
        if size := self._lines.size:
            came.append(f"{size} bytes of a line that has no end yet")
        return f"; it has written {' and '.join(came)}" if came else ""

    def _read(self, replies: BufferedReader) -> None:
        why = "the upper tester has closed its output"
        with contextlib.suppress(OSError, ValueError):
            while data := replies.read1(_PART):
                for line in self._lines.take(data):
                    self._take(line)
                if self._unasked + self._lines.size > _MOST_UNASKED:
                    why = f"the upper tester has written {_MOST_UNASKED >> 20} MiB that answer nothing"
                    break
        lost = DeviceLost(f"{why}\n{self._final_log()}".rstrip())
        with self._writing:
            self._lost = self._lost or lost
        self._end_calls(self._lost)

    def _take(self, line: Line) -> None:
        self._unasked += _COST_OF_A_LINE + len(line.content) + line.cut
        if line.cut and self._open:
            size = len(line.content) + line.cut
            what = f"upper tester: a line of {size} bytes, more than {_LONGEST_REPLY}, in place of an answer"
            self._unasked = 0
            self._end_calls(Inconclusive(what, repeat=False), 1)  # the oldest: nobody can say which it would answer
            return
        try:
            reply = read_json(line.content)
        except ValueError:
            reply = None
        number = reply.get("id") if isinstance(reply, dict) else None
        if type(number) is int and (waiting := self._open.get(number)):
            self._unasked, self._unasked_lines = 0, 0
            waiting.set_result(reply)
        else:
            self._unasked_lines += 1

    def _end_calls(self, why: Exception, most: int | None = None) -> None:
        for waiting in list(self._open.values())[:most]:
            with contextlib.suppress(Exception):  # answered in this very moment
                waiting.set_exception(why)
