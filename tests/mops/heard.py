# SPDX-License-Identifier: GPL-2.0-or-later
"""What is heard of a node on the wire."""

import struct
from dataclasses import dataclass

from tests.lab.wire import UDP, UDP_HEADER


@dataclass
class Heard:
    """One packet of the node."""

    network: str
    source: int
    destination: int
    protocol: int
    payload: bytes
    at: float

    @property
    def ports(self) -> tuple[int, int]:
        return struct.unpack_from("!HH", self.payload)

    @property
    def sequence(self) -> int:
        return struct.unpack_from("!I", self.payload, 4)[0]

    @property
    def flags(self) -> int:
        return self.payload[13]

    @property
    def options(self) -> bytes:
        return self.payload[20 : self.payload[12] >> 4 << 2]

    @property
    def data(self) -> bytes:
        return self.payload[UDP_HEADER[self.network] if self.protocol == UDP else self.payload[12] >> 4 << 2 :]
