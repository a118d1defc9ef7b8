# SPDX-License-Identifier: GPL-2.0-or-later
"""The classes a host is built from, so that a deviation can put its own in place of one."""

from dataclasses import dataclass, replace

from reference.anycast import AnycastServers
from reference.choices import Choices
from reference.flows import Flows
from reference.legacy_host import LegacyHost
from reference.mobile_capable import MobileCapable
from reference.mobile_node import MobileNode
from reference.mops_server import MopsServer
from reference.nat_table import NatTable
from reference.own_address import OwnAddress
from reference.rate_limit import RateLimit
from reference.rehash import Rehash
from reference.rehash_context import Nonces
from reference.slow_start import SlowStart


@dataclass(frozen=True)
class Parts:
    """One class for every job; a deviation is a subclass of one of them."""

    flows: type[Flows] = Flows
    mops_server: type[MopsServer] = MopsServer
    rate_limit: type[RateLimit] = RateLimit
    mobile_node: type[MobileNode] = MobileNode
    nat_table: type[NatTable] = NatTable
    anycast: type[AnycastServers] = AnycastServers
    choices: type[Choices] = Choices
    mobile_capable: type[MobileCapable] = MobileCapable
    rehash: type[Rehash] = Rehash
    nonces: type[Nonces] = Nonces
    slow_start: type[SlowStart] = SlowStart
    own_address: type[OwnAddress] = OwnAddress
    legacy_host: type[LegacyHost] = LegacyHost

    def deviating(self, deviation: type) -> "Parts":
        """These parts with the one that the deviation is a kind of replaced."""
        for job, part in vars(self).items():
            if issubclass(deviation, part):
                return replace(self, **{job: deviation})
        raise TypeError(f"{deviation.__name__} is no kind of any part")
