# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5508, REQ-1, REQ-2, REQ-6 and REQ-7: echo through the NAT, and hairpinned errors."""

from conformance.legacy.dut.nat import Nat
from conformance.legacy.tester.errors import PORT
from conformance.legacy.tester.hosts import Hosts
from testbed import requirement, valid
from testbed.case.verdict import require

ONE_MINUTE_S = 60


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
