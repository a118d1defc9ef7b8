# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4787, REQ-5, REQ-6 and REQ-8 to REQ-10: what comes in, for how long, hairpinning, and payloads left alone."""

from conformance.legacy.dut.nat import Nat
from conformance.legacy.tester.hosts import Endpoint, Hosts, Tuple
from testbed import requirement, valid
from testbed.case.verdict import require

TWO_MINUTES_S = 120
SHORTEST_TIMER_S, LONGEST_TIMER_S = 3, 10

PAYLOADS = {
    5060: b"INVITE sip:b@%b SIP/2.0\r\nVia: SIP/2.0/UDP %b:5060\r\nContact: <sip:a@%b:5060>\r\n\r\n",
    69: b"\x00\x01%b %b %b\x00octet\x00",
    1719: b"\x07\x00%b %b %b",
    3478: b"\x00\x01\x00\x00\x21\x12\xa4\x42%b %b %b",
}


@valid
@requirement("LEGACY-4787.REQ9-01", case=1)
def test_hairpinned_datagram_is_delivered(hosts: Hosts, dut: Nat) -> None:
    """Of two inside hosts that send to each other's outside endpoints, the second one's datagram arrives."""
    inner, mapped = _two_that_know_each_other(hosts, dut)
    inner[0].send(mapped[1])
    dut.forwards(inner[1].send(mapped[0]), inner[0])


@valid
@requirement("LEGACY-4787.REQ9-02", case=1)
def test_hairpinned_datagram_comes_from_outside(hosts: Hosts, dut: Nat) -> None:
    """A hairpinned datagram has the outside endpoint of its sender as its source."""
    inner, mapped = _two_that_know_each_other(hosts, dut)
    inner[0].send(mapped[1])
    came = dut.forwards(inner[1].send(mapped[0]), inner[0])
    require(came.source == mapped[1], "source", mapped[1], came.source, came.frame)


def _two_that_know_each_other(hosts: Hosts, dut: Nat) -> tuple[list[Endpoint], list[Tuple]]:
    outer = hosts.outside()
    inner = [hosts.inside(), hosts.inside()]
    return inner, [dut.maps(one, outer) for one in inner]
