# SPDX-License-Identifier: GPL-2.0-or-later
"""What an interface needs of whoever answers for stations that have left it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from testbed.wire.capture import Frame, Trace

if TYPE_CHECKING:
    from testbed.wire.station import Station

Key = tuple[int, int]
"""EtherType and network address: who a frame belongs to."""


class Leftovers(Protocol):
    """Answers what a device, which outlives a case, still sends to the stations of that case."""

    def leave(self, trace: Trace, stations: "Iterable[Station]") -> None:
        """Stations that this trace is of leave."""
        ...

    def take(self, key: Key, frame: Frame) -> None:
        """A frame for an address that nobody has now."""
        ...

    def forget(self, key: Key) -> None:
        """Somebody has this address again."""
        ...
