# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios of the slides with their own addresses, and the two frames of which they print the bytes."""

HOST = "192.168.1.101"
"""The host that is told."""

FIRST, SECOND, OTHER_SUBNET = "192.168.1.22", "192.168.1.2", "192.168.1.222"
"""The addresses of the host whose address changes: from the first to the second, from the second to the third."""

ROUTER = "192.168.1.4"
WHOLE, HALF = 24, 25
"""Lengths of the prefixes of the first scenario and of the second."""

NOTIFICATION = bytes.fromhex("45 00 00 1c 56 f1 00 00 40 01 a0 24 c0 a8 01 16 c0 a8 01 65 14 00 41 3e 02 01 a8 c0")
"""Frame 18 of the first scenario, from the IP header on: 192.168.1.22 is 192.168.1.2 from now on."""

SEGMENT = bytes.fromhex(
    "45 10 00 34 3f 54 40 00 40 06 76 cc c0 a8 01 de c0 a8 01 65"
    "d5 3a 00 17 bf 45 6f 9a 1a 32 e9 78 80 10 0b 68 22 e5 00 00 01 01 08 0a 00 c4 88 25 00 c6 32 50"
)
"""Frame 37 of the second scenario, an acknowledgement from the new address; its last two bytes are in the list only."""

SEGMENT_PORT, TELNET, SEGMENT_SEQUENCE = 0xD53A, 23, 0xBF456F9A
"""The ports and the sequence number of that segment."""
