# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices one after the other between the tester's two ends: the device under test and its neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.wire.network import Network

FEWEST, MOST = 2, 4


@dataclass(frozen=True)
class Position:
    """One device of a chain.

    A neighbour has a `command` and the whole of its `configuration` (docs/dut-contract.md); `{python}` in the command
    stands for the suite's interpreter, and the Ethernet addresses of IPFF neighbours are filled in when the wires are
    there. The device under test has no command here: its profile says how to start it and how it is configured, and
    `configuration` is laid over that (a gateway).
    """

    command: tuple[str, ...] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_dut(self) -> bool:
        """Whether the device under test stands here."""
        return not self.command


@dataclass(frozen=True)
class Chain:
    """Two to four devices, each one's outside joined to the next one's inside.

    Wires are numbered from 0, the tester's inside, to the number of devices, its outside. `networks` describes those
    that the device under test is not on; its own are in the profile. `taps` are the wires between devices that the
    tester has an interface on, to observe or as a neighbour. `reserved` are addresses of the tester's ranges that the
    neighbours have.
    """

    positions: tuple[Position, ...]
    networks: Mapping[int, Mapping[str, Network]] = field(default_factory=dict)
    taps: tuple[int, ...] = ()
    reserved: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        count = len(self.positions)
        if not FEWEST <= count <= MOST:
            raise ValueError(f"a chain has {FEWEST} to {MOST} devices, not {count}")
        if [one.is_dut for one in self.positions].count(True) != 1:
            raise ValueError("a chain has one device under test: a position without command")
        if wrong := [wire for wire in self.taps if not 0 < wire < count]:
            raise ValueError(f"taps: wires between devices are 1 to {count - 1}, not {wrong[0]}")
        if missing := [wire for wire in self.wires if not self.side(wire) and wire not in self.networks]:
            raise ValueError(f"networks: wire {missing[0]} is missing, which the device under test is not on")

    @property
    def place(self) -> int:
        """Where the device under test stands; 0 is next to the tester's inside."""
        return next(place for place, one in enumerate(self.positions) if one.is_dut)

    def link(self, wire: int) -> str:
        """What the tester calls its end of a wire."""
        return {0: "inside", len(self.positions): "outside"}.get(wire, f"between {wire}")

    def side(self, wire: int) -> str:
        """Which of its links the device under test has on a wire; empty where it has none."""
        return {self.place: "inside", self.place + 1: "outside"}.get(wire, "")

    @property
    def wires(self) -> tuple[int, ...]:
        """The wires that the tester is on."""
        return (0, *sorted(self.taps), len(self.positions))


def overlay(content: Mapping[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """`content` with the values of `further` laid over it, table by table."""
    merged = dict(content)
    for key, value in further.items():
        known = merged.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            merged[key] = overlay(known, value)
        else:
            merged[key] = value
    return merged
