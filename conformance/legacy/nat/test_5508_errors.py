# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5508, REQ-3 to REQ-5, and RFC 4787, REQ-12: ICMP errors about UDP and echo, from either side."""

from dataclasses import dataclass

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.packet import Raw

from conformance.legacy.dut.nat import Nat
from conformance.legacy.dut.quoting import require_quote
from conformance.legacy.tester.errors import ERRORS, EVERY, MTU, PORT, TOO_BIG, UNREACHABLE, Error
from conformance.legacy.tester.hosts import Endpoint, Hosts, SentPacket, Tuple
from testbed import inopportune, invalid, requirement, valid
from testbed.case.verdict import require
from testbed.wire.capture import Sent

KINDS = pytest.mark.parametrize("kind", ["UDP", "echo"])
ALL = pytest.mark.parametrize("error", ERRORS, ids=str)
OPTIONS = b"\x94\x04\x00\x00"
EXTENSION = bytes.fromhex("20000000") + bytes.fromhex("0008010100064010")


@dataclass(frozen=True)
class Flow:
    """A flow through the NAT: its ends, what the inner one appears as, and a packet as it went in and came out."""

    inner: Endpoint
    outer: Endpoint
    mapped: Tuple
    request: SentPacket
    came: IP


def _outward(hosts: Hosts, dut: Nat, kind: str = "UDP") -> Flow:
    inner, outer = hosts.inside(), hosts.outside()
    if kind == "echo":
        mapped = dut.maps_query(inner, outer)
        request = inner.query(outer.address)
        came = dut.forwards(request, outer.at(mapped[1]))
    else:
        request = inner.send(outer.place)
        came = dut.forwards(request, outer)
    return Flow(inner, outer, came.source, request, came.packet)


def _inward(hosts: Hosts, dut: Nat) -> Flow:
    inner, outer = hosts.inside(), hosts.outside()
    mapped = dut.maps(inner, outer)
    request = outer.send(mapped)
    return Flow(inner, outer, mapped, request, dut.forwards(request, inner).packet)


def _send(flow: Flow, error: Error, source: Endpoint, length: int | None = 28) -> Sent:
    """The error about what came out of the NAT, from a host or router on that side."""
    return source.station.transmit(error.about(flow.came, source.address, length))


@KINDS
@ALL
@valid
@requirement("LEGACY-5508.REQ4-02", case=1)
def test_error_comes_in_as_about_the_original(hosts: Hosts, dut: Nat, error: Error, kind: str) -> None:
    """An error from the outside quotes the packet as its host has sent it, its checksums too."""
    outward = _outward(hosts, dut, kind)
    sent = _send(outward, error, outward.outer, None)
    frame, packet = dut.message_about(outward.request, outward.inner, error.kind, error.code, sent)
    require_quote(frame, packet, outward.request.packet)


@KINDS
@ALL
@valid
@requirement("LEGACY-5508.REQ4-03", case=1)
def test_error_that_comes_in_keeps_its_kind(hosts: Hosts, dut: Nat, error: Error, kind: str) -> None:
    """Type, code and MTU of an error from the outside are as they were."""
    outward = _outward(hosts, dut, kind)
    sent = _send(outward, error, outward.outer)
    frame, packet = dut.message_about(outward.request, outward.inner, error.kind, error.code, sent)
    if error is TOO_BIG:
        require(packet[ICMP].nexthopmtu == MTU, "MTU", MTU, packet[ICMP].nexthopmtu, frame)


@valid
@requirement("LEGACY-5508.REQ4-04", case=1)
def test_error_comes_to_the_host_it_is_about(hosts: Hosts, dut: Nat) -> None:
    """Of two hosts that send from one port to one destination, each gets the error about its own datagram."""
    first = _outward(hosts, dut)
    inner = hosts.inside(first.inner.port)
    request = inner.send(first.outer.place)
    second = Flow(inner, first.outer, first.mapped, request, dut.forwards(request, first.outer).packet)
    for flow in (second, first):
        sent = _send(flow, PORT, flow.outer)
        frame, packet = dut.message_about(flow.request, flow.inner, PORT.kind, PORT.code, sent)
        require_quote(frame, packet, flow.request.packet)


