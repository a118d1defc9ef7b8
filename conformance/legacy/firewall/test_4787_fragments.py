# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4787, REQ-13 and REQ-14: packets that are too large, and fragments in any order."""

import itertools

import pytest
from scapy.layers.inet import ICMP, IP

from conformance.legacy.dut.nat import Nat
from conformance.legacy.tester.hosts import Endpoint, Hosts, SentPacket
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.wire import chance
from testbed.wire.fragments import lone_fragment

PIECE = 400
LENGTH = 1000
ORDERS = [pytest.param(order, id="".join(map(str, order))) for order in itertools.permutations(range(3))]
BOTH_WAYS = pytest.mark.parametrize("towards", ["outside", "inside"])
UNFINISHED = 300
UDP_HEADER, IP_HEADER = 8, 20


def _ends(hosts: Hosts, dut: Nat, towards: str) -> tuple[Endpoint, Endpoint, tuple[str, int]]:
    """Who sends, who receives, and where to: from the inside to the outside, or back."""
    inner, outer = hosts.inside(), hosts.outside()
    if towards == "outside":
        return inner, outer, outer.place
    return outer, inner, dut.maps(inner, outer)


@BOTH_WAYS
@pytest.mark.parametrize("order", ORDERS)
@valid
@requirement("LEGACY-4787.REQ14-01", case=1)
def test_fragments_pass_in_every_order(hosts: Hosts, dut: Nat, towards: str, order: tuple[int, ...]) -> None:
    """A datagram in three fragments passes in whatever order they come, as fragments or as a whole."""
    sender, receiver, to = _ends(hosts, dut, towards)
    dut.forwards(sender.send_in_fragments(to, chance.token_bytes(LENGTH), PIECE, order), receiver)


@BOTH_WAYS
@pytest.mark.parametrize("kind", ["in order", "whole"])
@invalid
@requirement("LEGACY-4787.REQ14-02", case=1)
@exclusive("it fills what the device has room for fragments in, for half a minute")
def test_unfinished_fragments_harm_no_other(hosts: Hosts, dut: Nat, towards: str, kind: str) -> None:
    """After three hundred fragments of datagrams that are never whole, others pass, whole or in fragments in order."""
    sender, receiver, to = _ends(hosts, dut, towards)
    packet = IP(bytes(IP(src=sender.address, dst=to[0], proto=17) / bytes(PIECE)))
    for _ in range(UNFINISHED):
        sender.station.transmit(lone_fragment(packet, offset=PIECE, more=True))
    data = chance.token_bytes(LENGTH)
    sent = sender.send_in_fragments(to, data, PIECE, (0, 1, 2)) if kind == "in order" else sender.send(to, data)
    dut.forwards(sent, receiver)


def _too_large(hosts: Hosts, case: Case, flags: str) -> tuple[Endpoint, Endpoint, SentPacket]:
    """A datagram from the inside that is larger than what the outside link takes."""
    mtu = case.setup.profile.ixit.legacy.nat_outside_mtu
    most = case.inside.interface.mtu
    if mtu >= most:
        raise NotApplicable(f"ixit.legacy.nat_outside_mtu is {mtu}: not below the inside's {most}")
    inner, outer = hosts.inside(), hosts.outside()
    data = chance.token_bytes(mtu + 1 - IP_HEADER - UDP_HEADER)
    return inner, outer, inner.send(outer.place, data[8:], flags=flags)


@valid
@requirement("LEGACY-4787.REQ13-01", case=1)
def test_too_large_packet_is_told(hosts: Hosts, dut: Nat, case: Case) -> None:
    """A datagram with DF, one byte larger than the outside's MTU, draws Fragmentation Needed and does not go out."""
    inner, outer, request = _too_large(hosts, case, "DF")
    packet = dut.tells(request, inner, 3, 4)
    case.values["MTU in Fragmentation Needed"] = str(packet[ICMP].nexthopmtu)
    dut.drops(request, outer.side)


@valid
@requirement("LEGACY-4787.REQ13-02", case=1)
def test_too_large_packet_is_fragmented(hosts: Hosts, dut: Nat, case: Case) -> None:
    """A datagram without DF, one byte larger than the outside's MTU, goes out in fragments."""
    inner, outer, request = _too_large(hosts, case, "")
    came = dut.forwards(request, outer)
    require(came.source[0] == dut.seen_as(inner), "source", dut.seen_as(inner), came.source[0], came.frame)
    mtu = case.setup.profile.ixit.legacy.nat_outside_mtu
    lengths = [piece.len for piece in _pieces(case, outer)]
    require(lengths and max(lengths) <= mtu, "lengths of the fragments", f"at most {mtu}", lengths, came.frame)


@valid
@requirement("LEGACY-4787.REQ13-03", case=1)
def test_fragments_go_out_in_order(hosts: Hosts, dut: Nat, case: Case) -> None:
    """The fragments of a datagram that is too large for the outside go out in order."""
    _, outer, request = _too_large(hosts, case, "")
    came = dut.forwards(request, outer)
    offsets = [piece.frag for piece in _pieces(case, outer)]
    require(offsets == sorted(offsets), "offsets of the fragments", "in order", offsets, came.frame)


def _pieces(case: Case, outer: Endpoint) -> list[IP]:
    """The fragments that have come to an outside host, in the order in which they came."""
    network, found = outer.side.network, []
    for frame in case.trace.frames:
        if not frame.outgoing and frame.dropped and network.header(frame.data):
            packet = network.dissect(frame.data)
            if packet.dst == outer.address and (packet.frag or packet.flags.MF):
                found.append(packet)
    return found


@BOTH_WAYS
@inopportune
@requirement("LEGACY-4787.REQ14-01", case=2)
def test_fragments_of_two_hosts_are_told_apart(hosts: Hosts, dut: Nat, towards: str) -> None:
    """Two datagrams of two hosts in fragments with one identification both pass."""
    first = _ends(hosts, dut, towards)
    second = _ends(hosts, dut, towards)
    identification = chance.randbits(16)
    pieces = [sender.pieces(to, chance.token_bytes(LENGTH), PIECE, identification) for sender, _, to in (first, second)]
    sent = [sender.transmit_pieces(one, (2, 0, 1)) for (sender, _, _), one in zip((first, second), pieces, strict=True)]
    for (_, receiver, _), one in zip((first, second), sent, strict=True):
        dut.forwards(one, receiver)
