# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes through a middlebox that translates nothing: the same packet on the other side, or none."""

from typing import Any

from conformance.mops.migrate import HEADER
from testbed.case.case import Case
from testbed.case.side import Side
from testbed.case.verdict import Broken, Finding, require
from testbed.wire.capture import Frame, Sent
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL, read_tcp
from testbed.wire.network import Network
from testbed.wire.notation import describe
from testbed.wire.station import Station

PASSED = "passed"
"""What the packets that come through are called where their times are kept."""

_CODE_AT, _PORTS = 5, 4
_NOT_OFFSET = 0x0FFF


class Passage:
    """The device under test between two sides, as packets see it.

    A packet is known again on the other side by its addresses, its ports, its flags and its data, or by the type, code,
    first ports and length of a message: cases of their own judge whether it is unchanged.
    """

    def __init__(self, case: Case) -> None:
        self._case = case

    def side_of(self, station: Station) -> Side:
        """The side that a station of the tester is on."""
        return next(side for side in self._case.sides.values() if station in side.stations)

    def across(self, sent: Sent) -> Side:
        """The other side than that on which a packet was sent."""
        return next(side for side in self._case.sides.values() if side.name != sent.frame.interface)

    def passes(self, sent: Sent) -> Frame:
        """The packet comes out on the other side, in time."""
        deadline, to = self._case.deadline(since_ns=sent.ns), self.across(sent)
        frame = self._case.look(lambda: self.find(sent), deadline)
        if frame is None:
            what = (
                f"{describe(to.network, sent.frame).summary}: nothing on the {to.name} within {deadline.within_s:g} s"
            )
            raise Broken(Finding(what, "1", "0", frames=[sent.frame]), deadline)
        self._case.answered(PASSED, sent.ns, frame.ns)
        return frame.account(PASSED)

    def passes_unchanged(self, sent: Sent) -> Frame:
        """The packet comes out with every byte that follows the network header as it was."""
        frame = self.passes(sent)
        network = self.across(sent).network
        expected, seen = network.payload(sent.frame.data), network.payload(frame.data)
        require(seen == expected, "what the packet carries", expected.hex(), seen.hex(), frame, sent.frame)
        return frame

    def find(self, sent: Sent) -> Frame | None:
        """The packet on the other side, if it has come; of messages that are alike the first not yet looked at."""
        to = self.across(sent)
        wanted = signature(to.network, sent.frame)
        for frame in to.received(self._case.trace.mark_at(sent.frame)):
            is_taken = frame.accounted and to.network.protocol(frame.data) == to.network.icmp_protocol
            if not is_taken and signature(to.network, frame) == wanted:
                return frame
        return None

    def require_none(self, *probes: Sent) -> None:
        """None of these packets has come out."""
        for sent in probes:
            if frame := self.find(sent):
                what = f"{describe(self.across(sent).network, frame).summary} on the {frame.interface}"
                raise Broken(Finding(f"passed: {what}", "nothing", "1"), frame, sent.frame)


def signature(network: Network, frame: Frame) -> tuple[Any, ...] | None:
    """What a packet is known by on both sides; None where it is none of this network."""
    header = network.header(frame.data)
    if header is None:
        return None
    ends, payload = (header.protocol, header.source, header.destination), network.payload(frame.data)
    if header.protocol == TCP_PROTOCOL and (tcp := read_tcp(payload)):
        return *ends, payload[:4], tcp.word & _NOT_OFFSET, payload[(tcp.word >> 12) * 4 :]
    if header.protocol == UDP_PROTOCOL:
        return *ends, payload[:4], payload[8 if network.udp_has_length else 6 :]
    if header.protocol == network.icmp_protocol:
        return *ends, payload[:2], payload[_CODE_AT : _CODE_AT + 1], payload[HEADER : HEADER + _PORTS], len(payload)
    return *ends, payload[:2]
