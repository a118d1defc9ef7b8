# SPDX-License-Identifier: GPL-2.0-or-later
"""A running DUT: its wires, its log, its upper tester."""

import threading
import time
from dataclasses import dataclass
from typing import IO

from testbed.clock import Clock
from testbed.port import Port
from testbed.upper_tester import UpperTester
from testbed.verdict import DeviceLost, NotApplicable

_KEPT_LOG_LINES = 20_000


class DeviceLog:
    """The standard error of a device, line by line with the time of arrival."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: list[tuple[int, str]] = []
        self._reader = threading.Thread(target=self._read, args=(stream,), name="device log", daemon=True)
        self._reader.start()

    def between(self, start_ns: int, end_ns: int, words: frozenset[str] = frozenset()) -> str:
        """Lines that arrived between two stamps; with `words`, those that contain one of them."""
        lines = [text for ns, text in self._lines if start_ns <= ns <= end_ns]
        return "\n".join(text for text in lines if not words or any(word in text for word in words))

    def tail(self) -> str:
        """The last lines, waiting a moment for a device that has just died to have said why."""
        self._reader.join(timeout=0.5)
        return "\n".join(text for _, text in self._lines[-20:])

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            if len(self._lines) < _KEPT_LOG_LINES:
                self._lines.append((time.time_ns(), line.decode(errors="replace").rstrip("\n")))


@dataclass
class DUT:
    """The device as the tester knows it. `name` and `version` are what it says of itself when it is ready."""

    ports: list[Port]
    macs: list[str]
    log: DeviceLog | None
    agent: UpperTester | None
    name: str = ""
    version: str = ""
    lost: DeviceLost | None = None

    def upper_tester(self) -> UpperTester:
        """The upper tester; NotApplicable where the profile has none."""
        if self.agent is None:
            raise NotApplicable("the profile has no dut.agent")
        return self.agent


@dataclass(frozen=True)
class Wiring:
    """What a link needs to open ports."""

    clock: Clock
    ipff_ethertype: int
