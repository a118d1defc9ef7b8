# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester's side of the holder (`testbed.device.namespaces`): starts devices, notices their end, ends them."""

import contextlib
import itertools
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from profiles import Profile
from testbed.device.dut import DUT, DeviceLog
from testbed.device.lag import LagProbe
from testbed.interruptions import DeviceLost

# Found whatever folder pytest was called from; that folder stays the current one, for the device's command.
_ROOT = str(Path(__file__).resolve().parents[2])
_PROGRAM = f"import sys; sys.path[0] = {_ROOT!r}; from testbed.device.namespaces import main; main()"

_PATIENCE_S = 20
_LEAVING_S = 1.0
_EXTENSIONS = 2
_LONGEST_READY_LINE = 1 << 16
_MESSAGE = 1 << 16
_MOST_FDS = 16


class LinkError(Exception):
    """The link or the device could not be brought up: what and why in the first line, then the device's last words."""


@dataclass(frozen=True)
class Started:
    """A device's process and the tester's ends: Ethernet addresses and two sockets (capture, sender) for each wire."""

    instance: int
    port_macs: list[str]
    wire_macs: list[str]
    sockets: list[tuple[int, int]]
    stdin: IO[bytes]
    stdout: IO[bytes]
    log: DeviceLog


@dataclass
class _Device:
    dut: DUT | None = None
    stdin: IO[bytes] | None = None
    code: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


