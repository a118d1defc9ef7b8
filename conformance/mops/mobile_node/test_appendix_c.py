# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix C: MOBILE_CAPABLE on the SYN and on the ACK that ends the handshake of a mobile node."""

from typing import Any

from scapy.layers.inet import TCP

from conformance.mops.capable import carries, mobile_capable
from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.server import Correspondent
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.capture import Frame


@valid
@requirement("MOPS-C-01", case=1)
def test_syn_carries_mobile_capable(case: Case, device: Device, correspondent: Correspondent) -> None:
    """The SYN of a mobile connection carries MOBILE_CAPABLE."""
    _, syn, end = device.calls(correspondent)
    require(carries(case, syn), "MOBILE_CAPABLE on the SYN", "present", "absent")
    end.reset()


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
