# SPDX-License-Identifier: GPL-2.0-or-later
"""The addresses of a host that moves, as its applications need them.

The kernel keeps the addresses that it had at the start, so whatever listens there, bound to an address or to any, goes
along with a move and no application notices.
"""


class OwnAddress:
    """The host's address of each network: on the wire, and the kernel's; all are text."""

    def __init__(self, *kernel: str) -> None:
        self.kernel_of = {address: address for address in kernel}

    def moved(self, address: str) -> None:
        """The host has moved: one address on the wire, that of the same network, has become another."""
        fields = address.count(".")
        self.kernel_of = {
            address if wire.count(".") == fields else wire: kernel for wire, kernel in self.kernel_of.items()
        }

    def to_bind(self, address: str) -> str:
        """Where a socket is bound that is to be bound to `address`; OSError when that is not the host's."""
        if address not in self.kernel_of:
            raise OSError(f"{address} is not an address of this host")
        return self.kernel_of[address]

    def listens_on(self, bound: bool) -> bool:
        """Whether a listening socket, bound to an address or to any, keeps listening after a move."""
        return True


class OwnAddresses(OwnAddress):
    """Those of a host that takes further ones and gives them up; the kernel keeps the one that it had at the start."""

    def added(self, address: str) -> None:
        """The host has one more address on the wire."""
        self.kernel_of[address] = next(iter(self.kernel_of.values()))

    def deleted(self, address: str) -> None:
        """The host has one address less on the wire."""
        self.kernel_of.pop(address, None)
