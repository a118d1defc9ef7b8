# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4787, REQ-5, REQ-6 and REQ-8 to REQ-10: what comes in, for how long, hairpinning, and payloads left alone."""

import pytest

from conformance.legacy.dut.nat import Nat
from conformance.legacy.dut.words import CLASS
from conformance.legacy.tester.hosts import Hosts
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.wire.clock import NANO

TWO_MINUTES_S = 120
SHORTEST_TIMER_S, LONGEST_TIMER_S = 3, 10

PAYLOADS = {
    5060: b"INVITE sip:b@%b SIP/2.0\r\nVia: SIP/2.0/UDP %b:5060\r\nContact: <sip:a@%b:5060>\r\n\r\n",
    69: b"\x00\x01%b %b %b\x00octet\x00",
    1719: b"\x07\x00%b %b %b",
    3478: b"\x00\x01\x00\x00\x21\x12\xa4\x42%b %b %b",
}


@valid
@requirement("LEGACY-4787.REQ8-01", case=1)
def test_filtering_is_told(hosts: Hosts, dut: Nat, case: Case) -> None:
    """Reported: whether datagrams come in to a mapping from another port, and from another address."""
    inner, outer = hosts.inside(), hosts.outside()
    mapped = dut.maps(inner, outer)
    other_address, other_port = (dut.lets_in(one, mapped, inner) for one in (hosts.outside(), outer.at(outer.port + 1)))
    kinds = {(True, True): "Endpoint-Independent Filtering", (False, True): "Address-Dependent Filtering"}
    case.values[f"{CLASS}UDP filtering"] = kinds.get(
        (other_address, other_port), "Address and Port-Dependent Filtering"
    )


def _short_timer(case: Case) -> float:
    """The UDP mapping timer, if a case can wait for it and tell a part of it from the whole."""
    seconds = case.setup.profile.ixit.legacy.nat_udp_timeout_s
    if not SHORTEST_TIMER_S <= seconds <= LONGEST_TIMER_S:
        span = f"{SHORTEST_TIMER_S} to {LONGEST_TIMER_S} s"
        raise NotApplicable(f"ixit.legacy.nat_udp_timeout_s is {seconds:g}: cases wait for timers of {span}")
    return float(seconds)


@valid
@requirement("LEGACY-4787.REQ5-01", case=1)
@waits(TWO_MINUTES_S)
def test_mapping_lasts_two_minutes(hosts: Hosts, dut: Nat, case: Case) -> None:
    """An answer passes just before two minutes have gone by since the only datagram of its mapping."""
    inner, outer = hosts.inside(), hosts.outside()
    asked_ns = case.clock.now_ns()
    mapped = dut.maps(inner, outer)
    case.wait_until(asked_ns + (TWO_MINUTES_S - 1) * NANO)
    dut.delivers_in_time(outer.send(mapped), inner, asked_ns, TWO_MINUTES_S)


@valid
@requirement("LEGACY-4787.REQ5-02", case=1)
@waits(4)
def test_mapping_lasts_as_long_as_it_is_set_to(hosts: Hosts, dut: Nat, case: Case) -> None:
    """An answer passes when four fifths of the timer have gone by since the only datagram of its mapping."""
    seconds = _short_timer(case)
    inner, outer = hosts.inside(), hosts.outside()
    asked_ns = case.clock.now_ns()
    mapped = dut.maps(inner, outer)
    case.wait_until(asked_ns + round(0.8 * seconds * NANO))
    dut.delivers_in_time(outer.send(mapped), inner, asked_ns, seconds)


