# SPDX-License-Identifier: GPL-2.0-or-later
"""A reference host without a wire and without a kernel: a test plays both, frame by frame, in virtual time."""

from typing import Any

from reference.bump.datapath import Datapath
from reference.bump.network import HOST_MAC, STACK_MAC
from reference.bump.role import Role
from reference.system.configuration import Configuration
from reference.system.role import Wire
from tests.lab.wire import DUT_MAC, OWN_MAC


class Played:
    """The datapath of a role, its one network, and the time in seconds; `part` is the class of a deviation."""

    def __init__(self, kind: type[Role], configuration: dict[str, Any], part: type | None = None) -> None:
        self.now = 0.0
        self.role = kind(Configuration.of(("wire0",), configuration))
        if part is not None:
            self.role.alter(part)
        self.datapath: Datapath = self.role.build(Wire(DUT_MAC, 1500))
        (self.network,) = self.datapath.networks

    @property
    def own(self) -> int:
        """The host's address on the wire."""
        return self.network.own

    def frame_from_wire(self, ethertype: int, packet: bytes) -> None:
        """A frame comes from the wire."""
        self.datapath.receive_from_wire(DUT_MAC + OWN_MAC + ethertype.to_bytes(2, "big") + packet, self.now)
        self.datapath.tick(self.now)

    def frame_from_kernel(self, ethertype: int, packet: bytes) -> None:
        """The kernel sends a frame."""
        self.datapath.receive_from_kernel(STACK_MAC + HOST_MAC + ethertype.to_bytes(2, "big") + packet, self.now)
        self.datapath.tick(self.now)

    def move_to(self, address: str) -> None:
        """The host moves."""
        self.datapath.move_to(address)
        self.datapath.tick(self.now)

    def wait(self, seconds: float, step: float = 0.1) -> None:
        """Time passes, and nothing arrives."""
        end = round(self.now + seconds, 6)
        while self.now < end:
            self.now = round(min(end, self.now + step), 6)
            self.datapath.tick(self.now)
