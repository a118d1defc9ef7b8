# SPDX-License-Identifier: GPL-2.0-or-later
"""Where deviations are registered by name: the reference made wrong on purpose, each in exactly one way.

A deviation is a subclass of a class that a host is made of, in the package `deviations` of its protocol. That class
names its role (`role`), and so does a deviation that belongs to another one.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Deviation:
    """One way of being wrong."""

    name: str
    section: str  # of the specification
    requirement: str  # the one that is broken, in words
    wrong: str  # what happens instead
    part: type[Any]  # the class that does it

    @property
    def protocol(self) -> str:
        """The protocol in whose package it stands."""
        return self.part.__module__.split(".")[1]

    @property
    def role(self) -> str:
        """The role that it makes wrong, as its class says."""
        return str(self.part.role)


_by_name: dict[str, Deviation] = {}


def deviation(name: str, section: str, requirement: str, wrong: str) -> Callable[[type[Any]], type[Any]]:
    """Register a class as a deviation."""

    def register(part: type[Any]) -> type[Any]:
        assert name not in _by_name, name
        _by_name[name] = Deviation(name, section, requirement, wrong, part)
        return part

    return register


def load(protocols: Iterable[str]) -> dict[str, Deviation]:
    """Every deviation of these protocols by name."""
    for protocol in protocols:
        package = importlib.import_module(f"reference.{protocol}.deviations")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_by_name.items()))
