# SPDX-License-Identifier: GPL-2.0-or-later
"""A role of a protocol: what a device can claim to be. Roles are data; a protocol's module lists those with cases."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from profiles.table import Table


@dataclass(frozen=True)
class Role:
    """What a device can be under one protocol.

    `networks` are those that the role's messages travel over, `links` the names of the device's links, `moves` says
    whether its cases move the device. A device in this role is judged by the role's own cases and by those of the roles
    of the same protocol that `also` names.
    """

    protocol: str
    name: str
    networks: tuple[str, ...] = ("ipv4",)
    links: tuple[str, ...] = ("link",)
    moves: bool = False
    also: tuple[str, ...] = ()

    @property
    def qualified(self) -> str:
        """The name that no other role of any protocol has: "mops server"."""
        return f"{self.protocol} {self.name}"

    @property
    def folder(self) -> str:
        """The name of the folder of its cases in the folder of the protocol: "mobile_node"."""
        return self.name.lower().replace(" ", "_")

    @property
    def judged_by(self) -> tuple[str, ...]:
        """The names of the roles, of the same protocol, whose cases judge a device in this role."""
        return (self.name, *self.also)


class Claims(Table):
    """What a device claims of one protocol: roles, and what is optional. `KNOWN` are the roles that have cases."""

    KNOWN: ClassVar[tuple[Role, ...]] = ()

    roles: list[str] = Field(default=[], description="roles of the device")

    def is_bridge(self, role: str) -> bool:
        """Whether the device in this role, between two links, has no addresses and passes frames on as they are."""
        return False

    @field_validator("roles")
    @classmethod
    def _check_roles(cls, roles: list[str]) -> list[str]:
        known = [role.name for role in cls.KNOWN]
        if unknown := [role for role in roles if role not in known]:
            allowed = ", ".join(f'"{name}"' for name in known) or "none"
            raise PydanticCustomError(
                "no_cases",
                'there are no cases for the role "{role}"; allowed: {allowed}',
                {"role": unknown[0], "allowed": allowed},
            )
        return roles
