# SPDX-License-Identifier: GPL-2.0-or-later
"""What a datapath has at its two ends: where its frames go, and what the kernel has still to send.

`KeptFrames` keeps the frames for whoever asks: with it a datapath runs without sockets, in any time. The sockets are in
`loop`.
"""

from collections.abc import Callable
from typing import Protocol

Frame = bytes | bytearray | memoryview


class Ends(Protocol):
    """The wire and the kernel."""

    def to_wire(self, frame: Frame) -> None:
        """Put a frame on the wire; the buffer in which it lies is free for other use afterwards."""

    def to_kernel(self, frame: Frame) -> None:
        """Give the kernel a frame; the buffer in which it lies is free for other use afterwards."""

    def read_kernel(self, bursts: int = 1) -> None:
        """Have the datapath take the frames that the kernel has sent already, up to so many bursts."""

    def drain_kernel(self, is_done: Callable[[], bool], within_s: float) -> None:
        """Have the datapath take what the kernel has sent and sends, until it is done or the time is over."""

    def arrival(self) -> float | None:
        """When the frame that is being served came from the wire, on the datapath's clock; None: just now."""


class KeptFrames:
    """Ends without sockets: frames are kept until they are asked for, and the kernel sends nothing by itself."""

    def __init__(self) -> None:
        self.for_wire: list[bytes] = []
        self.for_kernel: list[bytes] = []

    def to_wire(self, frame: Frame) -> None:
        self.for_wire.append(bytes(frame))

    def to_kernel(self, frame: Frame) -> None:
        self.for_kernel.append(bytes(frame))

    def read_kernel(self, bursts: int = 1) -> None:
        """There is nothing that has not been given to the datapath."""

    def drain_kernel(self, is_done: Callable[[], bool], within_s: float) -> None:
        """There is nothing that has not been given to the datapath."""

    def arrival(self) -> float | None:
        return None
