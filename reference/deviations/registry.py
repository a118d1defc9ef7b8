# SPDX-License-Identifier: GPL-2.0-or-later
"""Where deviations are registered by name."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import reference.deviations
from reference.anycast import AnycastServers
from reference.configuration import HOST, LEGACY_HOST, MOBILE_NODE, SERVER
from reference.legacy_host import LegacyHost
from reference.mobile_node import MobileNode
from reference.nat_table import NatTable
from reference.own_address import OwnAddress
from reference.rehash import Rehash
from reference.rehash_context import Nonces
from reference.slow_start import SlowStart

_PARTS_OF_A_HOST = (Rehash, Nonces, SlowStart, OwnAddress)
_PARTS_OF_A_NODE = (MobileNode, NatTable, AnycastServers)


@dataclass(frozen=True)
class Deviation:
    """One way of being wrong."""

    name: str
    section: str  # of the specification
    requirement: str  # the one that is broken, in words
    wrong: str  # what happens instead
    part: type  # the class that does it, a subclass of one of the parts of a host

    @property
    def role(self) -> str:
        """The role of the host that it makes wrong."""
        if issubclass(self.part, _PARTS_OF_A_HOST):
            return HOST
        if issubclass(self.part, LegacyHost):
            return LEGACY_HOST
        named = MOBILE_NODE if issubclass(self.part, _PARTS_OF_A_NODE) else SERVER
        return str(getattr(self.part, "role", named))

    def fits(self, role: str) -> bool:
        """Whether a host of a role can be wrong in this way: a mobile node is a server too."""
        return role == self.role or (role == MOBILE_NODE and self.role == SERVER)


_by_name: dict[str, Deviation] = {}


def deviation(name: str, section: str, requirement: str, wrong: str) -> Callable[[type], type]:
    """Register a class as a deviation."""

    def register(part: type) -> type:
        assert name not in _by_name, name
        _by_name[name] = Deviation(name, section, requirement, wrong, part)
        return part

    return register


def all_deviations() -> dict[str, Deviation]:
    """Every deviation by name."""
    for module in pkgutil.iter_modules(reference.deviations.__path__):
        importlib.import_module(f"reference.deviations.{module.name}")
    return dict(sorted(_by_name.items()))


def find(name: str) -> Deviation | None:
    """The deviation of this name."""
    return all_deviations().get(name)
