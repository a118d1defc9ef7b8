# SPDX-License-Identifier: GPL-2.0-or-later
"""A MOPS server without a wire: what it answers, and where its connections are afterwards."""

from typing import Any

from reference.bump.flows import Flow
from reference.bump.ipff import IpffSettings
from reference.bump.ipff_wire import Reading
from reference.bump.network import Network
from reference.bump.tcp import SYN, State
from reference.mops.message import Entry, Migrate
from reference.mops.roles import ServerParts
from reference.system.configuration import Table

OLD, NEW, OTHER, SENDER, DUT = 0xA, 0xB, 0xC, 0xD, 0x1
INTERVAL_S = 5.0
READING = Reading.read(Table({}))
RCV_NXT, WINDOW = 1000, 20000


class PlayedServer:
    """One server and its flows."""

    def __init__(self, part: type | None = None) -> None:
        parts = ServerParts() if part is None else ServerParts().with_part(part)
        self.network = IpffSettings(DUT, 0x88B5, 1, bytes(6), READING).network(parts.flows())
        self.flows = self.network.flows
        self.replies: list[tuple[int, bytes]] = []
        limit = parts.rate_limit(INTERVAL_S)
        self.server = parts.server(limit, False, lambda _: None, self._send, parts.choices())
        self.opened: list[Flow] = []

    def _send(self, network: Network, destination: int, protocol: int, payload: bytes) -> None:
        self.replies.append((destination, payload))

    def open(self, port: int, address: int = OLD, state: State = State.ESTABLISHED) -> Flow:
        """A connection whose receive window starts a million further for each port."""
        flow = self.flows.inbound(address, port, 7, SYN, 0.0)
        assert flow is not None
        flow.tcp.state = state
        flow.tcp.rcv_nxt = flow.tcp.expected = self.snd_nxt(port)
        flow.tcp.rcv_edge = flow.tcp.rcv_nxt + WINDOW
        self.opened.append(flow)
        return flow

    @staticmethod
    def snd_nxt(port: int) -> int:
        """What the mobile node sends next from this port."""
        return port * 1_000_000 + RCV_NXT

    def entry(self, port: int, offset: int = 0, migrated: int | None = None) -> Entry:
        return Entry(port, port + 1000 if migrated is None else migrated, self.snd_nxt(port) + offset)

    def ask(self, *entries: Entry, at: float = 0.0, source: int = NEW, raw: bytes | None = None, **fields: Any) -> Any:
        """Send a Migrate; what is answered: code and ports."""
        if raw is None:
            raw = Migrate(
                **{"code": 0, "protocol": 6, "previous": OLD, "migrated": NEW, "entries": entries, **fields}
            ).pack()
        self.replies.clear()
        self.server.receive(self.network, source, raw, at)
        return [
            (payload[5], [entry.previous_port for entry in self.message(payload).entries])
            for _, payload in self.replies
        ]

    @staticmethod
    def message(payload: bytes) -> Migrate:
        message = Migrate.parse(payload)
        assert message is not None
        return message

    def tuples(self) -> list[tuple[int, int]]:
        """Where the connections are reached."""
        return [(flow.wire_address, flow.wire_port) for flow in self.opened]

    def seen_at(self, address: int, port: int, flags: int) -> Any:
        """Which connection of the kernel a segment from this tuple enters: its index, None for any other."""
        flow = self.flows.inbound(address, port, 7, flags, 0.0)
        kernels = [one.kernel for one in self.opened]
        return kernels.index(flow.kernel) if flow is not None and flow.kernel in kernels else None

    def sent_to(self, flow: Flow) -> tuple[int, int]:
        """Where the kernel's segments for a connection go."""
        out = self.flows.outbound(*flow.kernel, 0.0)
        assert out is not None
        return out.wire_address, out.wire_port
