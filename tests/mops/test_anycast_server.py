# SPDX-License-Identifier: GPL-2.0-or-later
"""The anycast server of the reference without a wire: which of its addresses a connection has, and what it says."""

import struct
from typing import Any

import pytest

from reference.bump.ipff import IpffSettings
from reference.bump.network import Network
from reference.bump.tcp import SYN, State
from reference.mops.acknowledgements import AnycastAcknowledgement
from reference.mops.anycast_server import Acknowledger, AnycastServer
from reference.mops.message import Entry, Migrate
from reference.mops.roles import AnycastParts
from reference.mops.two_addresses import PlacedFlow, PlacedFlows, TwoIpffAddresses, own_end, placed
from tests.mops.played_server import DUT as UNICAST
from tests.mops.played_server import INTERVAL_S, READING

ANYCAST, OLD, NEW, ECHO = 0x2, 0xA, 0xB, 7
RCV_NXT, WINDOW = 1000, 20000


class PlayedAnycastServer:
    """One server with two addresses, its flows, and what it has answered from where."""

    def __init__(self) -> None:
        parts = AnycastParts()
        network = IpffSettings(UNICAST, 0x88B5, 1, bytes(6), READING).network(parts.flows(), parts.ipff)
        assert isinstance(network, TwoIpffAddresses)
        network.answer_at(ANYCAST)
        self.network, self.flows = network, network.flows
        self.answers: list[tuple[int, int, bytes]] = []
        limit = parts.rate_limit(INTERVAL_S)
        server = parts.server(limit, False, lambda _: None, self._send, parts.choices())
        assert isinstance(server, AnycastServer)
        self.server = server

    def _send(self, network: Network, destination: int, protocol: int, payload: bytes) -> None:
        self.answers.append((network.own, destination, payload))

    def open(self, port: int, own: int = ANYCAST) -> PlacedFlow:
        assert isinstance(self.flows, PlacedFlows)
        self.flows.own = own
        flow = self.flows.inbound(OLD, port, ECHO, SYN, 0.0)
        assert flow is not None
        flow.tcp.state = State.ESTABLISHED
        flow.tcp.rcv_nxt = flow.tcp.expected = RCV_NXT
        flow.tcp.rcv_edge = RCV_NXT + WINDOW
        return placed(flow)

    def ask(self, called: int, *entries: Entry, code: int = 0, at: float = 0.0) -> tuple[int, int]:
        """Send a Migrate to one of the addresses: where the answer came from, and its code."""
        self.network.own = called
        message = Migrate(code=code, protocol=6, previous=OLD, migrated=NEW, entries=entries)
        self.server.receive(self.network, NEW, message.pack(), at)
        own, destination, payload = self.answers.pop()
        assert destination == NEW
        return own, payload[5]


@pytest.fixture
def played() -> PlayedAnycastServer:
    return PlayedAnycastServer()


def entry(port: int, identifier: int = RCV_NXT) -> Entry:
    return Entry(port, port + 1000, identifier)


@pytest.mark.parametrize(
    ("called", "continues_at_anycast", "own"),
    [(UNICAST, False, UNICAST), (UNICAST, True, ANYCAST), (ANYCAST, False, ANYCAST), (ANYCAST, True, ANYCAST)],
)
def test_where_a_connection_continues(
    played: PlayedAnycastServer, called: int, continues_at_anycast: bool, own: int
) -> None:
    flow = played.open(1027)
    played.server.continues_at_anycast = continues_at_anycast
    assert played.ask(called, entry(1027)) == (called, 2)
    assert (flow.own, flow.kernel_own) == (own, ANYCAST)
    assert played.flows.by_wire == {(NEW, 2027, own_end(own, ECHO)): flow}
    assert flow.kernel == (OLD, 1027, own_end(ANYCAST, ECHO))


def test_checksums_take_the_own_address_in(played: PlayedAnycastServer) -> None:
    flow = played.open(1027)
    assert not flow.is_rewritten
    played.ask(UNICAST, entry(1027))
    assert flow.in_delta == (OLD - NEW + ANYCAST - UNICAST + 1027 - 2027) % 0xFFFF


def test_a_roll_back_restores_both_addresses(played: PlayedAnycastServer) -> None:
    flows = [played.open(1027), played.open(1028, UNICAST), played.open(1029)]
    before = [flow.wire for flow in flows]
    assert played.ask(UNICAST, entry(1027), entry(1028), entry(1029, 5), code=1) == (UNICAST, 3)
    assert [flow.wire for flow in flows] == before
    assert sorted(played.flows.by_wire) == sorted(before)


def test_one_client_tuple_with_both_addresses(played: PlayedAnycastServer) -> None:
    first, second = played.open(1027), played.open(1027, UNICAST)
    assert first is not second
    second.tcp.rcv_nxt, second.tcp.rcv_edge = 1 << 30, (1 << 30) + WINDOW
    assert played.ask(UNICAST, entry(1027, 1 << 30)) == (UNICAST, 2)
    assert (first.wire_address, second.wire_address) == (OLD, NEW)


def test_a_tuple_is_in_use_where_the_connection_would_continue(played: PlayedAnycastServer) -> None:
    flow, occupant = played.open(1027), played.open(1028, UNICAST)
    played.flows.rebind(occupant, NEW, 2027)
    assert played.ask(UNICAST, entry(1027)) == (UNICAST, 3)
    assert flow.wire == (OLD, 1027, own_end(ANYCAST, ECHO))
    assert played.ask(ANYCAST, entry(1027), at=INTERVAL_S + 1) == (ANYCAST, 2)
    assert occupant in played.flows.by_wire.values()


def test_one_interval_for_both_addresses(played: PlayedAnycastServer) -> None:
    played.open(1027)
    assert played.ask(UNICAST, entry(1027, 5)) == (UNICAST, 3)
    with pytest.raises(IndexError):
        played.ask(ANYCAST, entry(1027), at=INTERVAL_S / 2)


def test_acknowledgement(played: PlayedAnycastServer) -> None:
    flow, sent = played.open(1027), []

    def send(network: Network, destination: int, protocol: int, payload: bytes) -> None:
        sent.append((network.own, destination, protocol, payload))

    Acknowledger().acknowledge(played.network, flow, send)
    ((source, destination, protocol, payload),) = sent
    assert (source, destination, protocol) == (ANYCAST, OLD, 1)
    fields: tuple[Any, ...] = struct.unpack("!HHBBHQQHH", payload)
    assert fields[:1] + fields[2:] == (101, 1, 0, 0, 6 << 50 | ANYCAST, UNICAST, 1027, ECHO)
    assert AnycastAcknowledgement.parse(payload) == AnycastAcknowledgement(6, ANYCAST, UNICAST, 1027, ECHO)
