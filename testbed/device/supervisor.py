# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester's side of the supervisor (`testbed.device.namespaces`): starts devices, notices their end, ends them."""

import contextlib
import itertools
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from testbed.device.dut import DUT
from testbed.device.lag import LagProbe
from testbed.device.launch import End, Launch, Process, Started, Stdio
from testbed.device.log import DeviceLog
from testbed.device.run_queue import RunQueue
from testbed.device.scratch import Scratch
from testbed.device.untrusted import read_json, read_text
from testbed.device.upper_tester import shortened
from testbed.interruptions import DeviceLost, MachineError, machine_error

# Found whatever folder pytest was called from; that folder stays the current one, for the device's command.
_ROOT = str(Path(__file__).resolve().parents[2])
_PROGRAM = f"import sys; sys.path[0] = {_ROOT!r}; from testbed.device.namespaces import main; main()"

Answer = TypeVar("Answer")

_TIMEOUT_S = 20
_LEAVING_S = 1.0
_EXTENSIONS = 2
_LONGEST_READY_LINE = 1 << 16
_LONGEST_NAME = 200
_MESSAGE = 1 << 16
_MOST_FDS = 32


class LinkError(Exception):
    """Link or device could not be brought up: what and why in the first line, then the device's final log lines."""


@dataclass
class _Device:
    dut: DUT | None = None
    process: Process | None = None
    code: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