class Holder:
    """Owns the holder process and through it every namespace and process of the run.

    `kind` is `NAMESPACES` or `PROCESSES` of `testbed.device.namespaces`. To be made in the main thread: the
    kernel ends the holder when the thread that started it ends.
    """

    def __init__(self, kind: str, lag: LagProbe) -> None:
        self._lag = lag
        self._folder = tempfile.TemporaryDirectory(prefix="roamproof-")
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
        self._process = subprocess.Popen([sys.executable, "-c", _PROGRAM, *arguments], pass_fds=fds)
        for end in theirs:
            end.close()
        lag.listen(end for end, _ in probes)
        threading.Thread(target=self._listen, name="holder", daemon=True).start()
        self._result(0, "make namespaces")

    def start(self, profile: Profile, configuration: dict[str, Any], wires: int) -> Started:
        """Start the profile's command as a device with fresh wires; LinkError if the command cannot be started."""
        command = command_of(profile)
        path = Path(self._folder.name) / f"dut{next(self._numbers)}.json"
        reply, fds = self._request(
            f"start {shlex.join(command)}",
            op="start",
            command=command,
            wires=wires,
            environment={"DUT_CONFIG": str(path), "PYTHONUNBUFFERED": "1"},
            configuration=configuration,
            configuration_path=str(path),
        )
        sockets, streams = fds[: 2 * wires], fds[2 * wires :]
        stdin, stdout, stderr = (os.fdopen(fd, mode) for fd, mode in zip(streams, ("wb", "rb", "rb"), strict=True))
        instance = reply["instance"]
        self._device(instance).stdin = stdin
        return Started(
            instance,
            reply["macs"]["ports"],
            reply["macs"]["wires"],
            list(zip(sockets[0::2], sockets[1::2], strict=True)),
            stdin,
            stdout,
            DeviceLog(stderr),
        )

    def await_ready(self, started: Started, dut: DUT, profile: Profile) -> None:
        """Wait for the ready line and note what the device says of itself; its end is told to `dut` from now on.

        LinkError if the device says something else, nothing, or ends.
        """
        device = self._device(started.instance)
        device.dut = dut
        if device.ended.is_set():
            self._tell(device)
        line: Future[bytes] = Future()

        def read() -> None:
            line.set_result(started.stdout.readline(_LONGEST_READY_LINE))

        threading.Thread(target=read, name="ready line", daemon=True).start()
        name = shlex.join(command_of(profile))
        patience = profile.dut.ready_timeout_s
        said = self._wait_for(line, patience)
        if said is None:
            raise LinkError(f"{name}: no ready line within {patience:g} s\n{started.log.tail()}".rstrip())
        if not said and device.ended.wait(_LEAVING_S):
            what = f"the device ended with exit code {device.code} before it was ready"
            raise LinkError(f"{name}: {what}\n{started.log.tail()}".rstrip())
        try:
            ready = json.loads(said)
            if ready.get("ready") is not True:
                raise ValueError
        except (ValueError, AttributeError):
            shown = said.decode(errors="backslashreplace").strip() or "the end of its output"
            wanted = 'the first line of output must be {"ready": true, ...}'
            raise LinkError(f"{name}: {wanted}, not: {shown}\n{started.log.tail()}".rstrip()) from None
        dut.name, dut.version = str(ready.get("name", "")), str(ready.get("version", ""))

    def _wait_for(self, line: Future[bytes], patience_s: float) -> bytes | None:
        """The line, or None if it does not come in time; time that the machine withheld is given again, twice."""
        for _ in range(1 + _EXTENSIONS):
            began = time.time_ns()
            try:
                return line.result(timeout=patience_s)
            except FutureTimeout:
                if not self._lag.starved(began, round(patience_s * 1e9)):
                    return None
        return None

    def stop(self, dut: DUT) -> None:
        """End one device: a moment to leave by itself after the end of its input, then by force."""
        for instance, device in list(self._devices.items()):
            if device.dut is dut:
                self._end(instance, device)

    def close(self) -> None:
        """End every device, then the holder and with it whatever is left. Does not raise."""
        self._closing = True
        leaving = list(self._devices.items())
        for _, device in leaving:
            _hang_up(device)
        for instance, device in leaving:
            self._end(instance, device)
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _end(self, instance: int, device: _Device) -> None:
        device.dut = None
        _hang_up(device)
        # Waited for here: the holder has other devices to look after.
        device.ended.wait(_LEAVING_S)
        with contextlib.suppress(LinkError, OSError):
            self._request("stop the device", op="stop", instance=instance)
        with self._lock:
            self._devices.pop(instance, None)

    def _request(self, what: str, **content: Any) -> tuple[dict[str, Any], list[int]]:
        number = next(self._numbers)
        self._replies[number] = Future()
        try:
            self._control.send(json.dumps({"id": number, **content}).encode())
        except OSError:
            raise LinkError(f"{what}: the namespaces' holder has ended") from None
        return self._result(number, what)

    def _result(self, number: int, what: str) -> tuple[dict[str, Any], list[int]]:
        try:
            reply, fds = self._replies[number].result(timeout=_PATIENCE_S)
        except FutureTimeout:
            raise LinkError(f"{what}: the namespaces' holder does not answer") from None
        finally:
            self._replies.pop(number, None)
        if error := reply.get("error"):
            raise LinkError(f"{what}: {error}")
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
            if content.get("event") == "exit":
                device = self._device(content["instance"])
                device.code = content["code"]
                device.ended.set()
                self._tell(device)
            elif waiting := self._replies.get(content.get("id")):
                waiting.set_result((content, list(fds)))
            else:
                for fd in fds:
                    os.close(fd)

    def _lose_everything(self) -> None:
        for device in list(self._devices.values()):
            if device.dut and not self._closing:
                device.dut.lose(DeviceLost("the namespaces' holder has ended, and the device with it"))
            device.ended.set()
        for waiting in list(self._replies.values()):
            if not waiting.done():
                waiting.set_result(({"error": "the namespaces' holder has ended"}, []))

    def _tell(self, device: _Device) -> None:
        if device.dut and not self._closing:
            said = device.dut.log.tail() if device.dut.log else ""
            device.dut.lose(DeviceLost(f"the device ended with exit code {device.code}\n{said}".rstrip()))

    def _device(self, instance: int) -> _Device:
        with self._lock:
            return self._devices.setdefault(instance, _Device())


def command_of(profile: Profile) -> list[str]:
    """The device's command with `{python}` filled in."""
    return [part.replace("{python}", sys.executable) for part in profile.dut.command]


def _hang_up(device: _Device) -> None:
    if device.stdin:
        with contextlib.suppress(OSError):
            device.stdin.close()
