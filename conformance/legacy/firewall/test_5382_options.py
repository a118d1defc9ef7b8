# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 5382, REQ-2, and RFC 2979: options and messages that the box does not know, and sequence numbers."""

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.packet import Raw

from conformance.legacy.dut.nat_tcp import TcpNat
from conformance.legacy.tester.hosts import Hosts
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.peers.through import Connection

KINDS = {"Rehash": (253, 16), "MOBILE_CAPABLE": (254, 4), "Migrate-Permitted": (15, 20), "longest": (254, 26)}
OPTIONS = pytest.mark.parametrize("name", KINDS)
MESSAGES = {"MOPS": 254, "SACIP": 1}
SACIP_TYPE = 20
PASSES, REMOVED, ALTERED, LOST = "passes", "removed", "altered", "segment lost"


def _option(name: str) -> bytes:
    kind, length = KINDS[name]
    return bytes([kind, length]).ljust(length, b"\x4d")


@OPTIONS
@valid
@requirement("LEGACY-5382.8-01", case=1)
def test_connection_opens_with_an_unknown_option(hosts: Hosts, dut: TcpNat, name: str) -> None:
    """A connection opens whose SYN carries an option that the NAT does not know, and carries data both ways."""
    dut.carries(dut.opens(hosts.inside(), hosts.outside(), _option(name)))


@OPTIONS
@valid
@requirement("LEGACY-5382.8-02", case=1)
def test_what_becomes_of_options_is_told(hosts: Hosts, dut: TcpNat, case: Case, name: str) -> None:
    """Reported: whether the option on SYN, SYN-ACK, data, ACK and FIN comes out as it was, altered or not at all."""
    for place, fate in _fates(dut, dut.opens(hosts.inside(), hosts.outside(), _option(name)), _option(name)).items():
        case.values[f"{name} on {place}"] = fate


@OPTIONS
@valid
@requirement("LEGACY-2979-01", case=1)
def test_unknown_options_pass(hosts: Hosts, dut: TcpNat, name: str) -> None:
    """The option comes out as it was on SYN, SYN-ACK, data, ACK and FIN, in both directions."""
    connection = dut.connect(hosts.inside(), hosts.outside(), _option(name))
    fates = _fates(dut, connection, _option(name))
    changed = {place: fate for place, fate in fates.items() if fate in (REMOVED, ALTERED)}
    require(not changed, f"segments on which the option {name} does not pass", "none", changed, connection.syn.frame)


def _fates(dut: TcpNat, connection: Connection, option: bytes) -> dict[str, str]:
    """What becomes of an option on each kind of segment, in both directions, by flags and side."""
    found = {
        "S from inside": _fate(option, connection.syn),
        "SA from outside": _fate(option, dut.last_segment(connection.inner)),
    }
    for flags in ("A", "PA", "FA"):
        for side, one in (("inside", connection.inner), ("outside", connection.outer)):
            segment = dut.passes(one, _other(connection, one), flags, option)
            found[f"{flags} from {side}"] = _fate(option, segment)
    return found


def _other(connection: Connection, one: TcpPeer) -> TcpPeer:
    return connection.outer if one is connection.inner else connection.inner


def _fate(option: bytes, segment: Segment | None) -> str:
    if segment is None:
        return LOST
    same = [one.raw for one in segment.options if one.kind == option[0]]
    return REMOVED if not same else PASSES if option in same else ALTERED


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("side", ["inside", "outside"])
@inopportune
@requirement("LEGACY-5382.8-03", case=1)
def test_unknown_message_harms_no_connection(hosts: Hosts, dut: TcpNat, name: str, side: str) -> None:
    """After a message that the NAT has never heard of, from either side, a connection carries data both ways."""
    inner, outer = hosts.inside(), hosts.outside()
    connection = dut.connect(inner, outer)
    message = ICMP(type=SACIP_TYPE, code=0) if name == "SACIP" else Raw(b"\x64\x00" + bytes(30))
    ends = (inner.address, outer.address) if side == "inside" else (outer.address, dut.seen_as(inner))
    sender = inner if side == "inside" else outer
    sender.station.transmit(IP(src=ends[0], dst=ends[1], proto=MESSAGES[name]) / message)
    dut.barrier((outer if side == "inside" else inner).side)
    dut.carries(connection)


@valid
@requirement("LEGACY-5382.8-04", case=1)
def test_sequence_numbers_are_told(hosts: Hosts, dut: TcpNat, case: Case) -> None:
    """Reported: by how much the NAT shifts the sequence numbers of either direction."""
    inner, outer = hosts.inside(), hosts.outside()
    first = dut.end(inner, outer.place)
    initial = first.snd_nxt
    syn = dut.passes_syn(first, first.start(), outer)
    case.values["outward shift"] = str((syn.seq - initial) % (1 << 32))
    second = dut.end(outer, (syn.source, syn.source_port))
    answered = second.snd_nxt
    second.accept(syn)
    dut.comes_to(first, lambda: first.state == "ESTABLISHED", "SYN-ACK")
    case.values["inward shift"] = str((first.rcv_nxt - 1 - answered) % (1 << 32))
