# SPDX-License-Identifier: GPL-2.0-or-later
"""The address of a host that moves, as the agent needs it.

The kernel keeps the address that it had at the start, so whatever listens there, bound to the address or to any, goes
along with a move (TCP Rehash, section 8) and no application notices.
"""


class OwnAddress:
    """The address on the wire and the kernel's."""

    def __init__(self, kernel: str) -> None:
        self.kernel = self.wire = kernel

    def to_bind(self, address: str) -> str:
        """Where a socket is bound that is to be bound to `address`; OSError when that is not the host's."""
        if address != self.wire:
            raise OSError(f"{address} is not an address of this host")
        return self.kernel

    def listens_on(self, bound: bool) -> bool:
        """Whether a listening socket, bound to the address or to any, goes on listening after a move."""
        return True