@inopportune
@requirement("LEGACY-5508.REQ4-01", case=1)
def test_error_about_nothing_passes_to_nobody(hosts: Hosts, dut: Nat) -> None:
    """An error from the outside about a datagram from a port that has no mapping passes to no inside host."""
    flow = _outward(hosts, dut)
    unknown = flow.came.copy()
    unknown.sport = flow.mapped[1] ^ 1
    sent = flow.outer.station.transmit(PORT.about(unknown, flow.outer.address))
    dut.passes_no_message(flow.request, flow.inner, sent)


@pytest.mark.parametrize("error", [PORT, ERRORS[0], ERRORS[5]], ids=str)
@valid
@requirement("LEGACY-5508.REQ5-02", case=1)
def test_error_goes_out_as_about_the_original(hosts: Hosts, dut: Nat, error: Error) -> None:
    """An error from the inside quotes the datagram as it came from the outside."""
    flow = _inward(hosts, dut)
    sent = _send(flow, error, flow.inner, None)
    frame, packet = dut.message_about(flow.request, flow.outer, error.kind, error.code, sent)
    require_quote(frame, packet, flow.request.packet)


@ALL
@valid
@requirement("LEGACY-5508.REQ5-03", case=1)
def test_error_that_goes_out_keeps_its_kind(hosts: Hosts, dut: Nat, error: Error) -> None:
    """Type and code, and the MTU, of an error from the inside are as they were."""
    flow = _inward(hosts, dut)
    sent = _send(flow, error, flow.inner)
    frame, packet = dut.message_about(flow.request, flow.outer, error.kind, error.code, sent)
    if error is TOO_BIG:
        require(packet[ICMP].nexthopmtu == MTU, "MTU", MTU, packet[ICMP].nexthopmtu, frame)


@pytest.mark.parametrize("who", ["host", "router"])
@valid
@requirement("LEGACY-5508.REQ5-04", case=1)
def test_error_goes_out_from_the_outside_address(hosts: Hosts, dut: Nat, who: str) -> None:
    """An error from the host that a datagram came to, or from a router before it, comes from the NAT's own address."""
    flow = _inward(hosts, dut)
    sent = _send(flow, PORT, flow.inner if who == "host" else hosts.inside())
    frame, packet = dut.message_about(flow.request, flow.outer, PORT.kind, PORT.code, sent)
    require(packet.src == dut.outside_address, "source", dut.outside_address, packet.src, frame)


@inopportune
@requirement("LEGACY-5508.REQ5-01", case=1)
def test_error_about_nothing_does_not_go_out(hosts: Hosts, dut: Nat) -> None:
    """An error from the inside about a datagram that has not come does not go out."""
    flow = _inward(hosts, dut)
    unknown = flow.came.copy()
    unknown.dport = flow.inner.port ^ 1
    sent = flow.inner.station.transmit(PORT.about(unknown, flow.inner.address))
    dut.passes_no_message(flow.request, flow.outer, sent)


@invalid
@requirement("LEGACY-5508.REQ3-01", case=1)
def test_error_with_a_wrong_checksum_is_dropped(hosts: Hosts, dut: Nat) -> None:
    """An error whose own checksum is wrong does not pass."""
    flow = _outward(hosts, dut)
    message = PORT.about(flow.came, flow.outer.address)
    message[ICMP].chksum ^= 0x0101
    dut.passes_no_message(flow.request, flow.inner, flow.outer.station.transmit(message))


@invalid
@requirement("LEGACY-5508.REQ3-02", case=1)
def test_error_with_a_damaged_quote_is_dropped(hosts: Hosts, dut: Nat) -> None:
    """An error that quotes an IP header with a wrong checksum does not pass."""
    flow = _outward(hosts, dut)
    damaged = flow.came.copy()
    damaged.chksum ^= 0x0101
    sent = flow.outer.station.transmit(PORT.about(damaged, flow.outer.address))
    dut.passes_no_message(flow.request, flow.inner, sent)


