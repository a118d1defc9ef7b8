# SPDX-License-Identifier: GPL-2.0-or-later
"""A device between two links whose connections end in the kernel of this machine: it has the addresses of both."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from reference.bump.ipv4 import Ipv4Settings
from reference.middlebox.role import SIDES
from reference.system.configuration import Configuration
from reference.system.linux import write_sysctl
from reference.system.log import log
from reference.system.role import DeviceRole
from reference.system.rtnetlink import Rtnetlink

_STALE_S = 1
"""All namespaces of a machine have room for 1024 neighbours together: one that is not used is soon forgotten."""


class Program(Protocol):
    """What runs on the kernel's sockets and answers its agent."""

    def asked(self, question: str, words: str) -> dict[str, Any]: ...
    def status(self) -> dict[str, Any]: ...
    def run(self, events: dict[int, Callable[[], None]]) -> None: ...


class KernelRole(DeviceRole):
    """A role of such a device. DUT_WIRES names the inside first."""

    wires = 2
    links: ClassVar[tuple[str, ...]] = SIDES
    sysctls: Mapping[str, str | int] = {}
    quickack = False

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.inside, self.outside = read_sides(configuration)

    def interfaces(self, wires: Sequence[str]) -> Sequence[str]:
        """The interfaces that get the addresses: the wires themselves, unless something is put before them."""
        return wires

    @abstractmethod
    def build(self) -> Program:
        """Put the program together; the addresses are there."""


def read_sides(configuration: Configuration) -> tuple[Ipv4Settings, Ipv4Settings]:
    """The addresses inside and outside."""
    table = configuration.root.table("networks").table("ipv4")
    inside, outside = (Ipv4Settings.read(table.table(side)) for side in SIDES)
    return inside, outside


def settle_between(
    wires: Sequence[str], sides: Sequence[Ipv4Settings], sysctls: Mapping[str, str | int], *, quickack: bool = False
) -> None:
    """Give the wires of the current namespace addresses and routes, and the namespace its settings.

    With `quickack` every segment is acknowledged at once.
    """
    neighbours = {f"ipv4/neigh/{wire}/gc_stale_time": _STALE_S for wire in wires}
    refused = [path for path, value in {**neighbours, **sysctls}.items() if not write_sysctl(path, value)]
    if refused:
        log(f"sysctl not changed: {' '.join(refused)}")
    with Rtnetlink() as netlink:
        for wire, network in zip(wires, sides, strict=True):
            netlink.add_address(wire, network.kernel_address)
            netlink.add_route(wire, *network.kernel_route, quickack=quickack)
