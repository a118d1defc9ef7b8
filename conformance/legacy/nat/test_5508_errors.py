# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5508, REQ-3 to REQ-5, and RFC 4787, REQ-12: ICMP errors about UDP and echo, from either side."""

import pytest

from conformance.legacy.dut.flow import Flow, inward, outward, send_about
from conformance.legacy.dut.nat import Nat
from conformance.legacy.dut.quoting import require_quote
from conformance.legacy.tester.errors import ERRORS, PORT
from conformance.legacy.tester.hosts import Hosts
from testbed import requirement, valid
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.interruptions import Inconclusive

KINDS = pytest.mark.parametrize("kind", ["UDP", "echo"])
ALL = pytest.mark.parametrize("error", ERRORS, ids=str)
OPTIONS = b"\x94\x04\x00\x00"
EXTENSION = bytes.fromhex("20000000") + bytes.fromhex("0008010100064010")


@valid
@requirement("LEGACY-5508.REQ4-04", case=1)
def test_error_comes_to_the_host_it_is_about(hosts: Hosts, dut: Nat) -> None:
    """Of two hosts that send from one port to one destination, each gets the error about its own datagram."""
    first = outward(hosts, dut)
    inner = hosts.inside(first.inner.port)
    request = inner.send(first.outer.place)
    second = Flow(inner, first.outer, first.mapped, request, dut.forwards(request, first.outer).packet)
    for flow in (second, first):
        sent = send_about(flow, PORT, flow.outer)
        frame, packet = dut.message_about(flow.request, flow.inner, PORT.kind, PORT.code, sent)
        require_quote(frame, packet, flow.request.packet)


@pytest.mark.parametrize("kind", ["UDP", "echo"])
@valid
@requirement("LEGACY-5508.REQ4-02", case=2)
def test_quote_gets_back_a_port_that_was_changed(hosts: Hosts, dut: Nat, kind: str) -> None:
    """An error about a datagram or query from a port that another host has too quotes it as its host has sent it."""
    flow = _with_another_port(hosts, dut, kind)
    sent = send_about(flow, PORT, flow.outer, None)
    frame, packet = dut.message_about(flow.request, flow.inner, PORT.kind, PORT.code, sent)
    require_quote(frame, packet, flow.request.packet)


@valid
@requirement("LEGACY-5508.REQ5-02", case=2)
def test_outward_quote_gets_back_a_port_that_was_changed(hosts: Hosts, dut: Nat) -> None:
    """An error from the inside, about a datagram to a port that another host has too, quotes it as it came."""
    outward_flow = _with_another_port(hosts, dut, "UDP")
    request = outward_flow.outer.send(outward_flow.mapped)
    came = dut.forwards(request, outward_flow.inner).packet
    flow = Flow(outward_flow.inner, outward_flow.outer, outward_flow.mapped, request, came)
    sent = send_about(flow, PORT, flow.inner, None)
    frame, packet = dut.message_about(request, flow.outer, PORT.kind, PORT.code, sent)
    require_quote(frame, packet, request.packet)


def _with_another_port(hosts: Hosts, dut: Nat, kind: str) -> Flow:
    """A flow of the second host with a port, or identifier, which the NAT must change; preamble."""
    with preamble():
        first = outward(hosts, dut, kind)
        flow = outward(hosts, dut, kind, (hosts.inside(first.inner.port), first.outer))
    if flow.mapped[1] == flow.inner.port:
        raise Inconclusive("preamble: the second host has kept its port, which the first one has too")
    return flow


@pytest.mark.parametrize("who", ["host", "router"])
@valid
@requirement("LEGACY-5508.REQ5-04", case=1)
def test_error_goes_out_from_the_outside_address(hosts: Hosts, dut: Nat, who: str) -> None:
    """An error from the host that a datagram came to, or from a router before it, comes from the NAT's own address."""
    flow = inward(hosts, dut)
    sent = send_about(flow, PORT, flow.inner if who == "host" else hosts.inside())
    frame, packet = dut.message_about(flow.request, flow.outer, PORT.kind, PORT.code, sent)
    require(packet.src == dut.outside_address, "source", dut.outside_address, packet.src, frame)
