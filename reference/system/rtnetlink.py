# SPDX-License-Identifier: GPL-2.0-or-later
"""Links, addresses and routes over rtnetlink: the six messages that the reference needs, without the `ip` program.

Written out because importing a netlink library takes longer than everything else a start does.
"""

import os
import socket
import struct

RTM_NEWLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE = 16, 20, 21, 24
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL = 0x01, 0x04, 0x400, 0x200
IFF_UP, IFF_NOARP = 0x1, 0x80
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINKINFO, IFLA_NET_NS_PID, IFLA_TXQLEN = 1, 3, 4, 18, 19, 13
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL, IFA_CACHEINFO, IFA_FLAGS = 1, 2, 6, 8
IFA_F_NODAD, IFA_F_NOPREFIXROUTE = 0x02, 0x200
RTA_DST, RTA_OIF, RTA_METRICS = 1, 4, 8
RTAX_QUICKACK = 15
RT_TABLE_MAIN, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RTN_UNICAST = 254, 4, 0, 253, 1


def _attribute(kind: int, payload: bytes) -> bytes:
    length = 4 + len(payload)
    return struct.pack("HH", length, kind) + payload + bytes(-length % 4)


def _link_header(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    return struct.pack("BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


class Rtnetlink:
    """A netlink socket of the namespace in which it was opened."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._sequence = 0

    def __enter__(self) -> "Rtnetlink":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _ask(self, kind: int, body: bytes, flags: int, what: str) -> None:
        self._sequence += 1
        header = struct.pack("IHHII", 16 + len(body), kind, NLM_F_REQUEST | NLM_F_ACK | flags, self._sequence, 0)
        self._socket.send(header + body)
        answer = self._socket.recv(65536)
        error = -struct.unpack_from("i", answer, 16)[0]
        if error:
            raise OSError(error, f"{what}: {os.strerror(error)}")

    def make_veth(self, name: str, mac: bytes, peer: str, peer_mac: bytes, peer_pid: int, mtu: int) -> None:
        """Make a pair of virtual Ethernet interfaces, the peer in the network namespace of process `peer_pid`."""

        def naming(interface: str, address: bytes) -> bytes:
            return (
                _attribute(IFLA_IFNAME, interface.encode() + b"\0")
                + _attribute(IFLA_ADDRESS, address)
                + _attribute(IFLA_MTU, struct.pack("I", mtu))
                + _attribute(IFLA_TXQLEN, struct.pack("I", 10000))
            )

        far_end = _link_header() + naming(peer, peer_mac) + _attribute(IFLA_NET_NS_PID, struct.pack("I", peer_pid))
        information = _attribute(IFLA_INFO_KIND, b"veth") + _attribute(
            IFLA_INFO_DATA, _attribute(VETH_INFO_PEER, far_end)
        )
        body = _link_header() + naming(name, mac) + _attribute(IFLA_LINKINFO, information)
        self._ask(RTM_NEWLINK, body, NLM_F_CREATE | NLM_F_EXCL, f"veth pair {name} and {peer}")

    def set_up(self, name: str, arp: bool = True) -> None:
        """Bring an interface up, with or without address resolution."""
        flags, change = IFF_UP, IFF_UP
        if not arp:
            flags, change = flags | IFF_NOARP, change | IFF_NOARP
        self._ask(RTM_NEWLINK, _link_header(socket.if_nametoindex(name), flags, change), 0, f"{name} up")

    def add_address(self, name: str, address: bytes, *, preferred: bool = True) -> None:
        """Give an interface one host address (no prefix, no duplicate address detection).

        What the host itself begins does not come from an IPv6 address that is not `preferred`; of IPv4 addresses the
        first one is.
        """
        family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
        body = struct.pack("BBBBi", family, 8 * len(address), 0, RT_SCOPE_UNIVERSE, socket.if_nametoindex(name))
        body += _attribute(IFA_LOCAL, address) + _attribute(IFA_ADDRESS, address)
        body += _attribute(IFA_FLAGS, struct.pack("I", IFA_F_NODAD | IFA_F_NOPREFIXROUTE))
        if not preferred:
            body += _attribute(IFA_CACHEINFO, struct.pack("IIII", 0, 0xFFFFFFFF, 0, 0))  # preferred and valid lifetime
        self._ask(RTM_NEWADDR, body, NLM_F_CREATE | NLM_F_EXCL, f"address on {name}")

    def delete_address(self, name: str, address: bytes) -> None:
        """Take such an address from an interface."""
        family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
        body = struct.pack("BBBBi", family, 8 * len(address), 0, RT_SCOPE_UNIVERSE, socket.if_nametoindex(name))
        self._ask(RTM_DELADDR, body + _attribute(IFA_LOCAL, address), 0, f"address off {name}")

    def add_route(self, name: str, prefix: bytes, length: int, *, quickack: bool = True) -> None:
        """Reach a prefix through an interface; `quickack`: every segment from there is acknowledged at once."""
        v4 = len(prefix) == 4
        body = struct.pack(
            "BBBBBBBBI",
            socket.AF_INET if v4 else socket.AF_INET6,
            length, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, RT_SCOPE_LINK if v4 else RT_SCOPE_UNIVERSE, RTN_UNICAST, 0,
        )  # fmt: skip
        body += _attribute(RTA_DST, prefix) + _attribute(RTA_OIF, struct.pack("I", socket.if_nametoindex(name)))
        if quickack:
            body += _attribute(RTA_METRICS, _attribute(RTAX_QUICKACK, struct.pack("I", 1)))
        self._ask(RTM_NEWROUTE, body, NLM_F_CREATE | NLM_F_EXCL, f"route through {name}")
