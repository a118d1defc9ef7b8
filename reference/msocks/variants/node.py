# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of the mobile node: what its application is told, and when it comes back."""

import socket
import time

from reference.msocks.client.carrier import Carrier
from reference.system.alterations import variant


@variant(
    "msocks-node-comes-back-after-a-second",
    "4",
    "A node comes back within msocks.reconnect_within_s.",
    "after a second",
)
class ComesBackLater(Carrier):
    def drain(self) -> None:
        super().drain()
        time.sleep(1.0)


@variant("msocks-node-small-segments", "4", "How the stream is cut is left open.", "in segments of 300 bytes")
class SmallSegments(Carrier):
    def _take_over(self, mobile: socket.socket) -> None:
        mobile.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 300)
        super()._take_over(mobile)
