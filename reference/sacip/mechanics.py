# SPDX-License-Identifier: GPL-2.0-or-later
"""What the host's decisions need of its datapath."""

from typing import Protocol


class Mechanics(Protocol):
    """Frames in and out."""

    now: float

    def send_what_the_kernel_has_sent(self) -> None:
        """Have everything go out that the kernel has sent, as things are now."""

    def send_message(self, source: int, peer: int, message: bytes) -> None:
        """Send a message of ICMP from an address of the host, the one that goes included."""
