# SPDX-License-Identifier: GPL-2.0-or-later
"""The role of Example."""

from dataclasses import dataclass

from reference.example.datapath import ExampleDatapath
from reference.example.greetings import Greetings

from reference.bump.flows import Flows
from reference.bump.ipv4 import Ipv4Network
from reference.bump.role import Role
from reference.system.configuration import Configuration
from reference.system.role import Parts, Wire


@dataclass(frozen=True)
class HostParts(Parts):
    """What an Example host is made of."""

    greetings: type[Greetings] = Greetings


class HostRole(Role):
    """A host that answers greetings."""

    protocol, name = "example", "host"
    parts: HostParts = HostParts()

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self._number = configuration.of_protocol(self.protocol).integer("protocol", 0, 255, 253)

    def build(self, wire: Wire) -> ExampleDatapath:
        network = self.networks[0].network(Flows())
        assert isinstance(network, Ipv4Network)
        return ExampleDatapath(wire.mac, network, self._number, self.parts.greetings())
