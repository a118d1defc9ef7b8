# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the upper tester comes from: the device's own streams, a command, shell commands, or the operator."""

import contextlib
import json
import os
import selectors
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from io import BufferedReader
from typing import Any

from profiles import PLACEHOLDER, Profile
from testbed.device import linux
from testbed.device.launch import Stdio
from testbed.device.log import DeviceLog
from testbed.device.supervisor import LinkError
from testbed.device.untrusted import read_json, read_text
from testbed.device.upper_tester import METHOD_NOT_FOUND, OPERATION_FAILED, Call, JsonRpc, Reply, UpperTester
from testbed.wire.clock import Clock

_TIMEOUT_S = 10
_LEAVING_S = 1.0
_MOST_OUTPUT = 1 << 20
_PART = 1 << 16
_TERMINAL = "/dev/tty"
_FIRST_MANUAL_PORT = 40_000
_TYPED_RESULTS = {
    "receive": '{"data": "68656c6c6f", "eof": false}',
    "sockets": '{"connections": [{"connection": 7, "listener": 3}], "listeners": []}',
}


def open_agent(profile: Profile, stdio: Stdio | None, clock: Clock) -> UpperTester | None:
    """The upper tester that a profile names in `dut.agent` or `dut.verbs`, or None. LinkError if it does not start."""
    agent = profile.dut.agent
    if agent == "stdio" and stdio:
        return JsonRpc(stdio.stdin, stdio.stdout, clock, stdio.final_words)
    if agent == "manual":
        return Operator(clock)
    if isinstance(agent, list):
        return _start(profile, agent, clock)
    return (
        ShellVerbs({str(verb): template for verb, template in profile.dut.verbs.items()}, clock)
        if profile.dut.verbs
        else None
    )


def _start(profile: Profile, command: list[str], clock: Clock) -> UpperTester:
    parent = os.getpid()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: linux.die_with_parent(parent),
            start_new_session=True,
        )
    except OSError as error:
        raise LinkError(f"{profile.path}: dut.agent: {shlex.join(command)}: {error.strerror}") from None

    def end() -> None:
        try:
            process.wait(_LEAVING_S)
        except subprocess.TimeoutExpired:
            _kill(process)

    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    assert stdin
    assert isinstance(stdout, BufferedReader)
    assert stderr
    return JsonRpc(stdin, stdout, clock, DeviceLog(stderr).tail, end)


def _kill(process: "subprocess.Popen[Any]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _InThreads(UpperTester):
    """An upper tester whose verbs block: each call gets a thread."""

    def __init__(self, clock: Clock, timeout_s: float | None) -> None:
        self._clock = clock
        self._timeout_s = timeout_s

    def ask(self, verb: str, **parameters: Any) -> Call:
        """Start the verb."""
        answer: Future[Reply] = Future()

        def run() -> None:
            try:
                answer.set_result(self._perform(verb, parameters))
            except Exception as error:
                answer.set_exception(error)

        threading.Thread(target=run, name=f"verb {verb}", daemon=True).start()
        timeout = self._timeout_s and self._timeout_s + float(parameters.get("timeout_s", 0))
        return Call(verb, answer, timeout, self._clock)

    def _perform(self, verb: str, parameters: dict[str, Any]) -> Reply:
        raise NotImplementedError


class ShellVerbs(_InThreads):
    """Verbs as shell commands: `{parameter}` becomes the quoted value, standard output is the JSON result."""

    def __init__(self, templates: Mapping[str, str], clock: Clock) -> None:
        super().__init__(clock, _TIMEOUT_S)
        self._templates = templates
        self._running: set[subprocess.Popen[bytes]] = set()

    def close(self) -> None:
        """Kill the commands that still run."""
        for process in list(self._running):
            _kill(process)

    def _perform(self, verb: str, parameters: dict[str, Any]) -> Reply:
        if verb not in self._templates:
            return {"error": {"code": METHOD_NOT_FOUND}}
        command = fill(self._templates[verb], parameters)
        parent = os.getpid()
        process = subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: linux.die_with_parent(parent),
            start_new_session=True,
        )
        self._running.add(process)
        try:
            said, trouble = _output(process, _TIMEOUT_S + float(parameters.get("timeout_s", 0)))
        except OutputError as error:
            _kill(process)
            return _failed(f"{error}: {command}")
        finally:
            self._running.discard(process)
        if process.returncode:
            return _failed(_on_one_line(trouble) or f"exit code {process.returncode}: {command}")
        return _result(said)


