# SPDX-License-Identifier: GPL-2.0-or-later
"""A reference host at the far end of a wire, driven from a test; works as root and as an ordinary user."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from tests.lab.ipff import Ipff
from tests.lab.wire import DUT, Peer, Wire, host_address

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("host_process.py")


def configuration(**changes: Any) -> dict[str, Any]:
    """The configuration of the DUT contract's page, with changes."""
    return {
        "protocol": "mops",
        "role": "server",
        "networks": {
            "ipff": {
                "address": DUT["ipff"],
                "ethertype": 0x88B5,
                "icmp_protocol": 1,
                "neighbour_mac": "02:00:00:00:00:01",
            },
            "ipv4": {"address": DUT["ipv4"], "prefix_length": 15, "icmp_protocol": 254},
        },
        "mops": {"rate_limit_s": 5.0, "migrate_seq": "window"},
        "services": {"echo": 7},
        **changes,
    }


class UpperTester:
    """JSON-RPC over the standard streams of a host."""

    streams: tuple[IO[bytes], IO[bytes]]

    def __init__(self) -> None:
        self._calls = 0
        self._responses: dict[int, dict[str, Any]] = {}

    def call(self, verb: str, **parameters: Any) -> Any:
        """A verb of the upper tester."""
        return self.result(self.start(verb, **parameters))

    def start(self, verb: str, **parameters: Any) -> int:
        """Send a request without waiting."""
        self._calls += 1
        request = {"jsonrpc": "2.0", "id": self._calls, "method": verb, "params": parameters}
        self.streams[0].write(json.dumps(request).encode() + b"\n")
        self.streams[0].flush()
        return self._calls

    def result(self, number: int) -> Any:
        while number not in self._responses:
            response = self.line(10.0)
            self._responses[response["id"]] = response
        response = self._responses.pop(number)
        if "error" in response:
            raise LookupError(response["error"]["code"], response["error"]["message"])
        return response["result"]

    def line(self, timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while not select.select([self.streams[1]], [], [], 0.05)[0]:
            if self.has_ended() or time.monotonic() > deadline:
                raise AssertionError(f"the reference does not answer: {self.log()}")
        line = self.streams[1].readline()
        if not line:
            raise AssertionError(f"the reference has ended: {self.log()}")
        return dict(json.loads(line))

    def has_ended(self) -> bool:
        raise NotImplementedError

    def log(self) -> str:
        raise NotImplementedError


class Lab(UpperTester):
    """One running host; `whole` is its configuration, otherwise `changes` are those to the contract page's."""

    command: tuple[str, ...] = ()  # after `python -m reference`
    wires = 1

    def __init__(self, *arguments: str, whole: dict[str, Any] | None = None, **changes: Any) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name)
        told = configuration(**changes) if whole is None else whole
        (path / "dut.json").write_text(json.dumps(told))
        self._log = open(path / "log", "w+b")  # noqa: SIM115
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(theirs.fileno()), str(self.wires), *self.command, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, pass_fds=[theirs.fileno()], cwd=ROOT,
            env={**os.environ, "DUT_CONFIG": str(path / "dut.json"), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        theirs.close()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        unbuffered = os.fdopen(self.process.stdout.fileno(), "rb", buffering=0, closefd=False)
        self.streams = self.process.stdin, unbuffered  # nothing waits where select does not see it
        self._hosts = 0x0100
        with ours:
            words, descriptors, *_ = socket.recv_fds(ours, 16, self.wires)
        if not descriptors:
            raise AssertionError(f"no wire: {self.log()}")
        self.daemon = int(words)
        reading = Ipff.of(told["networks"].get("ipff", {}))
        self.raws = [socket.socket(fileno=one) for one in descriptors]
        self.wire = Wire(self.raws[0], reading)
        self.ready = self.line(5.0)

    def __enter__(self) -> "Lab":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note("log of the reference:\n" + self.log())
        self.stop()

    def stop(self) -> int:
        """Ask the host to stop, and how it ended."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            return self.process.wait(3)
        finally:
            self.process.kill()
            self.process.wait()
            for raw in self.raws:
                raw.close()
            self._log.close()
            self._folder.cleanup()

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def accepted(self, listener: int) -> dict[str, Any]:
        """The connection that a listener has accepted, as soon as the last segment of its handshake has arrived."""
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            for connection in self.call("sockets")["connections"]:
                if connection["listener"] == listener:
                    return dict(connection)
        raise AssertionError("nothing was accepted")

    def address(self, network: str) -> str:
        """A fresh address of the tester."""
        self._hosts += 1
        return host_address(network, self._hosts)

    def peer(self, network: str, address: str | None = None, port: int = 1027, service: int = 7) -> Peer:
        """A fresh TCP peer."""
        return Peer(self.wire, network, address or self.address(network), port, service)
