# SPDX-License-Identifier: GPL-2.0-or-later
"""The `namespace` link: virtual wires to a device that the run starts in a namespace of its own."""

import socket
from typing import Any

from profiles import Profile, Role
from testbed.device.agents import open_agent
from testbed.device.dut import DUT, Wiring
from testbed.device.dut_config import configuration
from testbed.device.lag import LagProbe
from testbed.device.namespaces import NAMESPACES
from testbed.device.supervisor import Holder
from testbed.wire.interface import Interface


class NamespaceLink:
    """Makes wires and devices on demand; everything it makes ends with `close`, or with the test process."""

    def __init__(self, profile: Profile, wiring: Wiring, lag: LagProbe) -> None:
        self._profile = profile
        self._wiring = wiring
        self._holder = Holder(NAMESPACES, lag)
        self._running: list[DUT] = []

    def start(self, role: Role, wires: int = 1, extra: dict[str, Any] | None = None) -> DUT:
        """Start a device in `role` on fresh wires and wait until it says that it is ready.

        `extra` is added to the device's configuration. LinkError tells what went wrong.
        """
        content = {**configuration(self._profile, role), **(extra or {})}
        started = self._holder.start(self._profile, content, wires)
        ports = [
            Interface(
                socket.socket(fileno=capture),
                socket.socket(fileno=sender),
                mac,
                self._wiring.clock,
                self._wiring.ipff_ethertype,
            )
            for (capture, sender), mac in zip(started.sockets, started.port_macs, strict=True)
        ]
        dut = DUT(ports, started.wire_macs, started.log)
        self._running.append(dut)
        self._holder.await_ready(started, dut, self._profile)
        dut.agent = open_agent(self._profile, (started.stdin, started.stdout), self._wiring.clock)
        return dut

    def stop(self, dut: DUT) -> None:
        """End one device and close its ports."""
        self._holder.stop(dut)
        dut.close()
        self._running.remove(dut)

    def close(self) -> None:
        """End every device, then the holder and with it whatever is left."""
        self._holder.close()
        for dut in list(self._running):
            dut.close()
