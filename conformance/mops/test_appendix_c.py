# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix C: MOBILE_CAPABLE on SYN, SYN-ACK and the ACK that ends the handshake."""

from typing import Any

from scapy.layers.inet import TCP

from conformance.mops.dut.mobile_node import Device
from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode
from conformance.mops.tester.server import Correspondent
from layers.mops import MobileCapableOption
from layers.tcp_options import get_option
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.peers.connection import connect
from testbed.wire.capture import Frame


def mobile_capable(case: Case) -> MobileCapableOption:
    """The option with the numbers of the profile."""
    mops = case.setup.profile.ixit.mops
    return MobileCapableOption(kind=mops.mobile_capable_kind, exid=mops.mobile_capable_exid)


def carries(case: Case, segment: Any) -> bool:
    """Whether a segment carries the option."""
    mops = case.setup.profile.ixit.mops
    numbers = {"kind": mops.mobile_capable_kind, "exid": mops.mobile_capable_exid}
    return get_option(segment, MobileCapableOption, **numbers) is not None


@valid
@requirement("MOPS-C-01", case=1)
def test_syn_carries_mobile_capable(case: Case, device: Device, correspondent: Correspondent) -> None:
    """The SYN of a mobile connection carries MOBILE_CAPABLE."""
    _, syn, end = device.calls(correspondent)
    require(carries(case, syn), "MOBILE_CAPABLE on the SYN", "present", "absent")
    end.reset()


@valid
@requirement("MOPS-C-02", case=1)
def test_syn_ack_carries_mobile_capable(case: Case, node: MobileNode, server: Server) -> None:
    """The SYN-ACK to a SYN with MOBILE_CAPABLE carries it too."""
    peer = connect(case, node.station, option=mobile_capable(case))
    frame, _, tcp = server.segments_to(peer, 0)[0]
    require(carries(case, tcp), "MOBILE_CAPABLE on the SYN-ACK", "present", "absent", frame)


@valid
@requirement("MOPS-C-03", case=1)
def test_ack_of_the_handshake_carries_mobile_capable(case: Case, device: Device, correspondent: Correspondent) -> None:
    """The ACK that ends a handshake whose SYN-ACK carried MOBILE_CAPABLE carries it too."""
    option = mobile_capable(case)
    call, syn, end = device.calls(correspondent)
    session = device.accepts(correspondent, call, syn, end, (option.kind, bytes(option)[2:]))

    def ends_handshake(packet: Any) -> bool:
        return "S" not in packet[TCP].flags and "A" in packet[TCP].flags

    found: list[tuple[Frame, Any]] = [one for one in device.segments(session, 0) if ends_handshake(one[1])]
    frame, packet = found[0]
    require(carries(case, packet[TCP]), "MOBILE_CAPABLE on the ACK", "present", "absent", frame)


@valid
@requirement("MOPS-C-05", case=1)
def test_syn_ack_without_mobile_capable_is_accepted(device: Device, correspondent: Correspondent) -> None:
    """A connection whose SYN-ACK does not carry MOBILE_CAPABLE opens and works."""
    session = device.accepts(correspondent, *device.calls(correspondent))
    device.serves(session, b"without the option")
