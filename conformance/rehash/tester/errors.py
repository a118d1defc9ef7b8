# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP errors about segments that the device has sent, as a router on the path makes them (RFC 792, RFC 1812)."""

from dataclasses import dataclass

from testbed.case.case import Case
from testbed.peers import icmp
from testbed.peers.icmp import IcmpPeer, error_about
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Sent


@dataclass(frozen=True)
class IcmpError:
    """An ICMP error; `hard` ones may end the connection that they quote (RFC 1122, 4.2.3.9)."""

    name: str
    type: int
    code: int

    def __str__(self) -> str:
        return self.name

    def send(self, case: Case, end: TcpPeer, source: str) -> Sent:
        """A router reports that the last segment of the device, from `source`, did not come to this end."""
        router = IcmpPeer(case.station())
        router.remote = source
        return router.send(error_about(end, self.type, self.code, source))


NETWORK_UNREACHABLE = IcmpError("network unreachable", 3, 0)
HOST_UNREACHABLE = IcmpError("host unreachable", 3, 1)
TIME_EXCEEDED = IcmpError("time exceeded", 11, 0)
PORT_UNREACHABLE = IcmpError("port unreachable", 3, 3)
PROHIBITED = IcmpError("administratively prohibited", 3, 13)
TOO_BIG = IcmpError("fragmentation needed", *icmp.TOO_BIG)

SOFT = (NETWORK_UNREACHABLE, HOST_UNREACHABLE, TIME_EXCEEDED)
ANY = (*SOFT, PORT_UNREACHABLE, PROHIBITED, TOO_BIG)