class OutputError(Exception):
    """A command that does not end, or says too much."""


def _output(process: "subprocess.Popen[bytes]", within_s: float) -> tuple[bytes, bytes]:
    """What a command has written to standard output and error when both have ended, and the command with them."""
    end = time.monotonic() + within_s
    said: dict[int, bytearray] = {}
    assert process.stdout
    assert process.stderr
    with process.stdout, process.stderr, selectors.DefaultSelector() as selector:
        for stream in (process.stdout, process.stderr):
            selector.register(stream, selectors.EVENT_READ)
            said[stream.fileno()] = bytearray()
        while selector.get_map():
            for key, _ in selector.select(max(0.0, end - time.monotonic())):
                data = os.read(key.fd, _PART)
                said[key.fd] += data
                if len(said[key.fd]) > _MOST_OUTPUT:
                    raise OutputError(f"more than {_MOST_OUTPUT} bytes of output")
                if not data:
                    selector.unregister(key.fileobj)
            if time.monotonic() > end:
                raise OutputError("no end within its time")
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise OutputError("no end within its time") from None
    output, trouble = said.values()
    return bytes(output), bytes(trouble)


def _on_one_line(output: bytes) -> str:
    return " ".join(read_text(part) for part in output.split())


def fill(template: str, parameters: dict[str, Any]) -> str:
    """The shell command: `{name}` becomes the parameter's value, quoted, or nothing where the case gives none."""
    return PLACEHOLDER.sub(
        lambda match: shlex.quote(str(parameters[match[1]])) if match[1] in parameters else "''", template
    )


class Operator(_InThreads):
    """A person at the terminal who is told what to do. The terminal is opened directly, past pytest's capture.

    One request at a time is shown; other cases go on meanwhile. LinkError without a terminal.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, None)
        self._asking = threading.Lock()
        self._handles = 0
        try:
            open(_TERMINAL, "w").close()
        except OSError as error:
            raise LinkError(f'dut.agent = "manual" needs a terminal: {_TERMINAL}: {error.strerror}') from None

    def close(self) -> None:
        """Nothing was started."""

    def _perform(self, verb: str, parameters: dict[str, Any]) -> Reply:
        with self._asking:
            self._handles += 1
            if verb == "listen" and not parameters.get("port"):
                parameters = {**parameters, "port": _FIRST_MANUAL_PORT + self._handles}
            usual = self._usual_result(verb, parameters)
            words = ", ".join(f"{name} {value}" for name, value in parameters.items())
            if usual is None:
                hint = f"the result as JSON, like {_TYPED_RESULTS[verb]}"
            else:
                hint = f"Enter when done ({json.dumps(usual)})"
            with open(_TERMINAL, "w") as screen, open(_TERMINAL, errors="backslashreplace") as keyboard:
                screen.write(f'\n>>> At the device: {verb} {words}\n    {hint}, "no" if it cannot, or what failed: ')
                screen.flush()
                said = keyboard.readline()
        if said.strip() == "no":
            return {"error": {"code": METHOD_NOT_FOUND}}
        if said == "\n" and usual is not None:
            return {"result": usual}
        return (
            _result(said.encode()) if said.startswith("{") else _failed(said.strip() or "the operator gave no result")
        )

    def _usual_result(self, verb: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
        """What the verb results in when all goes well; None where only the operator can know."""
        if verb in _TYPED_RESULTS:
            return None
        if verb == "listen":
            return {"listener": self._handles, "port": parameters["port"]}
        if verb == "connect":
            return {"connection": self._handles}
        return {"length": len(parameters["data"]) // 2} if verb == "send" else {}


def _failed(why: str) -> Reply:
    return {"error": {"code": OPERATION_FAILED, "message": why}}


def _result(said: bytes) -> Reply:
    try:
        return {"result": read_json(said or b"{}")}
    except ValueError:
        return _failed(f"the result is no JSON: {_on_one_line(said)}")
