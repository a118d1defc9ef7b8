# SPDX-License-Identifier: GPL-2.0-or-later
"""The `namespace` link: virtual wires to a device that the run starts in a namespace of its own."""

import itertools
import socket
from collections.abc import Hashable, Iterable

from profiles import Profile, Role
from testbed.device.agents import open_agent
from testbed.device.chain import Chain, overlay
from testbed.device.dut import DUT, Wire, Wiring
from testbed.device.dut_config import configuration, network_names
from testbed.device.lag import LagProbe
from testbed.device.launch import End, Launch, command_of
from testbed.device.namespaces import NAMESPACES
from testbed.device.supervisor import Supervisor


class NamespaceLink:
    """Makes wires and devices on demand; everything it makes ends with `close`, or with the test process."""

    has_one_device = False

    def __init__(self, profile: Profile, wiring: Wiring, lag: LagProbe) -> None:
        self._profile = profile
        self._wiring = wiring
        self._supervisor = Supervisor(NAMESPACES, lag)
        self._running: list[DUT] = []

    def start(self, role: Role, chain: Chain | None = None) -> DUT:
        """Start a device on fresh wires, or a chain of devices, and wait until each says that it is ready."""
        place = chain.place if chain else 0
        wires = len(role.links)
        started = self._supervisor.start(self._launches(role, chain), wires, chain.taps if chain else ())
        numbers = itertools.count()
        names = [chain.link(end.wire) if chain else role.links[end.wire] for end in started.ends]
        dut = DUT({name: self._wire(name, end, place, numbers) for name, end in zip(names, started.ends, strict=True)})
        process = started.processes[place]
        dut.log = process.log
        self._running.append(dut)
        try:
            said = self._supervisor.await_ready(started, dut, self._profile.dut.ready_timeout_s)
            dut.name, dut.version = said[place]
            dut.agent = open_agent(self._profile, self._supervisor.stdio(process), self._wiring.clock)
        except BaseException:
            self.stop(dut)
            raise
        return dut

    def stop(self, dut: DUT) -> None:
        """End one device with its neighbours, and close the tester's interfaces."""
        self._supervisor.stop(dut)
        dut.close()
        self._running.remove(dut)

    def close(self) -> None:
        """End every device, then the supervisor and with it whatever is left."""
        self._supervisor.close()
        for dut in list(self._running):
            dut.close()

    def instance(self, role: Role) -> Hashable:
        """Every role has a device of its own."""
        return role

    def networks(self, role: Role) -> list[str]:
        """Those of the role that the profile claims."""
        return network_names(self._profile, role)

    def rules_out(self, role: Role, running: Iterable[Role], *, chained: bool) -> str:
        """Nothing: devices are made as they are needed."""
        return ""

    def _launches(self, role: Role, chain: Chain | None) -> list[Launch]:
        dut, content = self._profile.dut, configuration(self._profile, role)
        command, fork_server = command_of(dut.command), command_of(dut.fork_server)
        if not chain:
            return [Launch(command, content, fork_server)]
        return [
            Launch(command, overlay(content, one.configuration), fork_server)
            if one.is_dut
            else Launch(command_of(one.command), overlay(one.configuration, {}))
            for one in chain.positions
        ]

    def _wire(self, name: str, end: End, place: int, numbers: "itertools.count[int]") -> Wire:
        """The tester's end of a wire, sending to the device under test if it is there, else to the inner device."""
        capture, sender = socket.socket(fileno=end.capture), socket.socket(fileno=end.sender)
        interface = self._wiring.interface(name, capture, sender, end.mac, numbers)
        dut_is_outer = end.wire == place and len(end.device_macs) > 1
        return Wire(interface, end.device_macs[1 if dut_is_outer else 0])
