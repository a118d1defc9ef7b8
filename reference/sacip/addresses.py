# SPDX-License-Identifier: GPL-2.0-or-later
"""The addresses of a host with several (section "Minimal scenario").

The first of a subnet is its primary, those that came later are secondaries. When the primary is deleted the next one
becomes primary.
"""

from dataclasses import dataclass

_ALL = 0xFFFFFFFF
_MULTICAST = 224 << 24


@dataclass(frozen=True)
class Assigned:
    """An address and the length of its subnet's prefix."""

    address: int
    prefix_length: int

    @property
    def hosts(self) -> int:
        """The bits that tell the hosts of the subnet apart."""
        return _ALL >> self.prefix_length

    def is_on_link(self, address: int) -> bool:
        """Whether an address is one of the same subnet."""
        return not (address ^ self.address) & ~self.hosts & _ALL

    def is_for_a_host(self) -> bool:
        """Whether a host can have it."""
        number = self.address & self.hosts
        return self.address < _MULTICAST and self.address >> 24 not in (0, 127) and number not in (0, self.hosts)


class Addresses:
    """What the host has on the wire, in the order in which it came."""

    role = "mobile node"

    def __init__(self, address: int, prefix_length: int) -> None:
        self.assigned = [Assigned(address, prefix_length)]

    def __contains__(self, address: int) -> bool:
        return any(one.address == address for one in self.assigned)

    @property
    def primary(self) -> int:
        """The first one."""
        return self.assigned[0].address

    def towards(self, address: int) -> int:
        """Where something new to this address comes from: the first address of its subnet, or of all."""
        return next((one.address for one in self.assigned if one.is_on_link(address)), self.primary)

    def is_on_link(self, address: int) -> bool:
        """Whether an address is reached without a router."""
        return any(one.is_on_link(address) for one in self.assigned)

    def add(self, assigned: Assigned) -> None:
        """One more."""
        self.assigned.append(assigned)

    def remove(self, address: int) -> None:
        """One less."""
        self.assigned = [one for one in self.assigned if one.address != address]

    def promoted(self, address: int) -> int | None:
        """What takes the place of an address that goes; None if it is a secondary, of which nothing depends."""
        place, gone = next((place, one) for place, one in enumerate(self.assigned) if one.address == address)
        if any(one.is_on_link(address) for one in self.assigned[:place]):
            return None
        others = [*self.assigned[place + 1 :], *self.assigned[:place]]
        return self.chosen([one.address for one in others if gone.is_on_link(one.address)] or [others[0].address])

    def chosen(self, candidates: list[int]) -> int:
        """Which of several secondaries is promoted, the oldest of which stands first."""
        return candidates[0]
