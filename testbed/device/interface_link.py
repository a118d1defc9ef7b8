# SPDX-License-Identifier: GPL-2.0-or-later
"""The `interface` link: a device on a real wire. Only the profile's interface and addresses are ever touched."""

import socket
from typing import IO

from profiles import InterfaceLink as InterfaceLinkTable
from profiles import Profile, Role
from testbed.device.agents import open_agent
from testbed.device.dut import DUT, Wiring
from testbed.device.dut_config import configuration
from testbed.device.lag import LagProbe
from testbed.device.namespaces import PROCESSES
from testbed.device.supervisor import Holder, LinkError
from testbed.wire.interface import Interface
from testbed.wire.sockets import open_capture, open_sender


class InterfaceLink:
    """One port on an existing interface, and the device's command if the profile has one.

    `share` of `shares` test processes on the wire: the first that no other process of this network namespace has.
    LinkError if all are taken.
    """

    def __init__(
        self, profile: Profile, table: InterfaceLinkTable, wiring: Wiring, lag: LagProbe, shares: int = 1
    ) -> None:
        self._profile = profile
        self._table = table
        self._wiring = wiring
        self._lag = lag
        self._holder: Holder | None = None
        self._dut: DUT | None = None
        self.shares = shares
        self.share, self._claim = self._claim_share()

    def start(self, role: Role) -> DUT:
        """Open the port; start the device's command, if any, and wait for its ready line."""
        name = self._table.interface
        try:
            capture, sender = open_capture(name), open_sender(name)
        except OSError as error:
            raise LinkError(f"{self._profile.path}: link.interface: {name}: {error.strerror}") from None
        mac = capture.getsockname()[4].hex(":")  # sysfs may show the interfaces of another namespace
        port = Interface(capture, sender, mac, self._wiring.clock, self._wiring.ipff_ethertype)
        self._dut = DUT([port], [self._table.dut_mac])
        stdio = self._start_command(self._dut, role, mac) if self._profile.dut.command else None
        self._dut.agent = open_agent(self._profile, stdio, self._wiring.clock)
        return self._dut

    def close(self) -> None:
        """Stop the command, close the port and let others have the share."""
        if self._holder:
            self._holder.close()
        if self._dut:
            self._dut.close()
        self._claim.close()

    def _start_command(self, dut: DUT, role: Role, mac: str) -> tuple[IO[bytes], IO[bytes]]:
        self._holder = Holder(PROCESSES, self._lag)
        started = self._holder.start(self._profile, configuration(self._profile, role, mac), 0)
        dut.log = started.log
        self._holder.await_ready(started, dut, self._profile)
        return started.stdin, started.stdout

    def _claim_share(self) -> tuple[int, socket.socket]:
        # An abstract address in the network namespace is a lock that goes with its owner, however that ends.
        for share in range(self.shares):
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                claim.bind(f"\0roamproof/{self._table.interface}/{share}")
            except OSError:
                claim.close()
            else:
                return share, claim
        raise LinkError(f"{self._profile.path}: link.interface: {self._table.interface}: in use by another run")
