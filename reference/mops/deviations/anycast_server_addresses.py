# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of an anycast server in which of its two addresses it answers from, and where a connection continues."""

from reference.bump.checksum import checksum
from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.mops.acknowledgements import NAT_TYPE
from reference.mops.anycast_server import Acknowledger, AnycastServer
from reference.mops.message import FAILED, SUCCESS, Entry
from reference.mops.server import Command, Done, Outcome
from reference.mops.two_addresses import PlacedFlow, PlacedFlows, TwoAddresses, placed
from reference.system.alterations import deviation


def addresses(network: Network) -> tuple[int, int]:
    """The unicast and the anycast address."""
    assert isinstance(network, TwoAddresses)
    return network.addresses


@deviation(
    "anycast-acknowledged-from-the-unicast-address",
    "4.2",
    "The acknowledgement comes from the anycast address.",
    "it comes from the unicast address",
)
class AcknowledgedFromUnicast(Acknowledger):
    def source(self, network: TwoAddresses) -> int:
        return network.unicast


@deviation(
    "anycast-told-at-the-unicast-address",
    "4.2",
    "A SYN to the unicast address is not acknowledged.",
    "it is like one to the anycast address",
)
class ToldAtUnicast(Acknowledger):
    def is_due(self, network: TwoAddresses, flow: Flow, is_capable: bool) -> bool:
        return is_capable


class _AnswersFromAnycast(AnycastServer):
    """Answers some of what was asked at the unicast address from the other one."""

    _is_about_anycast = False

    def carry_out(self, command: Command) -> list[Outcome]:
        (_, anycast), entries = addresses(command.network), command.message.entries
        found = [
            flow for entry in entries for flow in self._of_peer(command, command.previous or 0, entry.previous_port)
        ]
        self._is_about_anycast = any(placed(flow).kernel_own == anycast for flow in found)
        return super().carry_out(command)

    def reply(self, command: Command, data: bytes) -> None:
        if self._is_about_anycast and self.is_wrong(data[5]):
            self._called = addresses(command.network)[1]
        super().reply(command, data)

    def is_wrong(self, code: int) -> bool:
        """Whether a reply with this code comes from there."""
        raise NotImplementedError


@deviation(
    "anycast-success-from-the-anycast-address",
    "4.2",
    "A Migrate at the unicast address is answered from there.",
    "success comes from the anycast address",
)
class SuccessFromAnycast(_AnswersFromAnycast):
    def is_wrong(self, code: int) -> bool:
        return code == SUCCESS


@deviation(
    "anycast-failed-from-the-anycast-address",
    "4.2",
    "A Migrate at the unicast address is answered from there.",
    "failed comes from the anycast address",
)
class FailedFromAnycast(_AnswersFromAnycast):
    def is_wrong(self, code: int) -> bool:
        return code == FAILED


@deviation(
    "anycast-nat-acknowledgement-too",
    "4.3",
    "A host sends no NAT acknowledgement.",
    "one follows the success of a Migrate that moves a connection with the anycast address",
)
class NatAcknowledgementToo(_AnswersFromAnycast):
    def is_wrong(self, code: int) -> bool:
        return False

    def reply(self, command: Command, data: bytes) -> None:
        super().reply(command, data)
        if self._is_about_anycast and data[5] == SUCCESS:
            blank = bytes((0, NAT_TYPE, 0, 0, data[4], 0, 1, 0)) + data[8:28]
            message = blank[:2] + checksum(blank).to_bytes(2, "big") + blank[4:]
            self._send(command.network, command.source, command.network.icmp_protocol, message)


class _Elsewhere(AnycastServer):
    """A connection that was opened with the anycast address continues at the other of the two."""

    def is_elsewhere(self, command: Command, flow: PlacedFlow) -> bool:
        """Whether it does."""
        unicast, anycast = addresses(command.network)
        return self._called == unicast and flow.kernel_own == anycast

    def own_after(self, command: Command, flow: Flow) -> int:
        own, (unicast, anycast) = super().own_after(command, flow), addresses(command.network)
        return unicast + anycast - own if self.is_elsewhere(command, placed(flow)) else own


