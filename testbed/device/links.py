# SPDX-License-Identifier: GPL-2.0-or-later
"""What every kind of link can do: where the device is and how it comes about."""

from collections.abc import Hashable, Iterable
from typing import Protocol

from profiles import Role
from testbed.device.chain import Chain
from testbed.device.dut import DUT


class Link(Protocol):
    """A kind of link, with the devices on it.

    Where it `has_one_device`, every case of a role is at the same one; otherwise devices are made as they are needed.
    """

    has_one_device: bool

    def start(self, role: Role, chain: Chain | None = None) -> DUT:
        """The device in a role, ready, alone or in a chain. LinkError tells what went wrong."""
        ...

    def stop(self, dut: DUT) -> None:
        """End a device and close the tester's ends of its wires."""
        ...

    def close(self) -> None:
        """End every device."""
        ...

    def instance(self, role: Role) -> Hashable:
        """The same for all roles that one device serves at once."""
        ...

    def networks(self, role: Role) -> list[str]:
        """The networks that the device in a role has."""
        ...

    def rules_out(self, role: Role, running: Iterable[Role], *, chained: bool) -> str:
        """The line of the profile by which there is no device in a role beside those that run, or nothing."""
        ...
