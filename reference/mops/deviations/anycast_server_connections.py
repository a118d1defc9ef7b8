# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of an anycast server in which connections it finds, and in the tuples that they leave or take."""

from reference.bump.datapath import Fields
from reference.bump.flows import Flow, Flows, Tuple
from reference.bump.network import Network, Packet
from reference.bump.tcp import ACK, FIN, SYN
from reference.mops.anycast_datapath import AnycastDatapath
from reference.mops.anycast_server import AnycastServer
from reference.mops.choices import Choice
from reference.mops.context import choice_of
from reference.mops.deviations.anycast_server_addresses import addresses
from reference.mops.message import Entry
from reference.mops.server import Command
from reference.mops.two_addresses import PlacedFlow, PlacedFlows, TwoAddresses, own_end, placed
from reference.system.alterations import deviation


@deviation(
    "anycast-moves-once-acknowledged",
    "4.2",
    "Until its node moves a connection stays at the anycast address.",
    "it is at the unicast address as soon as that is acknowledged",
)
class MovesOnceAcknowledged(AnycastDatapath):
    def segment_received(self, network: Network, flow: Flow, flags: int) -> None:
        super().segment_received(network, flow, flags)
        assert isinstance(network, TwoAddresses)
        one = placed(flow)
        if flags & (SYN | ACK) == ACK and flow.is_live and one.own == network.anycast and not one.owns:
            flows = network.flows
            assert isinstance(flows, PlacedFlows)
            flows.put(one, flow.wire_address, flow.wire_port, network.unicast)


@deviation(
    "anycast-follows-from-address-to-address",
    "4.2",
    "Until its node moves a connection takes nothing at the unicast address.",
    "it is at the address that its node's last segment was sent to",
)
class FollowsFromAddressToAddress(PlacedFlows):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        known = [placed(flow) for flow in self.of_peer(address, port) if flow.own_port == local_port and flow.is_live]
        if not flags & SYN and len(known) == 1 and known[0].own != self.own:
            self.put(known[0], address, port, self.own)
        return super().inbound(address, port, local_port, flags, now)


class _Remembers(PlacedFlows):
    """Knows the tuples that were left together with an own address."""

    def __init__(self) -> None:
        super().__init__()
        self.left: dict[Tuple, PlacedFlow] = {}

    def put(self, flow: PlacedFlow, address: int, port: int, own: int) -> None:
        if flow.own != own:
            self.left[flow.wire] = flow
        super().put(flow, address, port, own)

    def who_left(self, address: int, port: int, local_port: int) -> PlacedFlow | None:
        """The connection that was at a tuple, if it still lives."""
        flow = self.left.get((address, port, own_end(self.own, local_port)))
        return flow if flow is not None and flow.is_live else None


@deviation(
    "anycast-lives-at-its-old-tuple-too",
    "4.2",
    "After the move the previous tuple is dead.",
    "data from there is taken at the anycast address",
)
class LivesAtItsOldTuple(_Remembers):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        left = self.who_left(address, port, local_port)
        if left is None or flags & SYN:
            return super().inbound(address, port, local_port, flags, now)
        shadow = PlacedFlow((address, port, own_end(self.own, local_port)), left.kernel, now, 0)
        shadow.tcp = left.tcp
        return shadow


@deviation(
    "anycast-finds-its-own-address-alone",
    "4.2",
    "A Migrate at the unicast address moves connections with the anycast address.",
    "it means those with the address that it was sent to",
)
class FindsItsOwnAlone(AnycastServer):
    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        return [flow for flow in super().candidates(command, entry, previous) if placed(flow).own == self._called]


@deviation(
    "anycast-unicast-connections-not-found",
    "4.2",
    "A Migrate at the unicast address moves those with either address.",
    "those that were opened with the unicast address stay",
)
class UnicastNotFound(AnycastServer):
    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        flows = self.flows_of(command)
        asked = [] if flows is None else [flow for flow in flows.by_wire.values() if self._is_listed(command, flow)]
        owns = {placed(flow).kernel_own for flow in asked}
        found = super().candidates(command, entry, previous)
        return [flow for flow in found if len(owns) < 2 or placed(flow).kernel_own == addresses(command.network)[1]]

    @staticmethod
    def _is_listed(command: Command, flow: Flow) -> bool:
        places = {(command.previous, entry.previous_port) for entry in command.message.entries}
        places |= {(command.migrated, entry.migrated_port) for entry in command.message.entries}
        return (flow.wire_address, flow.wire_port) in places


