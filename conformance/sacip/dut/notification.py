# SPDX-License-Identifier: GPL-2.0-or-later
"""Notifications of the device as they stand on the wire, recognised also where a field is wrong."""

import ipaddress
from dataclasses import dataclass

from layers.sacip import CAPTURED
from testbed.case.case import Case
from testbed.peers.icmp import ICMP_PROTOCOL
from testbed.wire.capture import BEGINNING, Frame, Mark
from testbed.wire.network import Network
from testbed.wire.station import Station

OTHERS = frozenset({0, 3, 4, 5, 8, 11, 12})
"""Types of ICMP messages that are something else for certain: echo, errors, Redirect (RFC 792)."""

LENGTH = 8


@dataclass(frozen=True)
class Notification:
    """A notification with whatever it says; `content` is the whole message of ICMP."""

    frame: Frame
    network: Network
    content: bytes
    byte_order: str

    @property
    def source(self) -> str:
        """The address that it came from."""
        header = self.network.header(self.frame.data)
        return self.network.address(header.source) if header else ""

    @property
    def destination(self) -> int:
        """The address that it went to, as a number."""
        header = self.network.header(self.frame.data)
        return header.destination if header else 0

    @property
    def kind(self) -> int:
        """The type."""
        return self.content[0]

    @property
    def code(self) -> int:
        """The code."""
        return self.content[1]

    @property
    def new_address(self) -> str:
        """The address that it names, in the byte order that the profile states."""
        field = self.content[4:LENGTH].ljust(4, b"\0")
        return str(ipaddress.IPv4Address(field[::-1] if self.byte_order == CAPTURED else field))

    def __str__(self) -> str:
        return f"#{self.frame.index} from {self.source}: {self.content.hex(' ')}"


def notifications(case: Case, station: Station | None = None, since: Mark = BEGINNING) -> list[Notification]:
    """Every notification of the device to a station, or to any, since a mark."""
    found = []
    for frame in case.trace.received(since):
        header = case.network.header(frame.data)
        if header is None or header.protocol != ICMP_PROTOCOL or header.fragment:
            continue
        if station is not None and header.destination != station.number:
            continue
        content = case.network.payload(frame.data)
        if len(content) >= 2 and content[0] not in OTHERS:
            found.append(Notification(frame.account(), case.network, content, case.setup.profile.ixit.sacip.byte_order))
    return found
