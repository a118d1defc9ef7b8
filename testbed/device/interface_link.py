# SPDX-License-Identifier: GPL-2.0-or-later
"""The `interface` link: a device on real wires. Only the profile's interfaces and addresses are ever touched."""

import itertools
from collections.abc import Hashable, Iterable, Iterator

from profiles import Profile, Role, link_key
from testbed.device.agents import open_agent
from testbed.device.chain import Chain
from testbed.device.dut import DUT, Wire, Wiring
from testbed.device.dut_config import configuration, network_names
from testbed.device.lag import LagProbe
from testbed.device.launch import Launch, Stdio, command_of
from testbed.device.namespaces import PROCESSES, fill_neighbours
from testbed.device.supervisor import LinkError, Supervisor
from testbed.wire.carrier import Carrier
from testbed.wire.sockets import open_capture, open_sender


class InterfaceLink:
    """Existing interfaces, and the device's command if the profile has one.

    There is one device, for all cases: one test process probes it. The lag of the tester's own processors is measured
    here too: they stamp the frames.
    """

    has_one_device = True

    def __init__(self, profile: Profile, wiring: Wiring, lag: LagProbe) -> None:
        self._profile = profile
        self._wiring = wiring
        self._running: list[DUT] = []
        self._supervisor = Supervisor(PROCESSES, lag)

    def start(self, role: Role, chain: Chain | None = None) -> DUT:
        """Open the interfaces of a role; start the device's command, if any, and wait for its ready line."""
        numbers = itertools.count()
        dut = DUT({})
        self._running.append(dut)
        for link in role.links:
            dut.wires[link] = self._open(link, numbers)
        stdio = self._start_command(dut, role) if self._profile.dut.command else None
        dut.agent = open_agent(self._profile, stdio, self._wiring.clock)
        return dut

    def stop(self, dut: DUT) -> None:
        """Stop the command and close the interfaces."""
        self._supervisor.stop(dut)
        dut.close()
        self._running.remove(dut)

    def close(self) -> None:
        """Stop the command and close the interfaces."""
        self._supervisor.close()
        for dut in self._running:
            dut.close()

    def instance(self, role: Role) -> Hashable:
        """One device serves all roles with the same links."""
        return role.links

    def networks(self, role: Role) -> list[str]:
        """Those of all roles that the device has on these links; a command is told those of its role."""
        roles = [one for one in self._profile.claimed if one.links == role.links] or [role]
        known = [network_names(self._profile, one) for one in ([role] if self._profile.dut.command else roles)]
        return list(dict.fromkeys(name for names in known for name in names))

    def rules_out(self, role: Role, running: Iterable[Role], *, chained: bool) -> str:
        """There is one device, and if it is a command of ours it is in one role at a time."""
        path, kind = self._profile.path, f'{link_key(role.links[0])}.kind is "interface"'
        if chained:
            return f"{path}: {kind}: no further device stands beside the one on the wire"
        others = [one for one in running if one != role]
        if self._profile.dut.command and others:
            return f'{path}: {kind}: dut.command runs in one role at a time, here "{others[0].qualified}"'
        return ""

    def _open(self, link: str, numbers: Iterator[int]) -> Wire:
        table = self._profile.link.interfaces[link_key(link)]
        what = f"{self._profile.path}: {link_key(link)}.interface: {table.interface}"
        try:
            capture, sender = open_capture(table.interface), open_sender(table.interface)
        except OSError as error:
            raise LinkError(f"{what}: {error.strerror}") from None
        mac = capture.getsockname()[4].hex(":")  # sysfs may show the interfaces of another namespace
        carrier = Carrier(table.interface)
        if not carrier.is_up():
            raise LinkError(f"{what}: is down; set it up (ip link set up), and plug its cable in")
        return Wire(self._wiring.interface(link, capture, sender, mac, numbers, carrier), table.dut_mac)

    def _start_command(self, dut: DUT, role: Role) -> Stdio:
        dut_table, content = self._profile.dut, configuration(self._profile, role)
        fill_neighbours(content, [wire.interface.mac for wire in dut.wires.values()])
        launch = Launch(command_of(dut_table.command), content, command_of(dut_table.fork_server))
        started = self._supervisor.start([launch], 0)
        process = started.processes[0]
        dut.log = process.log
        [(dut.name, dut.version)] = self._supervisor.await_ready(started, dut, self._profile.dut.ready_timeout_s)
        return self._supervisor.stdio(process)