@deviation(
    "anycast-repeat-failed",
    "4.2",
    "A repeat of what was served succeeds again.",
    "it fails where the connection has changed its address",
)
class RepeatFailed(AnycastServer):
    def is_retransmission(self, command: Command, entry: Entry, previous: int, migrated: int) -> bool:
        found = [placed(flow) for flow in self._of_peer(command, migrated, entry.migrated_port)]
        has_changed = any(flow.own != flow.kernel_own for flow in found)
        return not has_changed and super().is_retransmission(command, entry, previous, migrated)


@deviation(
    "anycast-limit-for-each-address",
    "4.2",
    "The interval holds for both addresses.",
    "each of them has its own",
)
class LimitForEachAddress(AnycastServer):
    def key(self, command: Command, entry: Entry) -> object:
        return super().key(command, entry), self._called


@deviation(
    "anycast-takes-the-nodes-others-along",
    "4.2",
    "Connections that a Migrate does not list stay at the anycast address.",
    "all of the node's are at the unicast address from then on",
)
class TakesOthersAlong(AnycastServer):
    def rebind(self, flows: Flows, flow: Flow, address: int, port: int) -> None:
        previous = flow.wire_address
        super().rebind(flows, flow, address, port)
        assert isinstance(flows, PlacedFlows)
        for one in [one for one in flows.by_wire.values() if one.wire_address == previous and one.is_live]:
            flows.put(placed(one), one.wire_address, one.wire_port, self._called)


@deviation(
    "anycast-left-tuple-shunned",
    "4.2",
    "The tuple that was left at the anycast address is free.",
    "a SYN from there is ignored",
)
class LeftTupleShunned(_Remembers):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        if flags & SYN and self.who_left(address, port, local_port) is not None:
            return None
        return super().inbound(address, port, local_port, flags, now)


@deviation(
    "anycast-tuple-in-use-at-the-other-address",
    "4.2",
    "A tuple at which another connection lives is not taken.",
    "it is looked for at the address that the connection has had",
)
class InUseAtTheOther(AnycastServer):
    def is_in_use(self, flows: Flows, flow: Flow, address: int, port: int) -> bool:
        own, self._own_next = self._own_next, placed(flow).own
        try:
            return super().is_in_use(flows, flow, address, port)
        finally:
            self._own_next = own


@deviation(
    "anycast-unique-id-of-the-unicast-address",
    "4.2",
    "A socket's Unique ID holds whichever address its connection has.",
    "connections with the anycast address go by the sequence number",
)
class UniqueIdForgotten(AnycastServer):
    def is_identifier_matched(self, flow: Flow, identifier: int) -> bool:
        choice: Choice = choice_of(flow)
        if choice.unique_id is not None and placed(flow).own != self._called:
            return self.is_identifier_right(flow, identifier)
        return super().is_identifier_matched(flow, identifier)


@deviation(
    "anycast-fin-from-the-anycast-address",
    "4.2",
    "A connection that has moved ends at the unicast address.",
    "the device's FIN comes from the anycast address",
)
class FinFromAnycast(AnycastDatapath):
    _away: tuple[tuple[PlacedFlows, PlacedFlow, int], ...] = ()

    def segment_from_kernel(
        self, network: Network, packet: Packet, flow: Flow, fields: Fields, data: int
    ) -> Flow | None:
        flows, one = network.flows, placed(flow)
        assert isinstance(flows, PlacedFlows)
        if fields[5] & FIN and one.own != one.kernel_own:
            self._away = (*self._away, (flows, one, one.own))
            flows.put(one, one.wire_address, one.wire_port, one.kernel_own)
        return super().segment_from_kernel(network, packet, flow, fields, data)

    def take_from_kernel(self, length: int) -> None:
        super().take_from_kernel(length)
        away, self._away = self._away, ()
        for flows, one, own in away:
            flows.put(one, one.wire_address, one.wire_port, own)


@deviation(
    "anycast-first-of-a-client-tuple",
    "4.2",
    "Of two connections of one client tuple the one moves whose window takes the number.",
    "the one that was opened first is meant",
)
class FirstOfAClientTuple(AnycastServer):
    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        found = super().candidates(command, entry, previous)
        owns = {placed(flow).own for flow in found}
        return found[:1] if len(owns) > 1 else found
