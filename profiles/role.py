# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device can be: a role of a protocol."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A role, qualified by its protocol: over which networks, on which links, and whether such a device moves.

    The cases of the roles named in `also` are cases of this role too.
    """

    protocol: str
    name: str
    networks: tuple[str, ...] = ("ipv4",)
    links: tuple[str, ...] = ("link",)
    moves: bool = False
    also: tuple[str, ...] = ()

    @property
    def qualified(self) -> str:
        """Protocol and name: `mops server`."""
        return f"{self.protocol} {self.name}"

    @property
    def folder(self) -> str:
        """The folder of its cases."""
        return self.name.lower().replace(" ", "_")
