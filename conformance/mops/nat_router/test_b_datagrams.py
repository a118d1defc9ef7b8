# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B with UDP: flows after a Migrate of Protocol 17."""

import pytest

from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.tester.sides import Node, Server
from testbed import over, requirement, valid
from testbed.case.verdict import require


@pytest.mark.parametrize("first", ["node", "server"])
@pytest.mark.parametrize("number", [1, 3])
@valid
@requirement("MOPS-B-51", case=1)
def test_datagrams_pass_after_the_success(node: Node, server: Server, dut: NatRouter, number: int, first: str) -> None:
    """Datagrams of migrated flows pass both ways, the node's first or the server's."""
    for flow in dut.takes_flows_along(node, server, number):
        ends = (flow.inner, flow.outer) if first == "node" else (flow.outer, flow.inner)
        dut.passes_datagram(ends[0], ends[1], b"the first")
        dut.passes_datagram(ends[1], ends[0], b"the second")


LENGTHS = pytest.mark.parametrize("length", [0, 1, 2, 3, 255, 1001])


@LENGTHS
@valid
@requirement("MOPS-B-52", case=1)
def test_datagrams_of_any_length_pass(node: Node, server: Server, dut: NatRouter, length: int) -> None:
    """After the success datagrams of even and odd lengths come out as they went in, their checksum right."""
    (flow,) = dut.migrated_flows(node, server, 1)
    for one, other in ((flow.inner, flow.outer), (flow.outer, flow.inner)):
        dut.passes_datagram(one, other, _data(length))


@LENGTHS
@over("ipv4")
@valid
@requirement("MOPS-B-52", case=2)
def test_datagrams_without_checksum_pass(node: Node, server: Server, dut: NatRouter, length: int) -> None:
    """After the success datagrams without a checksum come out without one."""
    (flow,) = dut.migrated_flows(node, server, 1)
    for one, other in ((flow.inner, flow.outer), (flow.outer, flow.inner)):
        packet = dut.passes_datagram(one, other, _data(length), checksum=0)
        seen = packet.getlayer(other.station.network.datagram).chksum
        require(seen == 0, "UDP checksum", 0, seen, dut.last_frame(other))


def _data(length: int) -> bytes:
    return bytes(number % 251 for number in range(length))
