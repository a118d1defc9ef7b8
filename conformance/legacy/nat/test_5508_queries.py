# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5508, REQ-1, REQ-2, REQ-6 and REQ-7: echo through the NAT, and hairpinned errors."""

import pytest

from conformance.legacy.dut.nat import Nat
from conformance.legacy.tester.errors import ERRORS, PORT, Error
from conformance.legacy.tester.hosts import Hosts
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.clock import NANO

ONE_MINUTE_S = 60


@pytest.mark.parametrize("length", [0, 1, 56, 1000])
@valid
@requirement("LEGACY-5508.REQ1-01", case=1)
def test_echo_passes(hosts: Hosts, dut: Nat, length: int) -> None:
    """An echo request passes to the outside, and its reply to the host that has asked, with its identifier."""
    inner, outer = hosts.inside(), hosts.outside()
    mapped = dut.maps_query(inner, outer)
    dut.forwards(inner.query(outer.address, bytes(length)), outer.at(mapped[1]))
    dut.forwards(outer.reply(mapped, bytes(length)), inner)


@valid
@requirement("LEGACY-5508.REQ1-01", case=2)
def test_replies_come_to_whom_they_are_for(hosts: Hosts, dut: Nat) -> None:
    """Three hosts with one identifier ask one destination, and each gets its own reply."""
    outer, first = hosts.outside(), hosts.inside()
    inner = [first, hosts.inside(first.port), hosts.inside(first.port)]
    mapped = [dut.maps_query(one, outer) for one in inner]
    for one, other in reversed([*zip(inner, mapped, strict=True)]):
        dut.forwards(outer.reply(other), one)


@valid
@requirement("LEGACY-5508.REQ1-02", case=1)
def test_identifier_is_mapped_alike(hosts: Hosts, dut: Nat) -> None:
    """The identifier of a host's requests comes out the same at a second destination."""
    inner, first, second = hosts.inside(), hosts.outside(), hosts.outside()
    mapped = dut.maps_query(inner, first)
    request = inner.query(second.address)
    came = dut.forwarded(request, second.side)
    require(came.source == mapped, "source and identifier", mapped, came.source, came.frame)


@valid
@requirement("LEGACY-5508.REQ2-01", case=1)
@waits(ONE_MINUTE_S)
def test_query_is_kept_for_a_minute(hosts: Hosts, dut: Nat, case: Case) -> None:
    """A reply passes just before a minute has gone by since its request."""
    inner, outer = hosts.inside(), hosts.outside()
    asked_ns = case.clock.now_ns()
    mapped = dut.maps_query(inner, outer)
    case.wait_until(asked_ns + (ONE_MINUTE_S - 1) * NANO)
    dut.delivers_in_time(outer.reply(mapped), inner, asked_ns, ONE_MINUTE_S)


@pytest.mark.parametrize("error", ERRORS, ids=str)
@inopportune
@requirement("LEGACY-5508.REQ6-01", case=1)
def test_error_ends_no_query(hosts: Hosts, dut: Nat, error: Error) -> None:
    """After an error about an echo request, its reply passes."""
    inner, outer = hosts.inside(), hosts.outside()
    mapped = dut.maps_query(inner, outer)
    came = dut.forwarded(inner.query(outer.address), outer.side)
    outer.station.transmit(error.about(came.packet, outer.address))
    dut.barrier(inner.side)
    dut.forwards(outer.reply(mapped), inner)


@valid
@requirement("LEGACY-5508.REQ7-01", case=1)
def test_hairpinned_error_comes_to_the_sender(hosts: Hosts, dut: Nat) -> None:
    """Port Unreachable about a datagram from another inside host comes to that host, about what it has sent."""
    outer = hosts.outside()
    inner = [hosts.inside(), hosts.inside()]
    mapped = [dut.maps(one, outer) for one in inner]
    inner[0].send(mapped[1])
    request = inner[1].send(mapped[0])
    came = dut.forwards(request, inner[0])
    sent = inner[0].station.transmit(PORT.about(came.packet, inner[0].address))
    dut.message_about(request, inner[1], PORT.kind, PORT.code, sent)
