# SPDX-License-Identifier: GPL-2.0-or-later
"""The upper tester: control of the DUT's upper side by JSON-RPC 2.0, one message a line (docs/dut-contract.md)."""

import itertools
import json
import shlex
import subprocess
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import IO, Any

from testbed.clock import Clock
from testbed.verdict import DeviceLost, Inconclusive, NotApplicable

METHOD_NOT_FOUND = -32601
_PATIENCE_S = 10


class OperationFailed(Inconclusive):
    """The operation failed at the device: preamble trouble, unless the case is about what the application sees."""


@dataclass(frozen=True)
class Call:
    """A verb that was asked for and is not answered yet."""

    verb: str
    reply: Future[dict[str, Any]]
    patience_s: float
    clock: Clock

    def result(self) -> dict[str, Any]:
        """The result of the verb.

        Raises NotApplicable if the device has no such verb, Inconclusive if there is no answer, OperationFailed if the
        operation failed: what the upper tester does is preamble, the wire is what is judged.
        """
        try:
            with self.clock.waiting():
                reply = self.reply.result(timeout=self.patience_s)
        except FutureTimeout:
            raise Inconclusive(f"upper tester: no answer to {self.verb} within {self.patience_s:.0f} s") from None
        if error := reply.get("error"):
            if error.get("code") == METHOD_NOT_FOUND:
                raise NotApplicable(f"the device's upper tester has no verb {self.verb}")
            raise OperationFailed(f"upper tester: {self.verb}: {error.get('message')}")
        return dict(reply.get("result", {}))


class UpperTester:
    """Calls verbs of the DUT's agent; many cases may have calls open at once."""

    def __init__(self, requests: IO[bytes], replies: IO[bytes], clock: Clock) -> None:
        self._requests = requests
        self._clock = clock
        self._numbers = itertools.count(1)
        self._open: dict[int, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._read, args=(replies,), name="upper tester", daemon=True).start()

    def call(self, verb: str, **parameters: Any) -> dict[str, Any]:
        """Call a verb and return its result (see `Call.result`)."""
        return self.ask(verb, **parameters).result()

    def ask(self, verb: str, **parameters: Any) -> Call:
        """Call a verb whose result is taken later: the wire may have to do something for it first."""
        answer: Future[dict[str, Any]] = Future()
        patience = _PATIENCE_S + float(parameters.get("timeout_s", 0))
        with self._lock:
            number = next(self._numbers)
            self._open[number] = answer
            request = {"jsonrpc": "2.0", "id": number, "method": verb, "params": parameters}
            try:
                self._requests.write(json.dumps(request).encode() + b"\n")
                self._requests.flush()
            except OSError as error:
                raise DeviceLost(f"the upper tester does not take requests: {error.strerror}") from None
        return Call(verb, answer, patience, self._clock)

    def _read(self, replies: IO[bytes]) -> None:
        for line in replies:
            try:
                reply = json.loads(line)
            except ValueError:
                continue
            if isinstance(reply, dict) and (waiting := self._open.pop(reply.get("id", 0), None)):
                waiting.set_result(reply)
        lost = DeviceLost("the upper tester has closed its output")
        for waiting in list(self._open.values()):
            waiting.set_exception(lost)


def open_agent(
    agent: str | list[str] | None, stdio: tuple[IO[bytes], IO[bytes]] | None, clock: Clock
) -> UpperTester | None:
    """The upper tester that a profile's `dut.agent` names: the device's own streams, a command, or none."""
    if agent == "stdio" and stdio:
        return UpperTester(*stdio, clock)
    if not isinstance(agent, list):
        return None
    try:
        process = subprocess.Popen(agent, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    except OSError as error:
        raise DeviceLost(f"dut.agent: {shlex.join(agent)}: {error.strerror}") from None
    assert process.stdin and process.stdout
    return UpperTester(process.stdin, process.stdout, clock)
