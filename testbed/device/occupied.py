# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether an interface is free for the tester: nothing is sent on one that somebody else uses."""

import errno
import ipaddress
import os
import shlex
import socket
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any

from profiles import Profile
from testbed.device.supervisor import LinkError

ALLOW = "--allow-shared-interface"

_LONGEST_COMMAND = 120
_IFF_LOOPBACK = 0x8
_ABOVE = ("vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec")


class Occupation:
    """The interfaces of a profile, for this run alone until `release`. Those in `allowed` are taken as they are.

    LinkError, one line, for a loopback interface, one that a default route leads to, a port of a bridge or bond, one
    that carries a VLAN, one that another run uses, and where this machine has an address that is to be the tester's or
    the device's.
    """

    def __init__(self, profile: Profile, allowed: Collection[str] = ()) -> None:
        self._claims: list[socket.socket] = []
        try:
            for key, table in profile.link.interfaces.items():
                why = self._claim(table.interface) or _in_use(profile, table.interface)
                if why and table.interface not in allowed:
                    raise LinkError(
                        f"{profile.path}: {key}.interface: {table.interface} {why}; allowed is an interface that "
                        f"nothing else uses, or {ALLOW} {table.interface}"
                    )
        except LinkError:
            self.release()
            raise

    def release(self) -> None:
        """Let others have the interfaces; the end of the process does the same."""
        for claim in self._claims:
            claim.close()

    def _claim(self, interface: str) -> str:
        """Take an interface, or say who has it. An abstract address goes with its owner, however that ends."""
        address = f"\0roamproof/{interface}"
        if any(claim.getsockname() == address.encode() for claim in self._claims):
            return ""
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(address)
            claim.listen()
        except OSError as error:
            claim.close()
            if error.errno != errno.EADDRINUSE:
                raise
            return f"is in use by another run{_owner(address)}"
        self._claims.append(claim)
        return ""


def _owner(address: str) -> str:
    """Which process listens at an address, as far as it can be seen from here (SO_PEERCRED, unix(7))."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.setblocking(False)  # nobody accepts: once its queue is full, no more is to be learnt
        try:
            asking.connect(address)
            pid = struct.unpack("=iII", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
            return f", process {pid} in {os.readlink(f'/proc/{pid}/cwd')}: {shlex.join(words):.{_LONGEST_COMMAND}}"
        except OSError:
            return ""


def _in_use(profile: Profile, interface: str) -> str:
    """What else an interface is for, or nothing; an interface that does not exist is told by whoever opens it."""
    from pyroute2 import IPRoute  # 0.2 s to import, for real wires alone

    with IPRoute() as route:
        index = next(iter(route.link_lookup(ifname=interface)), None)
        if index is None:
            return ""
        links = {one["index"]: one for one in route.get_links()}
        if links[index]["flags"] & _IFF_LOOPBACK:
            return "is a loopback interface"
        if master := links.get(links[index].get_attr("IFLA_MASTER")):
            return f"is a port of {master.get_attr('IFLA_IFNAME')}"
        if above := [one.get_attr("IFLA_IFNAME") for one in links.values() if _is_above(one, index)]:
            return f"carries {above[0]}"
        routes = route.get_default_routes(family=socket.AF_INET) + route.get_default_routes(family=socket.AF_INET6)
        if any(index in _exits(one) for one in routes):
            return "is where this machine's default route leads"
        own = [one.get_attr("IFA_ADDRESS") for one in route.get_addr(family=socket.AF_INET)]
    taken = [address for address in own if _is_ours(profile, address)]
    return f"would be given {taken[0]}, which is an address of this machine" if taken else ""


def _is_above(link: Any, index: int) -> bool:
    """Whether a link is a VLAN or the like of the interface; the far end of a virtual wire is none."""
    kind = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND")
    return link.get_attr("IFLA_LINK") == index and kind in _ABOVE and link.get_attr("IFLA_LINK_NETNSID") is None


def _exits(route: Any) -> list[int]:
    """The interfaces that a route leads to, by one path or by several."""
    return [route.get_attr("RTA_OIF"), *(path["oif"] for path in route.get_attr("RTA_MULTIPATH") or ())]


def _is_ours(profile: Profile, text: str) -> bool:
    """Whether an IPv4 address is to be the tester's or the device's."""
    address = ipaddress.IPv4Address(text)
    return any(
        text in (table.address, *table.moves_to)
        or ipaddress.IPv4Address(table.tester_first) <= address <= ipaddress.IPv4Address(table.tester_last)
        for table in profile.ixit.ipv4.all
    )
