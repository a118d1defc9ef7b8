# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5382: connections through the NAT."""

import pytest

from conformance.legacy.dut.nat_tcp import TcpNat
from conformance.legacy.tester.hosts import Hosts
from testbed import inopportune, requirement, valid, waits
from testbed.case.verdict import require

SIX_SECONDS = 6.0
ELSEWHERE = pytest.mark.parametrize("second", ["other port", "other address"])


@ELSEWHERE
@valid
@requirement("LEGACY-5382.REQ1-01", case=1)
def test_connections_of_a_port_are_mapped_alike(hosts: Hosts, dut: TcpNat, second: str) -> None:
    """Two connections from one inside endpoint to two destinations appear to come from one outside endpoint."""
    inner, outer = hosts.inside(), hosts.outside()
    first = dut.connect(inner, outer)
    other = dut.connect(inner, outer.at(outer.port + 1) if second == "other port" else hosts.outside(outer.port))
    require(other.mapped == first.mapped, "source of the SYN", first.mapped, other.mapped, other.syn.frame)


@inopportune
@requirement("LEGACY-5382.REQ4-01", case=1)
@waits(SIX_SECONDS)
def test_unsolicited_syn_is_not_answered(hosts: Hosts, dut: TcpNat) -> None:
    """For six seconds nothing comes in answer to a SYN to a port of the outside address that has no mapping."""
    outer = hosts.outside()
    end = dut.end(outer, (dut.outside_address, hosts.inside().port))
    dut.answers_nothing(end, end.start(), SIX_SECONDS)


@inopportune
@requirement("LEGACY-5382.REQ4-02", case=1)
def test_connection_opens_after_an_unsolicited_syn(hosts: Hosts, dut: TcpNat) -> None:
    """A connection from the inside opens to the endpoint whose SYN has come before, and works."""
    inner, outer = hosts.inside(), hosts.outside()
    dut.end(outer, (dut.outside_address, inner.port)).start()
    dut.barrier(inner.side)
    dut.carries(dut.opens(inner, outer))


@valid
@requirement("LEGACY-5382.REQ7-01", case=1)
def test_two_hosts_never_share_a_mapping(hosts: Hosts, dut: TcpNat) -> None:
    """Connections of two hosts from one port to one destination appear as two endpoints, and both carry data."""
    outer, first = hosts.outside(), hosts.inside()
    connections = [dut.opens(first, outer), dut.opens(hosts.inside(first.port), outer)]
    mapped = [one.mapped for one in connections]
    require(mapped[0] != mapped[1], "outside endpoints", "two", mapped, *[one.syn.frame for one in connections])
    for one in connections:
        dut.carries(one)


@valid
@requirement("LEGACY-5382.REQ8-01", case=1)
def test_hairpinned_connection_opens(hosts: Hosts, dut: TcpNat) -> None:
    """Of two inside hosts that call each other's outside endpoints, one hears the other's SYN from its endpoint."""
    outer = hosts.outside()
    inner = [hosts.inside(), hosts.inside()]
    mapped = [dut.connect(one, outer).mapped for one in inner]
    dut.end(inner[0], mapped[1]).start()
    second = dut.end(inner[1], mapped[0])
    syn = dut.passes_syn(second, second.start(), inner[0])
    source = syn.source, syn.source_port
    require(source == mapped[1], "source of the SYN", mapped[1], source, syn.frame)
