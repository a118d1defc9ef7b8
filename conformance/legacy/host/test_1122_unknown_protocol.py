# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 1122, 3.2.2.1: datagrams of a protocol number that the host does not know."""

import pytest
from scapy.layers.inet import ICMP, TCP

from conformance.legacy.dut.host import Host
from conformance.legacy.tester.lower_tester import LowerTester
from conformance.legacy.tester.messages import MOPS, ROOM
from testbed import inopportune, invalid, requirement

FLOOD = 100
CONTENTS = {
    "nothing": b"",
    "one byte": b"\x00",
    "zeros": bytes(28),
    "ones": b"\xff" * 28,
    "text": b"is this a protocol",
    "echo request": bytes(ICMP() / b"are you there"),
    "SYN": bytes(TCP(sport=1027, dport=7, flags="S")),
    "longest": bytes(ROOM),
}
DATAGRAMS = pytest.mark.parametrize("content", list(CONTENTS))
MESSAGES = pytest.mark.parametrize("message", list(MOPS))


@DATAGRAMS
@invalid
@requirement("LEGACY-1122.3.2.2.1-01", case=1)
def test_unknown_protocol_is_refused_or_ignored(tester: LowerTester, host: Host, content: str) -> None:
    """A datagram of the unknown protocol number draws Protocol Unreachable or silence, whatever is in it."""
    tester.introduces(tester.station)
    sent = tester.tells(CONTENTS[content], icmp=False)
    host.says_nothing(sent, [tester.station], but_unreachable=True)


@DATAGRAMS
@invalid
@requirement("LEGACY-1122.3.2.2.1-02", case=1)
def test_unknown_protocol_harms_no_connection(tester: LowerTester, host: Host, content: str) -> None:
    """The connections of a peer that sends a datagram of the unknown protocol number go on."""
    peers = [tester.connects(), tester.connects()]
    tester.tells(CONTENTS[content], icmp=False)
    host.has_gone_on()
    host.serves(*peers)


@MESSAGES
@inopportune
@requirement("LEGACY-1122.3.2.2.1-02", case=2)
def test_flood_of_messages_harms_no_connection(tester: LowerTester, host: Host, message: str) -> None:
    """A connection goes on behind a hundred messages for it."""
    peer = tester.connects()
    for _ in range(FLOOD):
        tester.tells(MOPS[message](peer, tester.elsewhere))
    host.serves(peer)
