# SPDX-License-Identifier: GPL-2.0-or-later
"""A running DUT: its wires, its log, its upper tester."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from testbed.device.log import DeviceLog
from testbed.device.run_queue import RunQueue
from testbed.device.upper_tester import UpperTester
from testbed.interruptions import DeviceLost, NotApplicable
from testbed.wire.carrier import Carrier
from testbed.wire.clock import Clock
from testbed.wire.headers import IpffEnds
from testbed.wire.interface import Interface

STOPPED_FOR_GOOD_S = 10
"""How long a device may be stopped by a signal, before it counts as lost."""


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

    def outages(self) -> int:
        """How often a wire was found unplugged."""
        return sum(wire.interface.carrier.outages for wire in self.wires.values() if wire.interface.carrier)

    def await_wires(self) -> None:
        """Return when no wire is unplugged, or the device is given up."""
        for wire in self.wires.values():
            if wire.interface.carrier:
                wire.interface.carrier.wait()

    def stopped(self, ns: int) -> None:
        """A signal has stopped it at `ns`; that is withheld from it. Where it does not go on it is lost."""
        self.run_queue.stopped(ns)
        timer = threading.Timer(STOPPED_FOR_GOOD_S, self._lose_if_stopped_since, [ns])
        timer.daemon = True
        timer.start()

    def _lose_if_stopped_since(self, ns: int) -> None:
        if self.run_queue.is_stopped_since(ns):
            log = self.log.tail() if self.log else ""
            what = f"the device was stopped by a signal, and has not gone on for {STOPPED_FOR_GOOD_S} s"
            self.lose(DeviceLost(f"{what}\n{log}".rstrip()))

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
