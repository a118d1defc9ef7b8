# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5508, REQ-3 to REQ-5, and RFC 4787, REQ-12: ICMP errors about UDP and echo, from either side."""

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.packet import Raw

from conformance.legacy.dut.flow import Flow, inward, outward, send_about
from conformance.legacy.dut.nat import Nat
from conformance.legacy.dut.quoting import require_quote
from conformance.legacy.tester.errors import ERRORS, EVERY, MTU, PORT, TOO_BIG, UNREACHABLE, Error
from conformance.legacy.tester.hosts import Hosts
from testbed import inopportune, invalid, requirement, valid
from testbed.case.verdict import require

KINDS = pytest.mark.parametrize("kind", ["UDP", "echo"])
ALL = pytest.mark.parametrize("error", ERRORS, ids=str)
OPTIONS = b"\x94\x04\x00\x00"
EXTENSION = bytes.fromhex("20000000") + bytes.fromhex("0008010100064010")


@KINDS
@ALL
@valid
@requirement("LEGACY-5508.REQ4-02", case=1)
def test_error_comes_in_as_about_the_original(hosts: Hosts, dut: Nat, error: Error, kind: str) -> None:
    """An error from the outside quotes the packet as its host has sent it, its checksums too."""
    flow = outward(hosts, dut, kind)
    sent = send_about(flow, error, flow.outer, None)
    frame, packet = dut.message_about(flow.request, flow.inner, error.kind, error.code, sent)
    require_quote(frame, packet, flow.request.packet)


@KINDS
@ALL
@valid
@requirement("LEGACY-5508.REQ4-03", case=1)
def test_error_that_comes_in_keeps_its_kind(hosts: Hosts, dut: Nat, error: Error, kind: str) -> None:
    """Type, code and MTU of an error from the outside are as they were."""
    flow = outward(hosts, dut, kind)
    sent = send_about(flow, error, flow.outer)
    frame, packet = dut.message_about(flow.request, flow.inner, error.kind, error.code, sent)
    if error is TOO_BIG:
        require(packet[ICMP].nexthopmtu == MTU, "MTU", MTU, packet[ICMP].nexthopmtu, frame)


@inopportune
@requirement("LEGACY-5508.REQ4-01", case=1)
def test_error_about_nothing_passes_to_nobody(hosts: Hosts, dut: Nat) -> None:
    """An error from the outside about a datagram from a port that has no mapping passes to no inside host."""
    flow = outward(hosts, dut)
    unknown = flow.came.copy()
    unknown.sport = flow.mapped[1] ^ 1
    sent = flow.outer.station.transmit(PORT.about(unknown, flow.outer.address))
    dut.passes_no_message(flow.request, flow.inner, sent)


@pytest.mark.parametrize("error", [PORT, ERRORS[0], ERRORS[5]], ids=str)
@valid
@requirement("LEGACY-5508.REQ5-02", case=1)
def test_error_goes_out_as_about_the_original(hosts: Hosts, dut: Nat, error: Error) -> None:
    """An error from the inside quotes the datagram as it came from the outside."""
    flow = inward(hosts, dut)
    sent = send_about(flow, error, flow.inner, None)
    frame, packet = dut.message_about(flow.request, flow.outer, error.kind, error.code, sent)
    require_quote(frame, packet, flow.request.packet)


@ALL
@valid
@requirement("LEGACY-5508.REQ5-03", case=1)
def test_error_that_goes_out_keeps_its_kind(hosts: Hosts, dut: Nat, error: Error) -> None:
    """Type and code, and the MTU, of an error from the inside are as they were."""
    flow = inward(hosts, dut)
    sent = send_about(flow, error, flow.inner)
    frame, packet = dut.message_about(flow.request, flow.outer, error.kind, error.code, sent)
    if error is TOO_BIG:
        require(packet[ICMP].nexthopmtu == MTU, "MTU", MTU, packet[ICMP].nexthopmtu, frame)


@inopportune
@requirement("LEGACY-5508.REQ5-01", case=1)
def test_error_about_nothing_does_not_go_out(hosts: Hosts, dut: Nat) -> None:
    """An error from the inside about a datagram that has not come does not go out."""
    flow = inward(hosts, dut)
    unknown = flow.came.copy()
    unknown.dport = flow.inner.port ^ 1
    sent = flow.inner.station.transmit(PORT.about(unknown, flow.inner.address))
    dut.passes_no_message(flow.request, flow.outer, sent)


@invalid
@requirement("LEGACY-5508.REQ3-01", case=1)
def test_error_with_a_wrong_checksum_is_dropped(hosts: Hosts, dut: Nat) -> None:
    """An error whose own checksum is wrong does not pass."""
    flow = outward(hosts, dut)
    message = PORT.about(flow.came, flow.outer.address)
    message[ICMP].chksum ^= 0x0101
    dut.passes_no_message(flow.request, flow.inner, flow.outer.station.transmit(message))


@invalid
@requirement("LEGACY-5508.REQ3-02", case=1)
def test_error_with_a_damaged_quote_is_dropped(hosts: Hosts, dut: Nat) -> None:
    """An error that quotes an IP header with a wrong checksum does not pass."""
    flow = outward(hosts, dut)
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
    sent = send_about(flow, PORT, outer, None)
    frame, packet = dut.message_about(request, inner, PORT.kind, PORT.code, sent)
    require_quote(frame, packet, request.packet)


@valid
@requirement("LEGACY-5508.REQ3-04", case=1)
def test_quoted_transport_checksum_is_not_judged(hosts: Hosts, dut: Nat) -> None:
    """An error that quotes the whole datagram, its data altered so that the checksum is wrong, comes in."""
    flow = outward(hosts, dut)
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
    flow = outward(hosts, dut) if side == "outside" else inward(hosts, dut)
    send_about(flow, error, flow.outer if side == "outside" else flow.inner)
    dut.barrier((flow.inner if side == "outside" else flow.outer).side)
    dut.delivers_inward(flow.outer, flow.mapped, flow.inner)
    came = dut.translates(flow.inner, flow.outer)
    require(came.source == flow.mapped, "source", flow.mapped, came.source, came.frame)


@ALL
@valid
@requirement("LEGACY-4787.REQ12-02", case=1)
def test_error_of_a_router_comes_in(hosts: Hosts, dut: Nat, error: Error) -> None:
    """An error from an address that the host has never sent to comes in."""
    flow, router = outward(hosts, dut), hosts.outside()
    dut.message_about(flow.request, flow.inner, error.kind, error.code, send_about(flow, error, router))


@pytest.mark.parametrize("error", UNREACHABLE, ids=str)
@valid
@requirement("LEGACY-4787.REQ12-03", case=1)
def test_unreachable_comes_in(hosts: Hosts, dut: Nat, error: Error) -> None:
    """Destination Unreachable from the destination of a datagram comes in to its sender."""
    flow = outward(hosts, dut)
    dut.message_about(flow.request, flow.inner, error.kind, error.code, send_about(flow, error, flow.outer))
