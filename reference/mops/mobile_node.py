# SPDX-License-Identifier: GPL-2.0-or-later
"""The mobile node of MOPS: every decision of one that moves (sections 3, 4.1 to 4.3, appendices A and B).

Readings, where the draft is silent:
- the connections that move are those whose handshake is complete and that are not closed on both sides; a SYN without
  an answer is sent again from the new address; everything else stays with the address that was left, without sending or
  receiving, until the host returns to it or the kernel gives it up;
- a connection is at its new tuple at once for what it receives, and sends nothing until the server has agreed: what the
  kernel sends meanwhile is held, and goes out in the order of its sequence numbers;
- the sequence number is SND.NXT of the wire: what is held has not been sent;
- the port stays the same unless another socket has it towards that server; a previous port that occurs twice in a
  message would be refused, so the second one gets a message of its own;
- a request is always code 0; a reply is the request's but for Code, Checksum and Reserved, "failed" with some of the
  entries; anything else is no reply to it;
- a node that moves on before an answer names the tuple that the server had confirmed; refused, it names those it has
  asked for since, one after the other;
- the retransmissions end one interval after the last.
Every choice a node could get wrong is a method of its own, so that a deviation overrides one: the class is long for
that reason, and stays in one file.
"""

from collections.abc import Iterable
from typing import Protocol

from reference.bump.arp import Arp
from reference.bump.checksum import is_intact
from reference.bump.flows import Flow, Flows
from reference.bump.network import TCP, UDP, Network
from reference.bump.tcp import State
from reference.mops.anycast import AnycastServers
from reference.mops.choices import Choices
from reference.mops.context import Endpoint, MobileContext, choice_of, context_of, mobile, set_choice
from reference.mops.exchange import Exchange, Moving, free_port, in_messages
from reference.mops.message import FAILED, MIGRATE, SUCCESS, VERSION, Entry, Migrate, length_for
from reference.mops.nat_table import NatTable
from reference.system.log import log


class Mechanics(Protocol):
    """What decisions are carried out with."""

    def send(self, network: Network, destination: int, protocol: int, payload: bytes) -> None:
        """Send a packet of our own."""

    def transmit(self, network: Network, flow: Flow, packet: bytes) -> None:
        """Send a packet of the kernel that was held."""

    def give_up(self, network: Network, protocol: int, flow: Flow) -> None:
        """Have the application see an error."""


