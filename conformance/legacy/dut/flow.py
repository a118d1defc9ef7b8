# SPDX-License-Identifier: GPL-2.0-or-later
"""Flows through a box between two links, and errors about them."""

from dataclasses import dataclass

from scapy.layers.inet import IP

from conformance.legacy.dut.nat import Nat
from conformance.legacy.tester.errors import Error
from conformance.legacy.tester.hosts import Endpoint, Hosts, SentPacket, Tuple
from testbed.wire.capture import Sent


@dataclass(frozen=True)
class Flow:
    """A flow through the box: its ends, what the inner one appears as, and a packet as it went in and came out."""

    inner: Endpoint
    outer: Endpoint
    mapped: Tuple
    request: SentPacket
    came: IP


def outward(hosts: Hosts, dut: Nat, kind: str = "UDP", ends: tuple[Endpoint, Endpoint] | None = None) -> Flow:
    """A flow that a packet from the inside has begun, between new hosts unless `ends` are given."""
    inner, outer = ends or (hosts.inside(), hosts.outside())
    if kind == "echo":
        mapped = dut.maps_query(inner, outer)
        request = inner.query(outer.address)
        came = dut.forwards(request, outer.at(mapped[1]))
    else:
        request = inner.send(outer.place)
        came = dut.forwards(request, outer)
    return Flow(inner, outer, came.source, request, came.packet)


def inward(hosts: Hosts, dut: Nat) -> Flow:
    """A flow whose last packet is one that has come in."""
    inner, outer = hosts.inside(), hosts.outside()
    mapped = dut.maps(inner, outer)
    request = outer.send(mapped)
    return Flow(inner, outer, mapped, request, dut.forwards(request, inner).packet)


def send_about(flow: Flow, error: Error, source: Endpoint, length: int | None = 28) -> Sent:
    """The error about what came out of the box, from a host or router on that side."""
    return source.station.transmit(error.about(flow.came, source.address, length))
