# SPDX-License-Identifier: GPL-2.0-or-later
"""Example: greetings between hosts, in an IP protocol of their own."""

from scapy.layers.inet import IP
from scapy.packet import bind_layers

from layers.fields import UIntField
from layers.packet import TolerantPacket

HELLO, FAREWELL, ANSWER = 1, 2, 3
PROTOCOL = 253


class Greeting(TolerantPacket):
    """A greeting (Example, section 1), in network byte order::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |     Kind      |   Reserved    |            Number             |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    """

    name = "Greeting"
    fields_desc = [
        UIntField("kind", HELLO, 8),
        UIntField("reserved", 0, 8),
        UIntField("number", 0, 16),
    ]

    def mysummary(self) -> str:
        kinds = {HELLO: "Hello", FAREWELL: "Farewell", ANSWER: "Answer"}
        return f"{kinds.get(self.kind, f'kind {self.kind}')} {self.number}"


bind_layers(IP, Greeting, proto=PROTOCOL)
