# SPDX-License-Identifier: GPL-2.0-or-later
"""What the general tests need to know of a message and of a protocol."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import strategies as st
from scapy.packet import Packet


class Vector(NamedTuple):
    """A message: the fields given, its bytes, the fields computed, and those that decide what else is on the wire."""

    cls: type[Packet]
    given: dict[str, Any]
    wire: str
    computed: dict[str, Any] = {}
    shaping: tuple[str, ...] = ()

    @property
    def data(self) -> bytes:
        return bytes.fromhex(self.wire)


@dataclass(frozen=True)
class Vectors:
    """A protocol: its messages and what is said of them."""

    vectors: list[Vector]
    refused: list[tuple[Callable[[], Any], str]] = field(default_factory=list)
    """A packet that cannot be, and what the ValueError says."""
    filters: dict[type[Packet], str] = field(default_factory=dict)
    """Under which name Wireshark has the fields of a message."""
    lines: list[tuple[str, str]] = field(default_factory=list)
    """The name of a sample, and what `python -m layers` has to print of it."""
    values: dict[type[Any], st.SearchStrategy[Any]] = field(default_factory=dict)
    """Values of a kind of field that only this protocol has."""
