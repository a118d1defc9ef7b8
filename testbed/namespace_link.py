# SPDX-License-Identifier: GPL-2.0-or-later
"""The `namespace` link: virtual wires to a device that the run starts in a namespace of its own."""

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
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import IO, Any

from profiles import Profile
from testbed.configuration import configuration
from testbed.dut import DUT, DeviceLog, Wiring
from testbed.lag import LagProbe
from testbed.port import Port
from testbed.upper_tester import open_agent
from testbed.verdict import DeviceLost

_HOLDER_PATIENCE_S = 20
_LEAVING_S = 1.0
_FDS_PER_PORT = 2


class LinkError(Exception):
    """The link or the device could not be brought up; the message is one line."""


class NamespaceLink:
    """Owns the holder (`testbed.namespaces`) and through it every namespace and process of the run."""

    def __init__(self, profile: Profile, wiring: Wiring, lag: LagProbe) -> None:
        self._profile = profile
        self._wiring = wiring
        self._lag = lag
        self._folder = tempfile.TemporaryDirectory(prefix="roamproof-")
        self._running: dict[int, tuple[DUT, IO[bytes]]] = {}
        self._ended: dict[int, threading.Event] = {}
        self._requesting = threading.Lock()
        self._started = itertools.count()
        self._closing = False
        self._reply: Future[tuple[dict[str, Any], list[int]]] = Future()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.set_inheritable(theirs.fileno(), True)
        self._holder = subprocess.Popen(
            [sys.executable, "-m", "testbed.namespaces", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "ROAMPROOF_PARENT": str(os.getpid())},
        )
        theirs.close()
        threading.Thread(target=self._listen, name="namespace link", daemon=True).start()
        self._take_reply("make namespaces")

    def start(self, role: str, wires: int = 1, extra: dict[str, Any] | None = None) -> DUT:
        """Start a device in `role` on fresh wires and wait until it says that it is ready.

        `extra` is added to the device's configuration. LinkError tells in one line what went wrong.
        """
        command = [part.replace("{python}", sys.executable) for part in self._profile.dut.command]
        path = Path(self._folder.name) / f"dut{next(self._started)}.json"
        request = {
            "op": "start",
            "command": command,
            "wires": wires,
            "environment": {"DUT_CONFIG": str(path), "PYTHONUNBUFFERED": "1"},
            "configuration": {**configuration(self._profile, role), **(extra or {})},
            "configuration_path": str(path),
        }
        reply, fds = self._request(request, f"start {shlex.join(command)}")
        ports = [self._open_port(*pair) for pair in zip(fds[0::2], fds[1::2], reply["macs"]["ports"], strict=False)]
        stdin, stdout, stderr = (
            os.fdopen(fd, mode) for fd, mode in zip(fds[wires * _FDS_PER_PORT :], ("wb", "rb", "rb"), strict=True)
        )
        log = DeviceLog(stderr)
        dut = DUT(ports, reply["macs"]["wires"], log, None)
        self._ended.setdefault(reply["instance"], threading.Event())
        self._running[reply["instance"]] = dut, stdin
        await_ready(dut, stdout, command, self._profile.dut.ready_timeout_s)
        dut.agent = open_agent(self._profile.dut.agent, (stdin, stdout), self._wiring.clock)
        return dut

    def stop(self, dut: DUT) -> None:
        """End one device: a moment to leave by itself after the end of its input, then by force."""
        instance = next(number for number, (one, _) in list(self._running.items()) if one is dut)
        _, stdin = self._running.pop(instance)
        with contextlib.suppress(OSError):
            stdin.close()
        # Waited for here, because the holder has to go on measuring lag.
        self._ended[instance].wait(_LEAVING_S)
        self._request({"op": "stop", "instance": instance}, "stop the device")
        for port in dut.ports:
            port.close()

    def close(self) -> None:
        """End every device, then the holder and with it whatever is left."""
        self._closing = True
        for dut, _ in list(self._running.values()):
            self.stop(dut)
        self._control.shutdown(socket.SHUT_RDWR)
        self._holder.wait(_HOLDER_PATIENCE_S)
        self._control.close()
        self._folder.cleanup()

    def _open_port(self, capture: int, sender: int, mac: str) -> Port:
        return Port(
            socket.socket(fileno=capture),
            socket.socket(fileno=sender),
            mac,
            self._wiring.clock,
            self._wiring.ipff_ethertype,
        )

    def _request(self, request: dict[str, Any], what: str) -> tuple[dict[str, Any], list[int]]:
        """One request at a time: the holder answers them in order."""
        with self._requesting:
            self._control.send(json.dumps(request).encode())
            return self._take_reply(what)

    def _take_reply(self, what: str) -> tuple[dict[str, Any], list[int]]:
        try:
            reply, fds = self._reply.result(timeout=_HOLDER_PATIENCE_S)
        except FutureTimeout:
            raise LinkError(f"{what}: the namespaces' holder does not answer") from None
        self._reply = Future()
        if error := reply.get("error"):
            raise LinkError(f"{what}: {error}")
        return reply, fds

    def _listen(self) -> None:
        while True:
            try:
                message, fds, _, _ = socket.recv_fds(self._control, 1 << 16, 64)
            except OSError:
                return
            if not message:
                self._lose("the namespaces' holder has ended")
                if not self._reply.done():
                    self._reply.set_result(({"error": "the holder has ended"}, []))
                return
            content = json.loads(message)
            event = content.get("event")
            if event == "lag":
                self._lag.add(content["ns"], content["lag_ns"])
            elif event == "exit":
                self._ended.setdefault(content["instance"], threading.Event()).set()
                self._lose(f"the device ended with exit code {content['code']}", content["instance"])
            else:
                self._reply.set_result((content, list(fds)))

    def _lose(self, why: str, instance: int | None = None) -> None:
        """Wake the cases of one device, or of all, with the reason why it is gone."""
        if self._closing:
            return
        for number, (dut, _) in list(self._running.items()):
            if instance in (None, number):
                said = dut.log.tail() if dut.log else ""
                dut.lost = DeviceLost(f"{why}\n{said}".rstrip())
                for port in dut.ports:
                    port.fail(dut.lost)


def await_ready(dut: DUT, stdout: IO[bytes], command: list[str], patience_s: float) -> None:
    """Wait for the ready line and note what the device says of itself; LinkError with the device's log otherwise."""
    line: Future[bytes] = Future()
    threading.Thread(target=lambda: line.set_result(stdout.readline()), daemon=True).start()
    log = dut.log.tail if dut.log else str
    try:
        said = line.result(timeout=patience_s)
    except FutureTimeout:
        raise LinkError(f"{shlex.join(command)}: no ready line within {patience_s:.0f} s\n{log()}") from None
    try:
        ready = json.loads(said)
        if ready.get("ready") is not True:
            raise ValueError
    except (ValueError, AttributeError):
        shown = said.decode(errors="replace").strip() or "the end of its output"
        wanted = '{"ready": true, ...}'
        raise LinkError(
            f"{shlex.join(command)}: the first line of output must be {wanted}, not: {shown}\n{log()}"
        ) from None
    dut.name, dut.version = str(ready.get("name", "")), str(ready.get("version", ""))
