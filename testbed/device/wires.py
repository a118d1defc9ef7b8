# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces and the virtual wires into and between them; used by the supervisor's process alone."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from testbed.device import linux, rtnetlink


@dataclass(frozen=True)
class Layout:
    """What was made: a namespace and the Ethernet addresses of its wires for each device, and the tester's interfaces.

    `interfaces` are in the order of the wires, as (wire, name, Ethernet address). Close the namespaces when the devices
    are in them.
    """

    namespaces: list[int]
    macs: list[list[str]]
    interfaces: list[tuple[int, str, str]]

    def far_macs(self, device: int) -> list[str]:
        """Who is at the other end of each of a device's wires: the next device, or the tester."""
        tester = {wire: mac for wire, _, mac in self.interfaces}
        if len(self.macs) == 1:
            return [tester[wire] for wire in range(len(self.macs[0]))]
        inner = self.macs[device - 1][1] if device else tester[0]
        outer = self.macs[device + 1][0] if device + 1 < len(self.macs) else tester[device + 1]
        return [inner, outer]

    def near_macs(self, wire: int) -> list[str]:
        """The devices' Ethernet addresses on a wire, the inner device first."""
        if len(self.macs) == 1:
            return [self.macs[0][wire]]
        inner = [self.macs[wire - 1][1]] if wire else []
        return inner + ([self.macs[wire][0]] if wire < len(self.macs) else [])


class WireMaker:
    """Makes wires; names of interfaces are never used twice."""

    def __init__(self, prefix: str = "tester") -> None:
        self._prefix = prefix
        self._numbers = itertools.count()

    def make(self, devices: int, wires: int, taps: list[int]) -> Layout:
        """One device with so many wires to the tester, or a chain of devices with two wires each.

        In a chain the outside wire of a device leads to the inside of the next one; on `taps` the tester is connected
        too, with an interface that sees every frame of the wire.
        """
        with contextlib.ExitStack() as undo:
            namespaces = [_new_namespace(undo) for _ in range(devices)]
            layout = self._join(namespaces, wires, taps)
            undo.pop_all()
            return layout

    def _join(self, namespaces: list[int], wires: int, taps: list[int]) -> Layout:
        devices = len(namespaces)
        if devices == 1:
            interfaces = [(wire, self._to_device(namespaces[0], f"wire{wire}")) for wire in range(wires)]
        else:
            interfaces = self._join_chain(namespaces, taps)
        macs = {name: _raise(name) for _, name in interfaces}
        count = wires if devices == 1 else 2
        inside = [_raise_in(namespace, [f"wire{wire}" for wire in range(count)]) for namespace in namespaces]
        return Layout(namespaces, inside, [(wire, name, macs[name]) for wire, name in interfaces])

    def _join_chain(self, namespaces: list[int], taps: list[int]) -> list[tuple[int, str]]:
        from pyroute2 import IPRoute  # 0.2 s to import: only here, never in the tester

        interfaces = [(0, self._to_device(namespaces[0], "wire0"))]
        with IPRoute() as route:
            for wire in range(1, len(namespaces)):
                inner, outer = namespaces[wire - 1], namespaces[wire]
                if wire in taps:
                    interfaces.append((wire, self._hub(route, inner, outer)))
                else:
                    peer = {"ifname": "wire0", "net_ns_fd": outer}
                    route.link("add", ifname="wire1", kind="veth", net_ns_fd=inner, peer=peer)
        return [*interfaces, (len(namespaces), self._to_device(namespaces[-1], "wire1"))]

    def _to_device(self, namespace: int, wire: str) -> str:
        """A wire from here into a namespace; the name of our end."""
        name = self._name()
        rtnetlink.make_pair(name, wire, namespace)
        return name

    def _hub(self, route: Any, inner: int, outer: int) -> str:
        """A wire between two namespaces that we are connected to as well: a bridge that remembers no address."""
        hub, name, own = self._name(), self._name(), self._name()
        route.link("add", ifname=hub, kind="bridge", br_ageing_time=0, br_mcast_snooping=0)
        route.link("add", ifname=name, kind="veth", peer=own)
        plugs = [self._to_device(inner, "wire1"), self._to_device(outer, "wire0"), own]
        index = route.link_lookup(ifname=hub)[0]
        for plug in plugs:
            _raise(plug)
            route.link("set", index=route.link_lookup(ifname=plug)[0], master=index)
        linux.disable_ipv6(hub)
        route.link("set", index=index, state="up")
        return name

    def _name(self) -> str:
        return f"{self._prefix}{next(self._numbers)}"


def _new_namespace(undo: contextlib.ExitStack) -> int:
    """A descriptor of a new network namespace, which is closed by `undo`."""
    with _returning():
        linux.unshare(linux.CLONE_NEWNET)
        namespace = os.open("/proc/self/ns/net", os.O_RDONLY)
        undo.callback(os.close, namespace)
        return namespace


def _raise_in(namespace: int, wires: list[str]) -> list[str]:
    """Set the interfaces of a namespace up; the Ethernet addresses of the wires."""
    with _returning():
        linux.setns(namespace)
        rtnetlink.set_up("lo")
        return [_raise(wire) for wire in wires]


@contextlib.contextmanager
def _returning() -> Iterator[None]:
    """Come back to this network namespace at the end."""
    with open("/proc/self/ns/net") as ours:
        try:
            yield
        finally:
            linux.setns(ours.fileno())


def _raise(interface: str) -> str:
    """Set `interface` up without offloads and without IPv6; its Ethernet address."""
    linux.disable_ipv6(interface)
    linux.switch_offloads(interface, on=False)
    rtnetlink.set_up(interface)
    return rtnetlink.ethernet_address(interface)
