# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 1122, 3.2.2.1: datagrams of a protocol number that the host does not know."""

import pytest
from scapy.layers.inet import ICMP, TCP

from conformance.legacy.dut.host import LegacyHost
from conformance.legacy.tester.messages import MOPS, Message
from conformance.legacy.tester.node import Node
from testbed import inopportune, invalid, requirement
from testbed.wire.capture import Sent

FLOOD = 100
LONGEST = "longest"
CONTENTS = {
    "nothing": b"",
    "one byte": b"\x00",
    "zeros": bytes(28),
    "ones": b"\xff" * 28,
    "text": b"is this a protocol",
    "echo request": bytes(ICMP() / b"are you there"),
    "SYN": bytes(TCP(sport=1027, dport=7, flags="S")),
    LONGEST: b"",
}
DATAGRAMS = pytest.mark.parametrize("content", list(CONTENTS))
MESSAGES = pytest.mark.parametrize("message", MOPS, ids=str)


def send(node: Node, content: str) -> Sent:
    """Send a datagram with this content."""
    return node.send_unknown_protocol(bytes(node.most_payload()) if content == LONGEST else CONTENTS[content])


@DATAGRAMS
@invalid
@requirement("LEGACY-1122.3.2.2.1-01", case=1)
def test_unknown_protocol_is_refused_or_discarded(node: Node, dut: LegacyHost, content: str) -> None:
    """A datagram of the unknown protocol number elicits Protocol Unreachable or nothing, whatever is in it."""
    node.resolve_neighbour(node.station)
    sent = send(node, content)
    dut.stays_silent(sent, node.station, unreachable=True)


@DATAGRAMS
@invalid
@requirement("LEGACY-1122.3.2.2.1-02", case=1)
def test_unknown_protocol_harms_no_connection(node: Node, dut: LegacyHost, content: str) -> None:
    """The connections of a peer that sends a datagram of the unknown protocol number continue."""
    peers = [node.connect(), node.connect()]
    send(node, content)
    dut.barrier()
    dut.serves(*peers)


@MESSAGES
@inopportune
@requirement("LEGACY-1122.3.2.2.1-02", case=2)
def test_flood_of_messages_harms_no_connection(node: Node, dut: LegacyHost, message: Message) -> None:
    """A connection continues after a hundred messages for it."""
    peer = node.connect()
    node.flood(message, peer, FLOOD)
    dut.serves(peer)
