# SPDX-License-Identifier: GPL-2.0-or-later
"""A reference between two wires without the wires: a test plays both sides, frame by frame, in virtual time."""

import struct
from collections.abc import Sequence
from typing import Any

from reference.bump.ipff import IpffSettings
from reference.bump.ipv4 import Ipv4Settings
from reference.middlebox.middlebox import Middlebox
from reference.middlebox.role import MiddleboxRole
from reference.middlebox.side import ETHERNET, Side
from reference.system.configuration import Configuration
from reference.system.role import Wire
from tests.lab.wire import ETHERTYPE

MACS = {"inside": bytes.fromhex("020000000002"), "outside": bytes.fromhex("020000000102")}
NEIGHBOURS = {"inside": bytes.fromhex("020000000001"), "outside": bytes.fromhex("020000000101")}
INSIDE = {"ipff": "10.2.0.0.99", "ipv4": "10.0.0.1"}
OUTSIDE = {"ipff": "525.8.78.2.2", "ipv4": "198.18.0.1"}


def configuration(role: str, **changes: Any) -> dict[str, Any]:
    """The configuration of a device between two links, with changes."""
    protocol, _, name = role.partition(" ")
    networks = {
        "ipff": {
            side: {"address": addresses["ipff"], "neighbour_mac": NEIGHBOURS[side].hex(":")}
            for side, addresses in (("inside", INSIDE), ("outside", OUTSIDE))
        },
        "ipv4": {
            "inside": {"address": INSIDE["ipv4"], "prefix_length": 16},
            "outside": {"address": OUTSIDE["ipv4"], "prefix_length": 15},
        },
    }
    return {"protocol": protocol, "role": name, "networks": networks, **changes}


class RouterRole(MiddleboxRole):
    """Forwards, and no more: no protocol has it."""

    protocol, name = "none", "router"
    knows = (IpffSettings, Ipv4Settings)

    def build(self, wires: Sequence[Wire]) -> Middlebox:
        networks = self.networks()
        return Middlebox(self.sides(wires, networks), networks)


class PlayedBox:
    """The device and the time in seconds; whoever is asked for by ARP answers."""

    def __init__(self, kind: type[MiddleboxRole], told: dict[str, Any], part: type | None = None) -> None:
        self.now = 0.0
        role = kind(Configuration.of(("wire0", "wire1"), told))
        if part is not None:
            role.alter(part)
        self.box: Middlebox = role.build([Wire(MACS[side], 1500) for side in MACS])
        self._sides = {side.name: side for side in self.box.sides}

    def put(self, side: str, network: str, packet: bytes) -> None:
        """A packet comes in on a side."""
        frame = MACS[side] + NEIGHBOURS[side] + ETHERTYPE[network].to_bytes(2, "big") + packet
        self.box.receive(self._sides[side], frame, self.now)

    def take(self, side: str) -> list[bytes]:
        """The packets that have gone out on a side since the last time."""
        found: list[bytes] = []
        while frames := self._sides[side].frames():
            for frame in frames:
                if frame[12:14] == b"\x08\x06":
                    self._answer(self._sides[side], frame[ETHERNET:])
                else:
                    assert frame[:6] == NEIGHBOURS[side]
                    found.append(frame[ETHERNET:])
        return found

    def later(self, seconds: float) -> None:
        """Time passes."""
        until = self.now + seconds
        while (due := max(self.now, self.box.deadline())) < until:
            self.now = due
            self.box.tick(due)
        self.now = until
        self.box.tick(until)

    def _answer(self, side: Side, message: bytes) -> None:
        operation, mac, sender, _, target = struct.unpack_from("!6xH6s4s6s4s", message)
        if operation == 1:
            reply = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, NEIGHBOURS[side.name], target, mac, sender)
            self.box.receive(side, MACS[side.name] + NEIGHBOURS[side.name] + b"\x08\x06" + reply, self.now)
