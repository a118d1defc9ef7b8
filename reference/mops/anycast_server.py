# SPDX-License-Identifier: GPL-2.0-or-later
"""The anycast server: a MOPS server with a unicast address of its own, which it tells mobile nodes (MOPS, section 4.2).

Readings:
- the acknowledgement answers a SYN with MOBILE_CAPABLE to the anycast address, goes from there to where the SYN came
  from, and follows the SYN-ACK: a SYN that is refused draws none, one to the unicast address draws none;
- a Migrate is served at both addresses and answered from the one that it was sent to; a connection whose Migrate was
  sent to the unicast address continues there, unless `anycast_continues` says otherwise; one whose Migrate was sent to
  the anycast address stays where it is;
- there is one interval of the rate limit for both addresses.
"""

from collections.abc import Callable

from reference.bump.flows import Flow, Flows
from reference.bump.network import Network
from reference.mops.acknowledgements import AnycastAcknowledgement
from reference.mops.message import Entry
from reference.mops.server import Command, Done, Server
from reference.mops.two_addresses import PlacedFlows, TwoAddresses, own_end, placed

Send = Callable[[Network, int, int, bytes], None]


class Acknowledger:
    """Which SYNs draw an acknowledgement, and what it says."""

    role = "anycast server"

    def is_due(self, network: TwoAddresses, flow: Flow, is_capable: bool) -> bool:
        """Whether a SYN draws one once it is answered."""
        return is_capable and placed(flow).own == network.anycast

    def acknowledge(self, network: TwoAddresses, flow: Flow, send: Send) -> None:
        """Tell the other side of a connection the unicast address."""
        network.own = self.source(network)
        send(network, self.destination(flow), network.icmp_protocol, self.encode(self.message(network, flow)))

    def message(self, network: TwoAddresses, flow: Flow) -> AnycastAcknowledgement:
        addresses = network.to_ipff(network.anycast), network.to_ipff(network.unicast)
        return AnycastAcknowledgement(flow.protocol, *addresses, flow.wire_port, flow.own_port)

    def encode(self, message: AnycastAcknowledgement) -> bytes:
        return message.pack()

    def source(self, network: TwoAddresses) -> int:
        return network.anycast

    def destination(self, flow: Flow) -> int:
        return flow.wire_address


class AnycastServer(Server):
    """A server that is asked at two addresses."""

    role = "anycast server"
    continues_at_anycast = False
    _called = 0  # the address that the message in hand was sent to
    _own_next = 0  # that of the connection in hand after its migration

    def receive(self, network: Network, source: int, data: bytes, arrival: float) -> None:
        self._called = network.own
        super().receive(network, source, data, arrival)

    def is_at_unicast(self, network: Network) -> bool:
        """Whether the message in hand was sent to the unicast address."""
        assert isinstance(network, TwoAddresses)
        return self._called == network.unicast

    def own_after(self, command: Command, flow: Flow) -> int:
        """Which of our addresses a connection has after its migration."""
        stays = self.continues_at_anycast or not self.is_at_unicast(command.network)
        return placed(flow).own if stays else self._called

    def is_in_use(self, flows: Flows, flow: Flow, address: int, port: int) -> bool:
        occupant = flows.occupant(address, port, own_end(self._own_next, flow.own_port))
        return occupant is not None and occupant is not flow

    def find(self, command: Command, entry: Entry, previous: int) -> tuple[Flow | None, str]:
        flow, wrong = super().find(command, entry, previous)
        if flow is not None:
            self._own_next = self.own_after(command, flow)
        return flow, wrong

    def rebind(self, flows: Flows, flow: Flow, address: int, port: int) -> None:
        assert isinstance(flows, PlacedFlows)
        placed(flow).owns.append(placed(flow).own)
        flows.put(placed(flow), address, port, self._own_next)

    def undo(self, command: Command, done: Done) -> None:
        flow = placed(done.flow)
        own = flow.owns.pop()
        super().undo(command, done)
        flows = self.flows_of(command)
        assert isinstance(flows, PlacedFlows)
        flows.put(flow, done.address, done.port, own)

    def reply(self, command: Command, data: bytes) -> None:
        command.network.own = self.answers_from(command.network)
        super().reply(command, data)

    def answers_from(self, network: Network) -> int:
        """The source of a reply."""
        return self._called
