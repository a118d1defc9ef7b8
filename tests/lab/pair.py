# SPDX-License-Identifier: GPL-2.0-or-later
"""Two hosts at the ends of one wire, with programs that know nothing of it; works as root and as an ordinary user."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.lab.host import ROOT, UpperTester, configuration

SCRIPT = Path(__file__).with_name("pair_process.py")
ADDRESSES = ("198.18.0.1", "198.19.0.1")
IPFF_ADDRESSES = ("8.8.8.8.8", "525.8.78.3.9")
NEIGHBOURS = ("02:00:00:00:00:02", "02:00:00:00:00:01")
PYTHON = sys.executable


class End(UpperTester):
    """One end: a host, or a program on an ordinary kernel."""

    def __init__(
        self,
        folder: Path,
        index: int,
        applications: list[list[str]],
        legacy: bool,
        role: str,
        settings: dict[str, Any],
        before: list[str],
    ) -> None:
        super().__init__()
        self.folder, self.address, self.index = folder, ADDRESSES[index], index
        self.is_over = False
        there, to = os.pipe()
        back, here = os.pipe()
        self.far = (there, here)
        self.streams = os.fdopen(to, "wb"), os.fdopen(back, "rb", buffering=0)
        networks = configuration()["networks"]
        networks["ipff"] |= {"address": IPFF_ADDRESSES[index], "neighbour_mac": NEIGHBOURS[index]}
        networks["ipv4"]["address"] = self.address
        self.protocol, _, name = role.partition(" ")
        changes: dict[str, Any] = {
            "protocol": self.protocol,
            "role": name,
            "networks": networks,
            self.protocol: settings,
        }
        changes["applications"] = applications
        path = folder / f"{index}.json"
        path.write_text(json.dumps(configuration(**changes)))
        self.specification = {
            "command": applications[0] if legacy else [*before, PYTHON, "-m", "reference"],
            "stdin": there,
            "stdout": here,
            "environment": {"DUT_CONFIG": str(path)},
            **({"address": self.address} if legacy else {}),
        }

    def has_ended(self) -> bool:
        return self.is_over

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def move(self, address: str) -> None:
        self.call("move", address=address)
        self.address = address


class Pair:
    """Both ends; `legacy` is the index of one whose own kernel is on the wire.

    `before` are the words before the command of each host, of a program that becomes what comes after them.
    """

    def __init__(
        self,
        folder: Path,
        first: list[list[str]],
        second: list[list[str]],
        legacy: int | None = None,
        roles: tuple[str, str] = ("rehash host", "rehash host"),
        before: tuple[list[str], list[str]] = ([], []),
        **settings: Any,
    ) -> None:
        self.folder = folder
        self._log = open(self.folder / "log", "wb")  # noqa: SIM115
        both = [[self._placed(argv) for argv in applications] for applications in (first, second)]
        self.ends = [
            End(self.folder, index, both[index], index == legacy, roles[index], settings, before[index])
            for index in range(2)
        ]
        descriptors = [one for end in self.ends for one in end.far]
        self.process = subprocess.Popen(
            [PYTHON, str(SCRIPT), json.dumps([end.specification for end in self.ends])],
            stderr=self._log, pass_fds=descriptors, cwd=self.folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        for descriptor in descriptors:
            os.close(descriptor)
        for index, end in enumerate(self.ends):
            if index != legacy:
                end.line(20.0)

    def _placed(self, argv: list[str]) -> list[str]:
        return [word.replace("{folder}", str(self.folder)) for word in argv]

    def __enter__(self) -> "Pair":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note("log of both ends:\n" + self.ends[0].log())
        for end in self.ends:
            for stream in end.streams:
                stream.close()
        self.process.kill()
        self.process.wait()
        self._log.close()

    def server_log(self) -> str:
        return self.ends[0].log()

    def wait_for(self, name: str, timeout: float) -> str:
        return wait_for(self.folder / name, timeout)


def wait_for(path: Path, timeout: float) -> str:
    """The content of a file that a program is to write."""
    deadline = time.monotonic() + timeout
    while not path.exists():
        if time.monotonic() > deadline:
            raise AssertionError(f"no {path.name}")
        time.sleep(0.02)
    return path.read_text().strip()
