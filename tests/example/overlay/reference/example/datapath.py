# SPDX-License-Identifier: GPL-2.0-or-later
"""The datapath of an Example host: greetings are answered here, everything else is the kernel's."""

from reference.example.greetings import Greetings

from reference.bump.datapath import Datapath
from reference.bump.flows import Flow
from reference.bump.ipv4 import Ipv4Network
from reference.bump.network import Network, Packet


class ExampleDatapath(Datapath):
    """A bump that answers one IP protocol."""

    def __init__(self, mac: bytes, network: Ipv4Network, protocol: int, greetings: Greetings) -> None:
        super().__init__(mac, [network])
        self._protocol, self._greetings = protocol, greetings
        self.upper_from_wire[protocol] = self._greeting_from_wire

    def _greeting_from_wire(self, network: Network, packet: Packet) -> Flow | None:
        message = bytes(self._wire_view[packet.start : packet.end])
        if answer := self._greetings.answer(message):
            self.send(network, packet.peer, self._protocol, answer)
        return None