@deviation(
    "anycast-connection-stays-at-the-anycast-address",
    "4.2",
    "A connection continues at the address that anycast_continues names.",
    "it continues at the other one",
)
class StaysAtAnycast(_Elsewhere):
    pass


@deviation(
    "anycast-second-move-goes-back",
    "4.2",
    "After a second move a connection continues as after the first.",
    "it continues at the anycast address again",
)
class SecondMoveGoesBack(_Elsewhere):
    def is_elsewhere(self, command: Command, flow: PlacedFlow) -> bool:
        return super().is_elsewhere(command, flow) and bool(flow.owns)


@deviation(
    "anycast-migrate-there-moves-to-the-unicast-address",
    "4.2",
    "A connection whose Migrate was sent to the anycast address continues there.",
    "it continues at the unicast address",
)
class MigrateThereMoves(_Elsewhere):
    def is_elsewhere(self, command: Command, flow: PlacedFlow) -> bool:
        return self._called == flow.own == addresses(command.network)[1]


@deviation(
    "anycast-refused-at-the-anycast-address",
    "4.2",
    "A Migrate at the anycast address is served.",
    "it is refused",
)
class RefusedAtAnycast(AnycastServer):
    def migrate(self, command: Command, entry: Entry) -> Outcome:
        if self._called == addresses(command.network)[1]:
            return Outcome(entry, "ask at the unicast address")
        return super().migrate(command, entry)


@deviation(
    "anycast-unknown-connection-success",
    "4.2",
    "A Migrate of a connection of another server fails.",
    "it succeeds where the node has a connection with the anycast address",
)
class UnknownSuccess(AnycastServer):
    def migrate(self, command: Command, entry: Entry) -> Outcome:
        outcome, flows = super().migrate(command, entry), self.flows_of(command)
        known = [] if flows is None else [placed(flow) for flow in flows.by_wire.values() if flow.is_live]
        is_guest = any(
            (flow.wire_address, flow.kernel_own) == (command.previous, addresses(command.network)[1]) for flow in known
        )
        return Outcome(entry) if is_guest and outcome.reason == "no such socket" else outcome


@deviation(
    "anycast-refused-connection-moves-over",
    "4.2",
    "A connection whose Migrate was refused stays at the anycast address.",
    "it is at the unicast address from then on",
)
class RefusedMovesOver(AnycastServer):
    def find(self, command: Command, entry: Entry, previous: int) -> tuple[Flow | None, str]:
        flow, wrong = super().find(command, entry, previous)
        flows = self.flows_of(command)
        if flow is None and isinstance(flows, PlacedFlows):
            for one in self.candidates(command, entry, previous):
                flows.put(placed(one), one.wire_address, one.wire_port, self._called)
        return flow, wrong


@deviation(
    "anycast-roll-back-forgets-the-address",
    "4.2",
    "A roll-back restores the server's own address.",
    "the connections are at their old tuples, with the unicast address",
)
class RollBackForgets(AnycastServer):
    def undo(self, command: Command, done: Done) -> None:
        own = placed(done.flow).own
        super().undo(command, done)
        flows = self.flows_of(command)
        assert isinstance(flows, PlacedFlows)
        flows.put(placed(done.flow), done.address, done.port, own)


@deviation(
    "anycast-seventeenth-entry-from-the-anycast-address",
    "4.2",
    "All the connections that a Migrate lists move.",
    "from the seventeenth on they stay at the anycast address",
)
class SeventeenthStays(_Elsewhere):
    def is_elsewhere(self, command: Command, flow: PlacedFlow) -> bool:
        ports = [entry.previous_port for entry in command.message.entries[16:]]
        return super().is_elsewhere(command, flow) and flow.wire_port in ports
