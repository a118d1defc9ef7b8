# SPDX-License-Identifier: GPL-2.0-or-later
"""The MOPS server: remaps opened sockets on command of a mobile node (MOPS, sections 4.1 and 7, appendix A).

Readings, where the draft is silent:
- a socket is found by protocol, previous address, previous port and the address the command was sent to; when a mobile
  node uses one port towards several of ours, the sequence number decides, and without a decision the entry fails;
- a socket can be migrated from the end of its handshake until both sides are closed;
- entries are taken in order, each on top of the ones before; a previous port that occurs a second time in one message
  fails; a new tuple that another living connection holds at that moment fails;
- entries inside the interval of the rate limit are discarded as if they were absent, and when none is left the command
  is discarded; an atomic command is discarded when any of its entries is inside;
- an entry equal to one that has already succeeded, whose socket is still where that one put it, succeeds again;
- wrong checksum, version, code, Count or length: silently discarded, and no attempt for the rate limit.
Every choice a server could get wrong is a method of its own, so that a deviation overrides one: the class is long for
that reason, and stays in one file.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from reference.bump.checksum import is_intact
from reference.bump.flows import Flow, Flows
from reference.bump.network import TCP, Network
from reference.bump.tcp import State, distance
from reference.mops.choices import Choice, Choices
from reference.mops.context import Move, choice_of, last_move, mobile, set_choice, set_last_move
from reference.mops.message import (
    FAILED,
    MIGRATE,
    MIGRATE_ATOMIC,
    MIGRATE_TYPE,
    SUCCESS,
    VERSION,
    Entry,
    Migrate,
    length_for,
    message_type,
)
from reference.mops.rate_limit import RateLimit
from reference.system.log import log


@dataclass(frozen=True)
class Command:
    """A request on its way through the server."""

    network: Network
    source: int  # of the packet that carried it
    message: Migrate
    arrival: float

    @property
    def previous(self) -> int | None:
        return self.network.from_ipff(self.message.previous)

    @property
    def migrated(self) -> int | None:
        return self.network.from_ipff(self.message.migrated)


@dataclass(frozen=True)
class Done:
    """One entry that has been carried out, with what it takes to undo it."""

    flow: Flow
    address: int
    port: int
    last_move: Move | None
    choice: Choice


@dataclass(frozen=True)
class Outcome:
    """What became of one entry: `reason` is empty when it succeeded, `done` is None when nothing had to be changed."""

    entry: Entry
    reason: str = ""
    done: Done | None = None


class Server:
    """Answers Migrate commands by rebinding flows."""

    role = "server"

    def __init__(
        self,
        rate_limit: RateLimit,
        exact_sequence: bool,
        settle: Callable[[Iterable[Flow]], None],
        send: Callable[[Network, int, int, bytes], None],
        choices: Choices | None = None,
        after: Callable[[float, Callable[[], None]], None] = lambda _, action: action(),
    ) -> None:
        self.rate_limit = rate_limit
        self.exact_sequence = exact_sequence
        self.choices = Choices() if choices is None else choices
        self._settle = settle
        self._send, self._after = send, after
        self.counters = {"migrate_received": 0, "migrate_discarded": 0, "success_sent": 0, "failed_sent": 0}

    def receive(self, network: Network, source: int, data: bytes, arrival: float) -> None:
        """Take an ICMPv5 message that was addressed to us."""
        if message_type(data) != MIGRATE_TYPE:
            return
        self.counters["migrate_received"] += 1
        command, wrong = self.read(network, source, data, arrival)
        if command is None:
            self._discard(network, source, wrong)
            return
        command, wrong = self.limit(command)
        if command is None:
            self._discard(network, source, wrong)
            return
        outcomes = self.carry_out(command)
        for outcome in outcomes:
            self.rate_limit.attempted(self.key(command, outcome.entry), arrival, not outcome.reason)
        self.answer(command, outcomes)

    # Reading -----------------------------------------------------------------------------------------------------

    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        """The command in a message, or why there is none."""
        if not self.is_checksum_right(data):
            return None, "checksum wrong"
        message = Migrate.parse(data)
        if message is None:
            return None, "truncated"
        if not self.is_version_known(message.version):
            return None, f"version {message.version}"
        if not self.is_request(message.code):
            return None, f"code {message.code} is no request"
        entries = self.entries_of(message, len(data))
        if not entries:
            return None, f"Count {message.count} in {len(data)} bytes"
        return Command(network, source, replace(message, entries=entries), arrival), ""

    def is_checksum_right(self, data: bytes) -> bool:
        return is_intact(data)

    def is_version_known(self, version: int) -> bool:
        return version == VERSION

    def is_request(self, code: int) -> bool:
        """Replies are not answered, nor are codes that nobody has defined."""
        return code in (MIGRATE, MIGRATE_ATOMIC)

    def entries_of(self, message: Migrate, length: int) -> tuple[Entry, ...]:
        """The entries of a message of which Count and length agree; none otherwise."""
        return message.entries if message.count and length == length_for(message.count) else ()

    # Rate limit --------------------------------------------------------------------------------------------------

    def key(self, command: Command, entry: Entry) -> object:
        message = command.message
        return self.rate_limit.key(command.network.name, message.protocol, message.previous, entry.previous_port)

    def limit(self, command: Command) -> tuple[Command | None, str]:
        """The command without the entries that come too soon."""
        admitted: list[Entry] = []
        early: list[Entry] = []
        for entry in command.message.entries:
            inside = self.rate_limit.is_inside(self.key(command, entry), command.arrival)
            (early if inside else admitted).append(entry)
        if not early:
            return command, ""
        for entry in early:
            self.rate_limit.discarded(self.key(command, entry), command.arrival)
        wrong = f"too soon for port {', '.join(str(entry.previous_port) for entry in early)}"
        if not admitted or self.is_atomic(command):
            return None, wrong
        log(f"migrate {self.describe(command)}: {wrong}, taken without")
        return replace(command, message=replace(command.message, entries=tuple(admitted))), ""

    # Deciding and doing ------------------------------------------------------------------------------------------

    def is_atomic(self, command: Command) -> bool:
        return command.message.code == MIGRATE_ATOMIC

    def carry_out(self, command: Command) -> list[Outcome]:
        """Migrate entry by entry; an atomic command that fails in one entry is rolled back."""
        outcomes: list[Outcome] = []
        taken: set[int] = set()
        for entry in command.message.entries:
            if entry.previous_port in taken:
                outcomes.append(Outcome(entry, "port occurs twice"))
                continue
            taken.add(entry.previous_port)
            outcomes.append(self.migrate(command, entry))
        if self.must_roll_back(command, outcomes):
            for outcome in reversed(outcomes):
                if outcome.done is not None:
                    self.undo(command, outcome.done)
        return outcomes

    def must_roll_back(self, command: Command, outcomes: list[Outcome]) -> bool:
        return self.is_atomic(command) and any(outcome.reason for outcome in outcomes)

    def migrate(self, command: Command, entry: Entry) -> Outcome:
        """Migrate one port."""
        previous, migrated = command.previous, command.migrated
        if previous is None or migrated is None:
            return Outcome(entry, "address does not exist on this network")
        flows = self.flows_of(command)
        if flows is None:
            return Outcome(entry, f"no sockets of protocol {command.message.protocol}")
        if self.is_retransmission(command, entry, previous, migrated):
            return Outcome(entry)
        if not command.network.is_peer(migrated) or not entry.migrated_port:
            return Outcome(entry, "new tuple is none of a peer")
        flow, wrong = self.find(command, entry, previous)
        if flow is None:
            return Outcome(entry, wrong)
        if self.is_in_use(flows, flow, migrated, entry.migrated_port):
            return Outcome(entry, "new tuple is in use")
        done = Done(flow, flow.wire_address, flow.wire_port, last_move(flow), choice_of(flow))
        set_choice(flow, self.choices.after_success(choice_of(flow)))
        self.rebind(flows, flow, migrated, entry.migrated_port)
        move = Move((previous, entry.previous_port), (migrated, entry.migrated_port), entry.identifier)
        set_last_move(flow, move)
        return Outcome(entry, done=done)

    def rebind(self, flows: Flows, flow: Flow, address: int, port: int) -> None:
        """Have a connection continue at the migrated tuple."""
        flows.migrate(flow, address, port)

    def flows_of(self, command: Command) -> Flows | None:
        """The connections of the protocol that a command names."""
        return command.network.flows_of(command.message.protocol)

    def is_retransmission(self, command: Command, entry: Entry, previous: int, migrated: int) -> bool:
        """Whether this entry has succeeded before and its socket is still there: the reply may have been lost."""
        return any(
            flow.is_live
            and (move := last_move(flow)) is not None
            and move.is_retransmitted_by(
                (previous, entry.previous_port), (migrated, entry.migrated_port), entry.identifier
            )
            for flow in self._of_peer(command, migrated, entry.migrated_port)
        )

    def candidates(self, command: Command, entry: Entry, previous: int) -> list[Flow]:
        """The opened sockets that the previous tuple names."""
        return self._of_peer(command, previous, entry.previous_port)

    def _of_peer(self, command: Command, address: int, port: int) -> list[Flow]:
        flows = self.flows_of(command)
        return [] if flows is None else flows.of_peer(address, port)

    def find(self, command: Command, entry: Entry, previous: int) -> tuple[Flow | None, str]:
        """The one socket that an entry means, or why there is none."""
        flows = [flow for flow in self.candidates(command, entry, previous) if self.is_migratable(flow)]
        if not flows:
            return None, "no such socket"
        flows = [flow for flow in flows if self.is_mobile(flow)]
        if not flows:
            return None, "the socket is not mobile"
        self._settle(flows)
        right = [flow for flow in flows if self.is_identifier_matched(flow, entry.identifier)]
        if len(right) > 1:
            right = [flow for flow in right if entry.identifier == flow.tcp.rcv_nxt]
        if len(right) == 1:
            return right[0], ""
        expected = ", ".join(self._expected(flow) for flow in flows)
        return None, f"identifier {entry.identifier}, expected {expected}"

    @staticmethod
    def _expected(flow: Flow) -> str:
        if choice_of(flow).unique_id is not None:
            return "the Unique ID"
        return f"{flow.tcp.rcv_nxt}..{flow.tcp.rcv_edge}" if flow.protocol == TCP else "nothing"

    def is_mobile(self, flow: Flow) -> bool:
        """A socket without MOBILE_ALLOWED is not remapped, nor is one that waits for an answer to its own Migrate."""
        context = mobile(flow)
        waits = context is not None and (context.is_pending or context.is_dead)
        return not waits and self.choices.is_mobile(flow.protocol, choice_of(flow))

    def is_identifier_matched(self, flow: Flow, identifier: int) -> bool:
        """A Unique ID where the application requires one; otherwise TCP goes by its sequence number, UDP nowhere."""
        unique_id = choice_of(flow).unique_id
        if unique_id is not None:
            return self.is_unique_id_right(flow, unique_id, identifier)
        return self.is_identifier_right(flow, identifier) if flow.protocol == TCP else self.is_any_datagram(flow)

    def is_unique_id_right(self, flow: Flow, unique_id: int, identifier: int) -> bool:
        return identifier == unique_id

    def is_any_datagram(self, flow: Flow) -> bool:
        """Whether a UDP socket without a Unique ID migrates all the same."""
        return False

    def is_migratable(self, flow: Flow) -> bool:
        """From the end of the handshake until both sides are closed."""
        return flow.tcp.state is State.ESTABLISHED

    def is_identifier_right(self, flow: Flow, identifier: int) -> bool:
        """Whether this can be the mobile node's SND.NXT: RCV.NXT to the end of the window, or just RCV.NXT."""
        if self.exact_sequence:
            return identifier == flow.tcp.rcv_nxt
        return distance(flow.tcp.rcv_nxt, identifier) >= 0 and distance(identifier, flow.tcp.rcv_edge) >= 0

    def is_in_use(self, flows: Flows, flow: Flow, address: int, port: int) -> bool:
        occupant = flows.occupant(address, port, flow.own_port)
        return occupant is not None and occupant is not flow

    def undo(self, command: Command, done: Done) -> None:
        """Put one socket back where it was."""
        flows = self.flows_of(command)
        assert flows is not None
        flows.rebind(done.flow, done.address, done.port)
        set_last_move(done.flow, done.last_move)
        set_choice(done.flow, done.choice)

    # Answering ---------------------------------------------------------------------------------------------------

    def answer(self, command: Command, outcomes: list[Outcome]) -> None:
        """Success with all the fields, or failed with the ports that failed, to where the command came from."""
        failed = [outcome.entry for outcome in outcomes if outcome.reason]
        code = FAILED if failed else SUCCESS
        listed = self.failed_entries(command, failed) if failed else list(command.message.entries)
        self.counters["failed_sent" if failed else "success_sent"] += 1
        reasons = "; ".join(
            f"port {outcome.entry.previous_port}: {outcome.reason}" for outcome in outcomes if outcome.reason
        )
        log(f"migrate {self.describe(command)}: {'failed, ' + reasons if failed else 'success'}")
        self.reply(command, self.encode(self.reply_message(command, code, listed)))

    def failed_entries(self, command: Command, failed: list[Entry]) -> list[Entry]:
        """The entries that a failed reply lists: those that failed, in the order of the request."""
        return failed

    def reply_message(self, command: Command, code: int, entries: list[Entry]) -> Migrate:
        """The request's fields, Code and Checksum excepted; Reserved is zero from whoever transmits."""
        return replace(command.message, code=code, reserved=0, count=None, entries=tuple(entries))

    def encode(self, message: Migrate) -> bytes:
        return message.pack()

    def reply(self, command: Command, data: bytes) -> None:
        self._send(command.network, command.source, command.network.icmp_protocol, data)

    # Logging -----------------------------------------------------------------------------------------------------

    def _discard(self, network: Network, source: int, reason: str) -> None:
        self.counters["migrate_discarded"] += 1
        log(f"migrate from {network.text(source)} discarded: {reason}")

    @staticmethod
    def describe(command: Command) -> str:
        def text(address: int | None) -> str:
            return "?" if address is None else command.network.text(address)

        message = command.message
        ports = ",".join(f"{entry.previous_port}>{entry.migrated_port}" for entry in message.entries[:8])
        more = ",..." if len(message.entries) > 8 else ""
        kind = "atomic" if message.code == MIGRATE_ATOMIC else "best effort"
        return f"{text(command.previous)}>{text(command.migrated)} ports {ports}{more} ({kind})"