@valid
@requirement("LEGACY-5508.REQ3-03", case=1)
def test_quoted_options_are_passed_over(hosts: Hosts, dut: Nat) -> None:
    """An error about a packet with IP options comes in, and quotes the packet as it was sent."""
    inner, outer = hosts.inside(), hosts.outside()
    request = inner.send(outer.place, options=OPTIONS)
    came = dut.forwards(request, outer)
    flow = Flow(inner, outer, came.source, request, came.packet)
    sent = _send(flow, PORT, outer, None)
    frame, packet = dut.message_about(request, inner, PORT.kind, PORT.code, sent)
    require_quote(frame, packet, request.packet)


@valid
@requirement("LEGACY-5508.REQ3-04", case=1)
def test_quoted_transport_checksum_is_not_judged(hosts: Hosts, dut: Nat) -> None:
    """An error that quotes the whole datagram, its data altered so that the checksum is wrong, comes in."""
    flow = _outward(hosts, dut)
    altered = IP(bytes(flow.came)[:-1] + bytes([bytes(flow.came)[-1] ^ 1]))
    sent = flow.outer.station.transmit(PORT.about(altered, flow.outer.address, None))
    dut.message_about(flow.request, flow.inner, PORT.kind, PORT.code, sent)


@valid
@requirement("LEGACY-5508.REQ3-05", case=1)
def test_extensions_pass(hosts: Hosts, dut: Nat) -> None:
    """The extensions of an error, after a quote padded to 128 bytes (RFC 4884), come in as they were."""
    inner, outer = hosts.inside(), hosts.outside()
    request = inner.send(outer.place, bytes(20))
    came = dut.forwards(request, outer)
    quoted = bytes(came.packet)[:128].ljust(128, b"\0")
    header = ICMP(type=11, code=0, length=32)
    message = IP(src=outer.address, dst=came.packet.src) / header / Raw(quoted + EXTENSION)
    sent = outer.station.transmit(IP(bytes(message)))
    frame, packet = dut.message_about(request, inner, 11, 0, sent)
    tail = bytes(packet[ICMP])[8 + 128 :]
    require(tail == EXTENSION, "extensions", EXTENSION.hex(), tail.hex(), frame)


@pytest.mark.parametrize("error", EVERY, ids=str)
@pytest.mark.parametrize("side", ["outside", "inside"])
@inopportune
@requirement("LEGACY-4787.REQ12-01", case=1)
def test_error_ends_no_mapping(hosts: Hosts, dut: Nat, error: Error, side: str) -> None:
    """After an error about it from either side, answers pass to a mapping, which is used for the next datagram too."""
    flow = _outward(hosts, dut) if side == "outside" else _inward(hosts, dut)
    _send(flow, error, flow.outer if side == "outside" else flow.inner)
    dut.barrier((flow.inner if side == "outside" else flow.outer).side)
    dut.delivers_inward(flow.outer, flow.mapped, flow.inner)
    came = dut.translates(flow.inner, flow.outer)
    require(came.source == flow.mapped, "source", flow.mapped, came.source, came.frame)


@ALL
@valid
@requirement("LEGACY-4787.REQ12-02", case=1)
def test_error_of_a_router_comes_in(hosts: Hosts, dut: Nat, error: Error) -> None:
    """An error from an address that the host has never sent to comes in."""
    flow, router = _outward(hosts, dut), hosts.outside()
    dut.message_about(flow.request, flow.inner, error.kind, error.code, _send(flow, error, router))


@pytest.mark.parametrize("error", UNREACHABLE, ids=str)
@valid
@requirement("LEGACY-4787.REQ12-03", case=1)
def test_unreachable_comes_in(hosts: Hosts, dut: Nat, error: Error) -> None:
    """Destination Unreachable from the destination of a datagram comes in to its sender."""
    flow = _outward(hosts, dut)
    dut.message_about(flow.request, flow.inner, error.kind, error.code, _send(flow, error, flow.outer))
