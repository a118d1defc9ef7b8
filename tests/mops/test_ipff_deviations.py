# SPDX-License-Identifier: GPL-2.0-or-later
"""Every deviation below MOPS is wrong in its own way and right in all others."""

import struct
from collections.abc import Callable
from typing import Any

import pytest

from reference.bump.ipff import IpffNetwork
from reference.roles import all_deviations
from tests.lab.crossing import OWN, PEER, Crossing, sealed
from tests.lab.ipff import DRAFT, Ipff, internet_checksum, number
from tests.mops.played_node import on_the_wire

TCP, UDP, ICMP = 6, 17, 1
DATAGRAM = struct.pack("!HHH", 1027, 7, 0) + b"data"
MESSAGE = struct.pack("!HHBBHQQ", 100, 0, 1, 0, 0, 6 << 50 | PEER, 1 << 50 | OWN) + bytes(8)
SEGMENT = struct.pack("!HHIIHHHH", 1027, 7, 1000, 2000, 5 << 12 | 0x18, 8192, 0, 0)


def message(reading: Ipff = DRAFT, source: int = PEER) -> bytes:
    """A message with the checksum of a reading, in a packet of the draft."""
    pseudo = b"" if reading.icmp is None else reading.pseudo_header(source, OWN, reading.icmp, len(MESSAGE))
    return DRAFT.packet(source, OWN, ICMP, sealed(MESSAGE, 2, pseudo))


def segment(data: bytes = b"", source: int = PEER) -> bytes:
    """A segment in a packet."""
    whole = SEGMENT + data
    pseudo = DRAFT.pseudo_header(source, OWN, TCP, len(whole))
    return DRAFT.packet(source, OWN, TCP, sealed(whole, 16, pseudo))


def changed(packet: bytes, at: int, value: int, size: int = 1) -> bytes:
    return packet[:at] + value.to_bytes(size) + packet[at + size :]


def is_taken(crossing: Crossing, packet: bytes) -> bool:
    """Whether a message comes through with a right checksum."""
    try:
        return internet_checksum(crossing.message(packet)) == 0
    except AssertionError:
        return False


SCENARIOS: dict[str, Callable[[Crossing], Any]] = {
    "message": lambda crossing: is_taken(crossing, message()),
    "reserved_set": lambda crossing: is_taken(crossing, changed(message(), 0, 0x5F)),
    "another_version": lambda crossing: is_taken(crossing, changed(message(), 0, 0x40)),
    "bytes_after_it": lambda crossing: is_taken(crossing, message() + b"padding"),
    "length_beyond": lambda crossing: is_taken(crossing, changed(message(), 18, len(MESSAGE) + 8, 2)),
    "last_hop": lambda crossing: is_taken(crossing, changed(message(), 16, 1)),
    "message_from_1000": lambda crossing: is_taken(crossing, message(source=number("525.8.1000.3.9"))),
    "segment_from_1000": lambda crossing: crossing.into_kernel(segment(source=number("525.8.1000.3.9"))),
    "segment": lambda crossing: crossing.into_kernel(segment(b"data")),
    "large_segment": lambda crossing: crossing.into_kernel(segment(bytes(1300))),
    "no_pseudo_header": lambda crossing: is_taken(crossing, message(Ipff(icmp=None))),
    "pseudo_header_of_58": lambda crossing: is_taken(crossing, message(Ipff(icmp=58))),
    "sent_message": lambda crossing: crossing.network.build(PEER, ICMP, sealed(MESSAGE, 2, b"")),
    "sent_segment": lambda crossing: crossing.onto_wire(TCP, SEGMENT),
    "datagram": lambda crossing: crossing.into_kernel(
        DRAFT.packet(PEER, OWN, UDP, on_the_wire(DRAFT, UDP, PEER, OWN, DATAGRAM))
    ),
    "sent_datagram": lambda crossing: crossing.onto_wire(UDP, struct.pack("!HHHH", 7, 1027, 12, 0xBEEF) + b"data"),
}
DIFFERENT = {
    "ipff-field-above-999-in-messages": "message_from_1000",
    "ipff-field-above-999-taken": "message_from_1000 segment_from_1000",
    "ipff-large-packets-dropped": "large_segment",
    "ipff-last-hop-refused": "last_hop",
    "ipff-one-hop": "sent_message sent_segment sent_datagram",
    "ipff-payload-length-beyond-frame": "length_beyond",
    "ipff-payload-length-ignored": "bytes_after_it length_beyond",
    "ipff-reserved-refused": "reserved_set",
    "ipff-reserved-sent": "sent_message sent_segment sent_datagram",
    "ipff-version-ignored": "another_version",
    "pseudo-header-of-58-taken": "pseudo_header_of_58",
    "pseudo-header-optional": "no_pseudo_header",
    "reply-without-pseudo-header": "sent_message",
    "udp-with-length": "datagram sent_datagram",
    "udp-without-checksum": "sent_datagram",
    "node-migrate-without-pseudo-header": "sent_message",
}
#: The same classes at a mobile node: node-<name>.
AT_A_NODE = [
    "ipff-last-hop-refused",
    "ipff-one-hop",
    "ipff-payload-length-beyond-frame",
    "ipff-payload-length-ignored",
    "ipff-reserved-refused",
    "ipff-reserved-sent",
    "ipff-version-ignored",
    "pseudo-header-optional",
    "udp-with-length",
    "udp-without-checksum",
]
ALL = {**DIFFERENT, **{f"node-{name}": DIFFERENT[name] for name in AT_A_NODE}}


def test_the_table_is_complete() -> None:
    below = [name for name, one in all_deviations().items() if one.part.__module__ == "reference.mops.deviations.ipff"]
    assert sorted(ALL) == sorted(below)


def test_the_reference_is_right() -> None:
    crossing = Crossing(DRAFT)
    taken = [name for name, play in SCENARIOS.items() if play(crossing) is True]
    assert taken == ["message", "reserved_set", "bytes_after_it", "last_hop"]
    assert SCENARIOS["segment_from_1000"](crossing) is None
    assert all(SCENARIOS[name](crossing) for name in ("segment", "large_segment", "datagram"))


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_deviation_is_wrong_in_its_own_way_only(name: str) -> None:
    part = all_deviations()[name].part
    assert issubclass(part, IpffNetwork)
    assert part.role == ("mobile node" if name.startswith("node-") else "server")
    right = {one: play(Crossing(DRAFT)) for one, play in SCENARIOS.items()}
    assert [one for one, play in SCENARIOS.items() if play(Crossing(DRAFT, part)) != right[one]] == ALL[name].split()