class MobileNode:
    """All moves of one host."""

    role = "mobile node"

    def __init__(
        self,
        retry_interval_s: float,
        retries: int,
        choices: Choices,
        nat: NatTable,
        anycast: AnycastServers,
        mechanics: Mechanics,
    ) -> None:
        self.retry_interval_s, self.retries = retry_interval_s, retries
        self.choices, self.nat, self.anycast, self.mechanics = choices, nat, anycast, mechanics
        self.exchanges: list[Exchange] = []
        self.counters = {
            "moves": 0, "migrate_sent": 0, "migrate_repeated": 0, "replies_taken": 0, "replies_ignored": 0,
            "sockets_moved": 0, "sockets_dead": 0, "nat_learnt": 0, "anycast_learnt": 0,
        }  # fmt: skip

    # Moving ------------------------------------------------------------------------------------------------------

    def move(self, network: Network, address: int, now: float) -> None:
        """The address has changed: ask every server to remap our sockets."""
        self.counters["moves"] += 1
        old = network.own
        self.drop_exchanges(network)
        leaving: list[Moving] = []
        for protocol, flows in ((TCP, network.flows), (UDP, network.udp)):
            for flow in list(flows.by_kernel.values()):
                if self.is_movable(protocol, flow):
                    leaving.append(self._leave(network, protocol, flows, flow, old))
                else:
                    self._leave_behind(flows, flow, old, address)
        self.nat.forget(network)
        network.move(address)
        for moving in leaving:
            self._arrive(network, moving)
        self._ask(network, leaving, now)

    def drop_exchanges(self, network: Network) -> None:
        """What was asked from the old address is not waited for."""
        self.exchanges = [exchange for exchange in self.exchanges if exchange.network is not network]

    def announce(self, arp: Arp, address: int) -> None:
        """Have the neighbours know the new address, and the old one no more."""
        arp.move(address)

    def is_movable(self, protocol: int, flow: Flow) -> bool:
        """From the end of the handshake until both sides are closed; UDP needs a Unique ID."""
        if flow.tcp.state is not State.ESTABLISHED or flow.parked_at is not None:
            return False
        context = mobile(flow)
        if context is not None and context.is_dead:
            return False
        return self.is_mobile(protocol, flow) and (protocol == TCP or self.has_identifier(flow))

    def is_mobile(self, protocol: int, flow: Flow) -> bool:
        return self.choices.is_mobile(protocol, choice_of(flow))

    def has_identifier(self, flow: Flow) -> bool:
        return choice_of(flow).unique_id is not None

    def _leave(self, network: Network, protocol: int, flows: Flows, flow: Flow, old: int) -> Moving:
        context = context_of(flow)
        here = self.previous(network, protocol, flow)
        if not context.is_pending:
            context.previous = [here]
        elif here not in context.previous:
            context.previous.append(here)
        flows.park(flow, old)
        return Moving(protocol, flow, context, self.server(flow, context))

    @staticmethod
    def _leave_behind(flows: Flows, flow: Flow, old: int, address: int) -> None:
        if flow.parked_at is not None:
            if flow.parked_at == address:
                flows.unpark(flow)
        elif flow.tcp.state is State.SYN_SENT:
            return
        elif flow.is_live or flow.tcp.state is State.TIME_WAIT:
            flows.park(flow, old)
        else:
            flows.free(flow)

    def previous(self, network: Network, protocol: int, flow: Flow) -> Endpoint:
        """Where the server reaches a connection: behind NAT the outermost translation."""
        return self.nat.outermost(network, protocol, flow)

    def server(self, flow: Flow, context: MobileContext) -> int:
        """Where the Migrate goes: to an anycast server's unicast address once that is known."""
        return flow.wire_address if context.unicast is None else context.unicast

    def _arrive(self, network: Network, moving: Moving) -> None:
        flow, flows = moving.flow, network.flows_of(moving.protocol)
        assert flows is not None
        port = self.migrated_port(flows, moving.server, flow.own_port)
        flow.parked_at = None
        flows.place(flow, self.address_from_now(flow, moving), flow.wire_port, port)
        moving.context.is_pending = self.waits(network, flow)
        moving.entry = Entry(moving.context.previous[0][1], port, self.identifier(moving.protocol, flow))

    def address_from_now(self, flow: Flow, moving: Moving) -> int:
        """The server's address on the wire after the move; the kernel keeps the one it knows."""
        return moving.server

    def waits(self, network: Network, flow: Flow) -> bool:
        """Whether a connection sends nothing until the server has agreed."""
        return True

    def migrated_port(self, flows: Flows, server: int, port: int) -> int:
        """The port that a socket has had, or another one that no socket has towards that server."""
        return free_port(flows, server, port)

    def identifier(self, protocol: int, flow: Flow) -> int:
        """The Unique ID, and without one the next sequence number to send."""
        unique_id = choice_of(flow).unique_id
        if unique_id is not None:
            return unique_id
        return self.sequence_number(flow) if protocol == TCP else 0

    def sequence_number(self, flow: Flow) -> int:
        return flow.tcp.snd_nxt

    # Asking ------------------------------------------------------------------------------------------------------

    def _ask(self, network: Network, leaving: list[Moving], now: float) -> None:
        for sockets in self.in_messages(leaving):
            first = sockets[0]
            message = self.request(network, first.protocol, first.context.previous[0][0], sockets)
            exchange = Exchange(network, self.destination(network, first), message, sockets, self.encode(message), now)
            self.begin(exchange)

    def begin(self, exchange: Exchange) -> None:
        """Send a request for the first time."""
        self.exchanges.append(exchange)
        self._transmit(exchange)

    def in_messages(self, leaving: Iterable[Moving]) -> list[list[Moving]]:
        """One message for all sockets of a protocol to one server."""
        return in_messages(leaving)

    def destination(self, network: Network, moving: Moving) -> int:
        return moving.server

    def request(self, network: Network, protocol: int, previous: int, sockets: list[Moving]) -> Migrate:
        entries = tuple(moving.entry for moving in sockets)
        return Migrate(MIGRATE, protocol, previous, network.to_ipff(network.own), entries)

    def encode(self, message: Migrate) -> bytes:
        return message.pack()

    def _transmit(self, exchange: Exchange) -> None:
        exchange.sent += 1
        exchange.deadline += self.interval(exchange)
        self.counters["migrate_sent"] += 1
        network = exchange.network
        self.mechanics.send(network, exchange.server, network.icmp_protocol, exchange.data)

    def interval(self, exchange: Exchange) -> float:
        return self.retry_interval_s

    def next_deadline(self) -> float | None:
        """When there will be something to do."""
        return min((exchange.deadline for exchange in self.exchanges), default=None)

    def tick(self, now: float) -> None:
        """Retransmit what is not answered; give up."""
        for exchange in [one for one in self.exchanges if one.deadline <= now]:
            if self.is_exhausted(exchange):
                self.exchanges.remove(exchange)
                self.exhausted(exchange)
            else:
                self.counters["migrate_repeated"] += 1
                self.retransmit(exchange)
                self._transmit(exchange)

    def is_exhausted(self, exchange: Exchange) -> bool:
        return exchange.sent > self.retries

    def retransmit(self, exchange: Exchange) -> None:
        """A retransmission equals the first transmission."""

    def exhausted(self, exchange: Exchange) -> None:
        """No answer: the sockets are dead."""
        log(f"no answer to Migrate from {exchange.network.text(exchange.server)}")
        for moving in exchange.sockets:
            self.die(exchange, moving)

    # Replies -----------------------------------------------------------------------------------------------------

    def reply_received(self, network: Network, source: int, data: bytes, now: float) -> None:
        """Take a reply that answers a request of ours; everything else changes nothing."""
        message = self.read(data)
        exchange = None if message is None else self.exchange_of(network, source, message)
        if message is None or exchange is None:
            self.unasked(network, source, message)
            self.counters["replies_ignored"] += 1
            log(f"reply from {network.text(source)} ignored")
            return
        self.counters["replies_taken"] += 1
        self.finish(exchange, message.code)
        failed = self.failed_entries(message)
        again = [moving for moving in exchange.sockets if moving.entry in failed]
        for moving in exchange.sockets:
            if moving.entry not in failed:
                self.succeeded(exchange, moving)
        self.failed(exchange, again, now)

    def unasked(self, network: Network, source: int, message: Migrate | None) -> None:
        """A reply that answers nothing changes nothing, and is not answered."""

    def read(self, data: bytes) -> Migrate | None:
        message = Migrate.parse(data)
        if message is None or not self.is_checksum_right(data) or not self.is_version_known(message.version):
            return None
        return message if self.is_length_right(message, len(data)) else None

    def is_checksum_right(self, data: bytes) -> bool:
        return is_intact(data)

    def is_version_known(self, version: int) -> bool:
        return version == VERSION

    def is_length_right(self, message: Migrate, length: int) -> bool:
        return bool(message.count) and length == length_for(message.count or 0)

    def exchange_of(self, network: Network, source: int, message: Migrate) -> Exchange | None:
        """The request that a reply answers."""
        return next((one for one in self.exchanges if self.is_answer(one, network, source, message)), None)

    def is_answer(self, exchange: Exchange, network: Network, source: int, message: Migrate) -> bool:
        return (
            exchange.network is network
            and self.is_source_right(exchange, source)
            and self.is_protocol_right(exchange, message)
            and self.are_addresses_right(exchange, message)
            and self.are_entries_right(exchange, message)
        )

    def is_source_right(self, exchange: Exchange, source: int) -> bool:
        return source == exchange.server

    def is_protocol_right(self, exchange: Exchange, message: Migrate) -> bool:
        return message.protocol == exchange.message.protocol

    def are_addresses_right(self, exchange: Exchange, message: Migrate) -> bool:
        request = exchange.message
        return (message.previous, message.migrated) == (request.previous, request.migrated)

    def are_entries_right(self, exchange: Exchange, message: Migrate) -> bool:
        if message.code == SUCCESS:
            return message.entries == exchange.message.entries
        return bool(message.entries) and set(message.entries) <= set(exchange.message.entries)

    def finish(self, exchange: Exchange, code: int) -> None:
        """An answer ends the retransmissions."""
        self.exchanges.remove(exchange)

    def failed_entries(self, message: Migrate) -> set[Entry]:
        return set(message.entries) if message.code == FAILED else set()

    def succeeded(self, exchange: Exchange, moving: Moving) -> None:
        """The server has remapped its socket: continue."""
        self.counters["sockets_moved"] += 1
        flow, context = moving.flow, moving.context
        context.is_pending = False
        context.previous = []
        set_choice(flow, self.choices.after_success(choice_of(flow)))
        for packet in context.held.flush():
            self.mechanics.transmit(exchange.network, flow, packet)

    def failed(self, exchange: Exchange, sockets: list[Moving], now: float) -> None:
        """The server does not know these sockets: by another tuple, if there is one, or they are dead."""
        again = []
        for moving in sockets:
            del moving.context.previous[0]
            if moving.context.previous:
                moving.entry = moving.entry._replace(previous_port=moving.context.previous[0][1])
                again.append(moving)
            else:
                self.die(exchange, moving)
        self._ask(exchange.network, again, now)

    def die(self, exchange: Exchange, moving: Moving) -> None:
        """The application sees an error, and nothing more goes out."""
        self.counters["sockets_dead"] += 1
        flow, context = moving.flow, moving.context
        context.is_dead, context.is_pending = True, False
        context.held.flush()
        self.report(exchange.network, moving.protocol, flow)
        if moving.protocol == TCP:
            flow.tcp.state = State.CLOSED

    def report(self, network: Network, protocol: int, flow: Flow) -> None:
        self.mechanics.give_up(network, protocol, flow)

    # Acknowledgements --------------------------------------------------------------------------------------------

    def nat_received(self, network: Network, source: int, data: bytes) -> None:
        self.counters["nat_learnt"] += self.nat.receive(network, source, data)

    def anycast_received(self, network: Network, source: int, data: bytes) -> None:
        self.counters["anycast_learnt"] += self.anycast.receive(network, source, data)
