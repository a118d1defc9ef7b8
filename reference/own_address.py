# SPDX-License-Identifier: GPL-2.0-or-later
"""The address of a host that moves, as the agent needs it.

The kernel keeps the address that it had at the start, so whatever listens there, bound to the address or to any, goes
along with a move (TCP Rehash, section 8) and no application notices.
"""


class OwnAddress:
    """The address on the wire and the kernel's."""

    def __init__(self, kernel: str) -> None:
        self.kernel = self.wire = kernel

    def moved(self, address: str) -> None:
        """The host has moved."""
        self.wire = address

    def to_bind(self, address: str) -> str:
        """Where a socket is bound that is to be bound to `address`; OSError when that is not the host's."""
        if address != self.wire:
            raise OSError(f"{address} is not an address of this host")
        return self.kernel

    def listens_on(self, bound: bool) -> bool:
        """Whether a listening socket, bound to the address or to any, goes on listening after a move."""
        return True


class OwnAddresses(OwnAddress):
    """Those of a MOPS host, one for each network."""

    def __init__(self, ipff: str | None, ipv4: str | None) -> None:
        super().__init__(ipv4 or ipff or "")
        self._pairs = [(one, one) for one in (ipff, ipv4) if one is not None]  # on the wire, the kernel's

    def moved(self, address: str) -> None:
        fields = address.count(".")
        self._pairs = [(address if wire.count(".") == fields else wire, kernel) for wire, kernel in self._pairs]

    def to_bind(self, address: str) -> str:
        for wire, kernel in self._pairs:
            if address == wire:
                return kernel
        raise OSError(f"{address} is not an address of this host")