@valid
@requirement("LEGACY-4787.REQ6-01", case=1)
@waits(6)
def test_outbound_datagram_refreshes_the_mapping(hosts: Hosts, dut: Nat, case: Case) -> None:
    """An answer passes later than the timer after the first datagram, and sooner than the timer after the second."""
    seconds = _short_timer(case)
    inner, outer = hosts.inside(), hosts.outside()
    asked_ns = case.clock.now_ns()
    mapped = dut.maps(inner, outer)
    case.wait_until(case.clock.now_ns() + round(0.6 * seconds * NANO))
    again_ns = case.clock.now_ns()
    came = dut.delivers_in_time(inner.send(outer.place), outer, asked_ns, seconds)
    require(came.source == mapped, "source of the second datagram", mapped, came.source, came.frame)
    case.wait_until(again_ns + round(0.7 * seconds * NANO))
    dut.delivers_in_time(outer.send(mapped), inner, again_ns, seconds)


@valid
@requirement("LEGACY-4787.REQ6-02", case=1)
@waits(6)
def test_inbound_refresh_is_told(hosts: Hosts, dut: Nat, case: Case) -> None:
    """Reported: whether an answer passes that comes later than the timer after the last outbound datagram."""
    seconds = _short_timer(case)
    inner, outer = hosts.inside(), hosts.outside()
    mapped = dut.maps(inner, outer)
    begun_ns = case.clock.now_ns()
    for share in (0.6, 1.2):
        case.wait_until(begun_ns + round(share * seconds * NANO))
        came = dut.lets_in(outer, mapped, inner)
    case.values[f"{CLASS}NAT Inbound refresh behavior"] = str(came)


@pytest.mark.parametrize("port", PAYLOADS, ids=str)
@valid
@requirement("LEGACY-4787.REQ10-01", case=1)
def test_payload_that_names_addresses_passes(hosts: Hosts, dut: Nat, port: int) -> None:
    """A payload that names the sender's address, of a protocol with well-known ALGs, passes unchanged both ways."""
    inner, outer = hosts.inside(port), hosts.outside(port)
    own, theirs = inner.address.encode(), outer.address.encode()
    came = dut.forwards(inner.send(outer.place, PAYLOADS[port] % (theirs, own, own)), outer)
    outside = came.source[0].encode()
    dut.forwards(outer.send(came.source, PAYLOADS[port] % (outside, theirs, outside)), inner)


@pytest.mark.parametrize("data", [b"", b"o", b"odd", b"even", bytes(1001)], ids=len)
@pytest.mark.parametrize("checksum", [None, 0], ids=["with", "without"])
@valid
@requirement("LEGACY-768-01", case=1)
def test_datagram_without_checksum_passes(hosts: Hosts, dut: Nat, data: bytes, checksum: int | None) -> None:
    """Datagrams of even and odd lengths pass both ways, with a checksum that stays right or without one."""
    inner, outer = hosts.inside(), hosts.outside()
    came = dut.forwards(inner.send(outer.place, data, checksum=checksum), outer)
    dut.forwards(outer.send(came.source, data, checksum=checksum), inner)


@pytest.mark.parametrize("ttl", [2, 64, 255])
@valid
@requirement("LEGACY-1812.5.3.1-01", case=1)
def test_time_to_live_goes_down(hosts: Hosts, dut: Nat, ttl: int) -> None:
    """A datagram comes out with a lower Time to Live than it had, in both directions."""
    inner, outer = hosts.inside(), hosts.outside()
    came = dut.forwards(inner.send(outer.place, ttl=ttl), outer)
    require(came.packet.ttl < ttl, "Time to Live", f"less than {ttl}", came.packet.ttl, came.frame)
    back = dut.forwards(outer.send(came.source, ttl=ttl), inner)
    require(back.packet.ttl < ttl, "Time to Live", f"less than {ttl}", back.packet.ttl, back.frame)


@inopportune
@requirement("LEGACY-1812.5.3.1-02", case=1)
def test_last_hop_is_told_to_the_sender(hosts: Hosts, dut: Nat) -> None:
    """A datagram with a Time to Live of 1 is dropped, and its sender told, in its own terms."""
    inner, outer = hosts.inside(), hosts.outside()
    request = inner.send(outer.place, ttl=1)
    dut.tells(request, inner, 11, 0)
    dut.drops(request, outer.side)
