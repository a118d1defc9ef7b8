# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP of IPv4 with a real kernel."""

from scapy.layers.inet import ICMP, IP
from scapy.packet import Raw

from testbed.case.case import Case
from testbed.peers.icmp import IcmpPeer
from testbed.wire.capture import Frame
from tests.testbed.lab import Lab


def test_echo_is_replied(lab: Lab, case: Case) -> None:
    peer = IcmpPeer(case.station())
    sent = peer.send(ICMP(id=7, seq=1) / Raw(b"are you there"))

    def reply() -> Frame | None:
        return next((frame for frame, _ in peer.messages(case.trace.mark_at(sent.frame))), None)

    assert case.look(reply, case.deadline(since_ns=sent.ns))
    ((frame, packet),) = peer.messages()
    assert (packet[ICMP].type, packet[ICMP].id, packet[Raw].load) == (0, 7, b"are you there")
    assert isinstance(packet, IP)
    assert frame.accounted


def test_message_with_a_wrong_checksum_is_dropped(lab: Lab, case: Case) -> None:
    peer = IcmpPeer(case.station())
    peer.send(ICMP(id=7, seq=1, chksum=1))
    case.watch(0.1)
    assert peer.messages() == []
