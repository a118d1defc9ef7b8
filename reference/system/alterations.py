# SPDX-License-Identifier: GPL-2.0-or-later
"""Where alterations are registered by name: the reference made different on purpose, each in exactly one way.

A deviation is wrong and must fail; a variant is right by another reading, or another choice, and must not fail. Both
are a subclass of a class that a host is made of, in the package `deviations` or `variants` of its protocol. That class
names its role (`role`), and so does an alteration that belongs to another one.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Alteration:
    """One way of being different."""

    name: str
    section: str  # of the specification
    part: type[Any]  # the class that does it

    @property
    def protocol(self) -> str:
        """The protocol in whose package it stands."""
        return self.part.__module__.split(".")[1]

    @property
    def role(self) -> str:
        """The role that it makes different, as its class says."""
        return str(self.part.role)


@dataclass(frozen=True)
class Deviation(Alteration):
    """One way of being wrong."""

    requirement: str  # the one that is broken, in words
    wrong: str  # what happens instead

    @property
    def does(self) -> str:
        """What such a host does."""
        return self.wrong


@dataclass(frozen=True)
class Variant(Alteration):
    """Another way of being right."""

    reading: str  # why it is right, in words
    instead: str  # what happens instead of what the reference does

    @property
    def does(self) -> str:
        """What such a host does."""
        return self.instead


_by_name: dict[str, Deviation | Variant] = {}


def deviation(name: str, section: str, requirement: str, wrong: str) -> Callable[[type[Any]], type[Any]]:
    """Register a class as a deviation."""
    return lambda part: _register(Deviation(name, section, part, requirement, wrong))


def variant(name: str, section: str, reading: str, instead: str) -> Callable[[type[Any]], type[Any]]:
    """Register a class as a variant."""
    return lambda part: _register(Variant(name, section, part, reading, instead))


def _register(alteration: Deviation | Variant) -> type[Any]:
    assert alteration.name not in _by_name, alteration.name
    _by_name[alteration.name] = alteration
    return alteration.part


def load(protocols: Iterable[str]) -> dict[str, Deviation | Variant]:
    """Every alteration of these protocols by name."""
    for protocol in protocols:
        for kind in ("deviations", "variants"):
            name = f"reference.{protocol}.{kind}"
            if importlib.util.find_spec(name) is None:
                continue
            for module in pkgutil.iter_modules(importlib.import_module(name).__path__):
                importlib.import_module(f"{name}.{module.name}")
    return dict(sorted(_by_name.items()))
