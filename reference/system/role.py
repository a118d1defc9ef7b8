# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device can be: a role of a protocol, with its settings and the classes that it is made of."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from reference.system.configuration import Configuration, ConfigurationError


@dataclass(frozen=True)
class Parts:
    """One class for every job in a role; an alteration is a subclass of one of them."""

    def with_part(self, other: type[Any]) -> Self:
        """These parts with the one that `other` is a kind of replaced by it."""
        for job, part in vars(self).items():
            if issubclass(other, part):
                return replace(self, **{job: other})
        raise TypeError(f"{other.__name__} is no kind of any part")


@dataclass(frozen=True)
class Wire:
    """The interface on a wire."""

    mac: bytes
    mtu: int


class DeviceRole(ABC):
    """A role with its settings."""

    protocol: ClassVar[str]
    name: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()  # names of roles of the same protocol that it has all parts of
    wires: ClassVar[int] = 1
    parts: Parts

    def __init__(self, configuration: Configuration) -> None:
        if len(configuration.wires) != self.wires:
            number = {1: "exactly one interface", 2: "exactly two interfaces"}[self.wires]
            raise ConfigurationError(f"DUT_WIRES must name {number} for the role {self.name}")

    def alter(self, part: type[Any]) -> None:
        """Be different in the way of an alteration's class."""
        self.parts = self.parts.with_part(part)


class RunningRole(DeviceRole):
    """A role of a device that needs nothing of ours around it."""

    @abstractmethod
    def run(self, alteration: str | None) -> int:
        """Run until standard input ends (0) or something breaks (1)."""
