# SPDX-License-Identifier: GPL-2.0-or-later
"""A running DUT: its wires, its log, its upper tester."""

import re
import socket
import threading
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO

from testbed.device.run_queue import RunQueue
from testbed.device.upper_tester import UpperTester
from testbed.interruptions import DeviceLost, NotApplicable
from testbed.wire.carrier import Carrier
from testbed.wire.clock import Clock
from testbed.wire.headers import IpffEnds
from testbed.wire.interface import Interface

_KEPT_LINES = 20_000
_LONGEST_LINE = 2_000
_LAST_LINES = 20
_FINAL_LOG_S = 0.5


class DeviceLog:
    """The standard error of a device, line by line with the time of arrival: the last 20 000 lines, cut at 2 000 bytes.

    Reads to the end even where nothing is kept, so that a verbose device is never held up.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: deque[tuple[int, str]] = deque(maxlen=_KEPT_LINES)
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, args=(stream,), name="device log", daemon=True)
        self._reader.start()

    def between(self, start_ns: int, end_ns: int, addresses: frozenset[str] = frozenset()) -> str:
        """Lines that arrived between two stamps; with `addresses`, those that name one of them."""
        with self._lock:
            first = bisect_left(self._lines, start_ns, key=_stamp)
            last = bisect_right(self._lines, end_ns, key=_stamp)
            lines = [text for _, text in islice(self._lines, first, last)]
        if addresses:
            named = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, addresses))})(?!\w|\.\w)")
            lines = [text for text in lines if named.search(text)]
        return "\n".join(lines)

    def tail(self) -> str:
        """The last lines, waiting a moment for a device that has just died to have said why."""
        self._reader.join(timeout=_FINAL_LOG_S)
        with self._lock:
            return "\n".join(text for _, text in list(self._lines)[-_LAST_LINES:])

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(_LONGEST_LINE):
                text = line.decode(errors="replace").rstrip("\n")
                with self._lock:
                    self._lines.append((time.time_ns(), text))


def _stamp(line: tuple[int, str]) -> int:
    return line[0]


@dataclass(frozen=True)
class Wire:
    """The tester's end of a wire, and the Ethernet address that it sends to."""

    interface: Interface
    mac: str


@dataclass(eq=False)
class DUT:
    """The device as the tester knows it, with a wire for each link: `link`, or `inside`, `outside`.

    `between 1` is the wire after the first device of a chain. `name` and `version` are what the device says of itself
    when it is ready, `lost` why it is gone. `run_queue` knows of no process where it runs on another machine.
    """

    wires: dict[str, Wire]
    log: DeviceLog | None = None
    agent: UpperTester | None = None
    name: str = ""
    version: str = ""
    lost: DeviceLost | None = None
    run_queue: RunQueue = field(default_factory=RunQueue)

    def upper_tester(self) -> UpperTester:
        """The upper tester; NotApplicable where the profile has none."""
        if self.agent is None:
            raise NotApplicable("the profile has neither dut.agent nor dut.verbs")
        return self.agent

    def lose(self, why: DeviceLost) -> None:
        """Let every case that waits or will wait for the device end with this reason; the first reason stays."""
        self.lost = self.lost or why
        for wire in self.wires.values():
            wire.interface.fail(self.lost)

    def await_wires(self) -> None:
        """Return when no wire is unplugged, or the device is given up."""
        for wire in self.wires.values():
            if wire.interface.carrier:
                wire.interface.carrier.wait()

    def close(self) -> None:
        """Close the tester's ends."""
        if self.agent:
            self.agent.close()
        for wire in self.wires.values():
            wire.interface.close()


@dataclass(frozen=True)
class Wiring:
    """What a link needs to open interfaces."""

    clock: Clock
    ipff: IpffEnds

    def interface(
        self,
        name: str,
        capture: socket.socket,
        sender: socket.socket,
        mac: str,
        numbers: Iterator[int],
        carrier: Carrier | None = None,
    ) -> Interface:
        """The interface of this name, with `numbers` for its frames; a real wire has a `carrier`."""
        return Interface(name, capture, sender, mac, self.clock, self.ipff, numbers, carrier)
