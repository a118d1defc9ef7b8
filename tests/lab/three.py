# SPDX-License-Identifier: GPL-2.0-or-later
"""A device with two wires and a host at each, all with the kernel's own TCP, and programs in any of the three."""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from reference.system.linux import enter_network
from tests.lab.host import ROOT, UpperTester
from tests.lab.pair import wait_for

SCRIPT = Path(__file__).with_name("three_process.py")
FIRST, DEVICE, SECOND = range(3)
_CLONE_NEWUSER = 0x10000000


class Three:
    """The namespaces; `hosts` has the addresses and the prefix length of the first and the second one."""

    def __init__(self, folder: Path, hosts: Sequence[tuple[Sequence[str], int]]) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), json.dumps(hosts)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert self._process.stdout is not None
        self._pids = json.loads(self._process.stdout.readline())

    def __enter__(self) -> "Three":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (*self._started, self._process):
            one.kill()
            for stream in (one.stdin, one.stdout):
                if stream is not None:
                    stream.close()
            one.wait()
        for log in self.folder.glob("*.log"):
            if error is not None:
                error.add_note(f"{log.name}:\n{log.read_text()[-3000:]}")

    def server_log(self) -> str:
        return (self.folder / "server.log").read_text()

    def wait_for(self, name: str, timeout: float) -> str:
        return wait_for(self.folder / name, timeout)

    def start(
        self, where: int, argv: Sequence[str], name: str = "", environment: Mapping[str, str] | None = None, **more: Any
    ) -> "subprocess.Popen[bytes]":
        """Start a program, `{folder}` in its words that of the test; output that nobody takes goes to `NAME.log`."""
        argv = [word.replace("{folder}", str(self.folder)) for word in argv]
        pid = self._pids[where]
        user, network = (os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in ("user", "net"))
        is_root = os.geteuid() == 0

        def enter() -> None:
            if not is_root:
                ctypes.CDLL(None).setns(user, _CLONE_NEWUSER)
            enter_network(network)

        with open(self.folder / f"{name or Path(argv[0]).name}.log", "ab") as log:
            started = subprocess.Popen(
                argv, cwd=self.folder, preexec_fn=enter,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
                **{"stdout": log, "stderr": log, **more},
            )  # fmt: skip
        os.close(user)
        os.close(network)
        self._started.append(started)
        return started

    def run(self, where: int, argv: Sequence[str], timeout: float = 30.0, **more: Any) -> bytes:
        """What a program prints; AssertionError when it fails."""
        started = self.start(where, argv, stdout=subprocess.PIPE, **more)
        output, _ = started.communicate(timeout=timeout)
        assert started.returncode == 0, f"{argv[0]} ended with {started.returncode}: {output!r}"
        return output


class Reference(UpperTester):
    """The reference as the device."""

    def __init__(self, three: Three, told: Mapping[str, Any], *arguments: str) -> None:
        super().__init__()
        self._three = three
        path = three.folder / "device.json"
        path.write_text(json.dumps(told))
        self._process = three.start(
            DEVICE, [sys.executable, "-m", "reference", *arguments], "device",
            {"DUT_CONFIG": str(path), "DUT_WIRES": "wire0 wire1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.streams = self._process.stdin, self._process.stdout
        self.line(20.0)

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def log(self) -> str:
        return (self._three.folder / "device.log").read_text()
