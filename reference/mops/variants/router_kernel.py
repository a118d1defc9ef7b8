# SPDX-License-Identifier: GPL-2.0-or-later
"""A NAT router that leaves to the kernel what it has decided about."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import replace

from reference.mops.nat.router import NatRouter
from reference.system.alterations import variant


@variant(
    "router-by-kernel",
    "6",
    "How a router forwards what it has decided about is its own affair.",
    "open flows of ipv4 are translated and forwarded by the kernel",
)
class _ByKernel(NatRouter):
    def handlers(self, wires: Sequence[str], raws: Sequence[socket.socket]) -> dict[int, Callable[[], None]]:
        if self.nat_settings is not None:
            self.nat_settings = replace(self.nat_settings, by_kernel=True, kernel_after=1)
        return super().handlers(wires, raws)
