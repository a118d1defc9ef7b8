# SPDX-License-Identifier: GPL-2.0-or-later
"""Wire tuples, kernel tuples and aliases."""

from reference.bump.flows import MAXIMUM, Flow, Flows
from reference.bump.ipv4 import Ipv4Network, Ipv4Settings
from reference.bump.tcp import ACK, SYN, State
from tests.lab.wire import network_packet

A, B, C = 0xA, 0xB, 0xC


def opened(flows: Flows, address: int, port: int, now: float = 0.0) -> Flow:
    flow = flows.inbound(address, port, 7, SYN, now)
    assert flow is not None
    flow.tcp.state = State.ESTABLISHED
    return flow


def test_a_new_flow_has_the_same_tuple_on_both_sides() -> None:
    flows = Flows()
    flow = opened(flows, A, 1)
    assert flow.wire == flow.kernel == (A, 1, 7)
    assert flow.in_delta == flow.out_delta == 0
    assert flows.inbound(A, 1, 7, ACK, 0) is flow
    assert flows.outbound(A, 1, 7, 0) is flow


def test_a_migrated_flow_keeps_its_kernel_tuple() -> None:
    flows = Flows()
    flow = opened(flows, A, 1)
    flows.migrate(flow, B, 2)
    assert (flow.wire, flow.kernel) == ((B, 2, 7), (A, 1, 7))
    assert flows.inbound(B, 2, 7, ACK, 0) is flow
    assert flows.outbound(A, 1, 7, 0) is flow
    assert flows.of_peer(B, 2) == [flow]
    assert flows.of_peer(A, 1) == []


def test_newcomers_at_the_old_tuple_get_aliases() -> None:
    flows = Flows()
    moved = opened(flows, A, 1)
    flows.migrate(moved, B, 2)
    newcomer = opened(flows, A, 1)
    assert newcomer.wire == (A, 1, 7)
    assert newcomer.kernel != (A, 1, 7)
    assert newcomer.kernel[0] == A
    assert flows.outbound(*newcomer.kernel, 0) is newcomer
    assert flows.outbound(A, 1, 7, 0) is moved
    flows.migrate(newcomer, C, 3)
    third = opened(flows, A, 1)
    assert len({moved.kernel, newcomer.kernel, third.kernel}) == 3


def test_a_freed_tuple_needs_no_alias() -> None:
    flows = Flows()
    flow = opened(flows, A, 1)
    flows.migrate(flow, B, 2)
    flows.free(flow)
    assert len(flows) == 0
    assert not flows.by_wire
    assert not flows.by_peer
    assert opened(flows, A, 1).kernel == (A, 1, 7)


def test_a_living_occupant_stands_in_the_way_and_a_dead_one_does_not() -> None:
    flows = Flows()
    flow, other = opened(flows, A, 1), opened(flows, B, 2)
    assert flows.occupant(B, 2, 7) is other
    other.tcp.state = State.CLOSED
    assert flows.occupant(B, 2, 7) is None
    flows.migrate(flow, B, 2)
    assert flows.inbound(B, 2, 7, ACK, 0) is flow
    assert len(flows) == 1


def test_a_syn_on_a_closed_flow_starts_afresh() -> None:
    flows = Flows()
    flow = opened(flows, A, 1)
    flows.migrate(flow, B, 2)
    flow.tcp.state = State.TIME_WAIT
    assert flows.inbound(B, 2, 7, ACK, 0) is flow
    again = flows.inbound(B, 2, 7, SYN, 0)
    assert again is not None
    assert again is not flow
    assert again.kernel == (B, 2, 7)


def test_the_kernel_may_not_open_on_a_wire_tuple_of_another() -> None:
    flows = Flows()
    flow = opened(flows, A, 1)
    flows.migrate(flow, B, 2)
    assert flows.outbound(B, 2, 7, 0) is None


def test_flows_expire_by_state() -> None:
    flows = Flows()
    established, stray = opened(flows, A, 1), flows.inbound(B, 2, 7, ACK, 0)
    assert stray is not None
    flows.expire(4)
    assert len(flows) == 2
    flows.expire(6)
    assert list(flows.by_kernel.values()) == [established]
    established.tcp.our_fin = 5
    flows.expire(2000)
    assert len(flows) == 0


def test_there_is_an_end_to_flows() -> None:
    flows = Flows()
    for number in range(MAXIMUM):
        assert flows.inbound(number, 1, 7, SYN, 0) is not None
    assert flows.inbound(MAXIMUM, 1, 7, SYN, 0) is None
    assert flows.outbound(MAXIMUM, 1, 7, 0) is None


def test_addresses_of_equal_sum_are_rewritten_all_the_same() -> None:
    settings = Ipv4Settings(0xC6120001, 1, 254)
    network = Ipv4Network(settings, Flows())
    flow = opened(network.flows, 0xC6130102, 1)
    network.flows.migrate(flow, 0x0102C613, 1)
    assert flow.in_delta == 0
    buffer = bytearray(100)
    packet = network_packet("ipv4", "1.2.198.19", "198.18.0.1", 6, bytes(20))
    buffer[30 : 30 + len(packet)] = packet
    found = network.parse_wire(buffer, 30, 30 + len(packet))
    assert found is not None
    network.enter_kernel(buffer, 30, found, flow)
    assert buffer[42:46] == bytes.fromhex("c6130102")
