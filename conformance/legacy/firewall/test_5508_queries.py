# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5508, REQ-1, REQ-2, REQ-6 and REQ-7: echo through the NAT, and hairpinned errors."""

import pytest

from conformance.legacy.dut.nat import Nat
from conformance.legacy.tester.errors import ERRORS, Error
from conformance.legacy.tester.hosts import Hosts
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
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