class Supervisor:
    """Owns the supervisor's process and through it every namespace and process of the run.

    `kind` is `NAMESPACES` or `PROCESSES` of `testbed.device.namespaces`. To be made in the main thread: the
    kernel ends that process when the thread that started it ends.
    """

    def __init__(self, kind: str, lag: LagProbe) -> None:
        self._lag = lag
        self._scratch = Scratch()
        self._devices: dict[int, _Device] = {}
        self._replies: dict[int, Future[tuple[dict[str, Any], list[int]]]] = {0: Future()}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._closing = False
        self._control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        probes = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in os.sched_getaffinity(0)]
        theirs = [control, *(end for _, end in probes)]
        fds = [end.fileno() for end in theirs]
        arguments = [kind, str(os.getpid()), *map(str, fds)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments], pass_fds=fds, env={**os.environ, "PYTHONPATH": _python_path()}
        )
        for end in theirs:
            end.close()
        lag.listen(end for end, _ in probes)
        threading.Thread(target=self._listen, name="supervisor", daemon=True).start()
        try:
            self._result(0, "make namespaces")
        except MachineError:
            self.close()
            raise

    def start(self, launches: Sequence[Launch], wires: int, taps: Sequence[int] = ()) -> Started:
        """Start a device with so many fresh wires, or a chain of devices; LinkError if a command cannot be started."""
        devices = [
            {
                "command": launch.command,
                "fork_server": launch.fork_server,
                "configuration": launch.configuration,
                "configuration_path": str(self._scratch.path / f"dut{next(self._numbers)}.json"),
            }
            for launch in launches
        ]
        what = "start " + ", ".join(shlex.join(launch.command) for launch in launches)
        reply, fds = self._request(what, op="start", devices=devices, wires=wires, taps=list(taps))
        handed = iter(fds)
        ends = [
            End(one["wire"], one["mac"], tuple(one["devices"]), next(handed), next(handed))
            for one in reply["interfaces"]
        ]
        processes = []
        for launch, instance, pid in zip(launches, reply["instances"], reply["pids"], strict=True):
            stdin, stdout, stderr = os.fdopen(next(handed), "wb"), os.fdopen(next(handed), "rb"), next(handed)
            log = DeviceLog(os.fdopen(stderr, "rb"))
            processes.append(Process(instance, pid, launch.command, stdin, stdout, log))
            self._device(instance).process = processes[-1]
        return Started(processes, ends)

    def await_ready(self, started: Started, dut: DUT, timeout_s: float) -> list[tuple[str, str]]:
        """Wait for the ready lines: name and version of each device; the end of one is told to `dut` from now on.

        LinkError if a device says something else, nothing, or ends.
        """
        for process in started.processes:
            device = self._device(process.instance)
            device.dut = dut
            if device.ended.is_set():
                self._tell(device)
        said = [self._read_ready_line(process, timeout_s) for process in started.processes]
        dut.run_queue = RunQueue(*(process.pid for process in started.processes))
        return said

    def _read_ready_line(self, process: Process, timeout_s: float) -> tuple[str, str]:
        device = self._device(process.instance)
        line: Future[bytes] = Future()

        def read() -> None:
            line.set_result(process.stdout.readline(_LONGEST_READY_LINE))

        threading.Thread(target=read, name="ready line", daemon=True).start()
        name = shlex.join(process.command)
        said = self._wait_for(line, timeout_s, RunQueue(process.pid))
        if said is None:
            raise LinkError(f"{name}: no ready line within {timeout_s:g} s\n{process.log.tail()}".rstrip())
        if not said and device.ended.wait(_LEAVING_S):
            what = f"the device ended with exit code {device.code} before it was ready"
            raise LinkError(f"{name}: {what}\n{process.log.tail()}".rstrip())
        try:
            ready = read_json(said)
            if ready.get("ready") is not True:
                raise ValueError
        except (ValueError, AttributeError):
            shown = shortened(read_text(said.strip())) or "the end of its output"
            wanted = 'the first line of output must be {"ready": true, ...}'
            raise LinkError(f"{name}: {wanted}, not: {shown}\n{process.log.tail()}".rstrip()) from None
        return str(ready.get("name", ""))[:_LONGEST_NAME], str(ready.get("version", ""))[:_LONGEST_NAME]

    def _wait_for(self, answer: Future[Answer], timeout_s: float, queue: RunQueue | None = None) -> Answer | None:
        """The answer, or None if it does not come in time; time that the machine withheld is given again, twice.

        `queue` is that of the process that answers, where it is one of the device's.
        """
        for _ in range(1 + _EXTENSIONS):
            began = time.time_ns()
            if queue:
                queue.sample()
            try:
                return answer.result(timeout=timeout_s)
            except FutureTimeout:
                if not self._lag.starved(began, round(timeout_s * 1e9), queue):
                    return None
        return None

    def stdio(self, process: Process) -> Stdio:
        """The streams of a device, for an upper tester; once they end, how the device has ended and what it said."""
        device = self._device(process.instance)

        def final_words() -> str:
            ended = f"the device ended with exit code {device.code}\n" if device.ended.wait(_LEAVING_S) else ""
            return f"{ended}{process.log.tail()}"

        return Stdio(process.stdin, process.stdout, final_words)

    def stop(self, dut: DUT) -> None:
        """End one device: a moment to leave by itself after the end of its input, then by force."""
        for instance, device in list(self._devices.items()):
            if device.dut is dut:
                self._end(instance, device)

    def close(self) -> None:
        """End every device, then the supervisor and with it whatever is left. Does not raise."""
        self._closing = True
        leaving = list(self._devices.items())
        for _, device in leaving:
            _hang_up(device)
        for instance, device in leaving:
            self._end(instance, device)
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._scratch.close()

    def _end(self, instance: int, device: _Device) -> None:
        device.dut = None
        _hang_up(device)
        # Waited for here: the supervisor has other devices to look after.
        device.ended.wait(_LEAVING_S)
        with contextlib.suppress(LinkError, MachineError, OSError):
            self._request("stop the device", op="stop", instance=instance)
        with self._lock:
            self._devices.pop(instance, None)

    def _request(self, what: str, **content: Any) -> tuple[dict[str, Any], list[int]]:
        number = next(self._numbers)
        self._replies[number] = Future()
        try:
            self._control.send(json.dumps({"id": number, **content}).encode())
        except OSError:
            raise LinkError(f"{what}: the namespace supervisor has ended") from None
        return self._result(number, what)

    def _result(self, number: int, what: str) -> tuple[dict[str, Any], list[int]]:
        told = self._wait_for(self._replies[number], _TIMEOUT_S)
        self._replies.pop(number, None)
        if told is None:
            raise MachineError(f"{what}: no answer within {_TIMEOUT_S} s; let this machine have less to do")
        reply, fds = told
        if limit := reply.get("limit"):
            raise MachineError(f"{what}: {limit}")
        if error := reply.get("error"):
            raise machine_error(what, OSError(reply.get("errno"), error)) or LinkError(f"{what}: {error}")
        return reply, fds

    def _listen(self) -> None:
        while True:
            try:
                message, fds, _, _ = socket.recv_fds(self._control, _MESSAGE, _MOST_FDS)
            except OSError:
                message, fds = b"", []
            if not message:
                self._control.close()
                self._lose_everything()
                return
            content = json.loads(message)
            if event := content.get("event"):
                self._take(event, content)
            elif waiting := self._replies.get(content.get("id")):
                waiting.set_result((content, list(fds)))
            else:
                for fd in fds:
                    os.close(fd)

    def _take(self, event: str, content: dict[str, Any]) -> None:
        device = self._device(content["instance"])
        if event == "exit":
            device.code = content["code"]
            device.ended.set()
            self._tell(device)
        elif dut := device.dut:
            {"stopped": dut.stopped, "continued": dut.run_queue.continued}[event](content["ns"])

    def _lose_everything(self) -> None:
        for device in list(self._devices.values()):
            if (dut := device.dut) and not self._closing:
                dut.lose(DeviceLost("the namespace supervisor has ended, and the device with it"))
            device.ended.set()
        for waiting in list(self._replies.values()):
            if not waiting.done():
                waiting.set_result(({"error": "the namespace supervisor has ended"}, []))

    def _tell(self, device: _Device) -> None:
        # Read once: another thread takes it away when it stops the device.
        dut, process = device.dut, device.process
        if dut and not self._closing:
            is_neighbour = process and process.log is not dut.log
            name = f"the neighbour {shlex.join(process.command)}" if process and is_neighbour else "the device"
            said = process.log.tail() if process else ""
            dut.lose(DeviceLost(f"{name} ended with exit code {device.code}\n{said}".rstrip()))

    def _device(self, instance: int) -> _Device:
        with self._lock:
            return self._devices.setdefault(instance, _Device())


def _python_path() -> str:
    """The devices' own path of modules, then this project: `-m reference` is found from any folder."""
    return os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), _ROOT]))


def _hang_up(device: _Device) -> None:
    if device.process:
        with contextlib.suppress(OSError):
            device.process.stdin.close()
