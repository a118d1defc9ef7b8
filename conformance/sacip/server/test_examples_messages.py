# SPDX-License-Identifier: GPL-2.0-or-later
"""Test examples: notifications as captured, and messages that are none."""

import pytest
from scapy.packet import Raw

from conformance.sacip.dut.server import Server
from conformance.sacip.tester.node import Node
from layers.sacip import SACIP_TYPE
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case

LENGTHS = pytest.mark.parametrize("length", [4, 5, 6, 7])
TYPES = pytest.mark.parametrize("kind", [19, 21, SACIP_TYPE | 0x80])
CODES = pytest.mark.parametrize("code", [1, 255])
IMPOSSIBLE = ["0.0.0.0", "255.255.255.255", "224.0.0.1", "127.0.0.1", "own"]
ALL_HOSTS = "224.0.0.1"


@valid
@requirement("SACIP-examples-04", case=1)
def test_address_is_read_in_its_byte_order(node: Node, dut: Server, case: Case) -> None:
    """The new address is understood in the byte order that the profile states, as captured: the last byte first."""
    peer = node.connect()
    change = node.change(peer)
    case.values["new address on the wire"] = bytes(node.notification(change.new.address))[4:].hex(" ")
    dut.serves(peer)


@invalid
@requirement("SACIP-examples-03", case=1)
def test_wrong_checksum_is_discarded(node: Node, dut: Server, case: Case) -> None:
    """A notification with a wrong checksum changes nothing."""
    peer, elsewhere = node.connect(), case.station()
    sent = node.notify(elsewhere.address, checksum=node.wrong_checksum(elsewhere.address))
    dut.does_not_follow(peer, sent, elsewhere)


@LENGTHS
@invalid
@requirement("SACIP-examples-05", case=1)
def test_short_notification_changes_nothing(node: Node, dut: Server, case: Case, length: int) -> None:
    """A notification that is cut short, its checksum right for what is left, changes nothing."""
    peer, elsewhere = node.connect(), case.station()
    dut.does_not_follow(peer, node.send(node.cut(elsewhere.address, length)), elsewhere)


@TYPES
@invalid
@requirement("SACIP-notification-02", case=1)
def test_other_type_changes_nothing(node: Node, dut: Server, case: Case, kind: int) -> None:
    """A message of another type, the rest being that of a notification, changes nothing."""
    peer, elsewhere = node.connect(), case.station()
    dut.does_not_follow(peer, node.notify(elsewhere.address, type=kind), elsewhere)


@pytest.mark.parametrize("to", ["all hosts", "broadcast"])
@invalid
@requirement("SACIP-remote-12", case=1)
def test_notification_to_everybody_changes_nothing(node: Node, dut: Server, case: Case, to: str) -> None:
    """A notification to a multicast address that every host has joined, or to broadcast, changes nothing."""
    peer, elsewhere = node.connect(), case.station()
    address, mac = (ALL_HOSTS, "01:00:5e:00:00:01") if to == "all hosts" else ("255.255.255.255", "ff:ff:ff:ff:ff:ff")
    dut.does_not_follow(peer, node.notify_everybody(elsewhere.address, address, mac), elsewhere)


@CODES
@invalid
@requirement("SACIP-examples-09", case=1)
def test_reported_other_code(node: Node, dut: Server, case: Case, code: int) -> None:
    """Whether a notification with another code than 0 is taken."""
    peer, elsewhere = node.connect(), case.station()
    node.notify(elsewhere.address, code=code)
    dut.barrier()
    case.values[f"code {code}"] = "ignored" if dut.is_served(peer) else "taken"


@invalid
@requirement("SACIP-examples-12", case=1)
def test_reported_longer_notification(node: Node, dut: Server, case: Case) -> None:
    """Whether a notification with further bytes is taken."""
    peer, elsewhere = node.connect(), case.station()
    node.send(node.notification(elsewhere.address) / Raw(b"more"))
    dut.barrier()
    case.values["12 bytes"] = "ignored" if dut.is_served(peer) else "taken"


@pytest.mark.parametrize("new", IMPOSSIBLE)
@invalid
@requirement("SACIP-examples-08", case=1)
def test_reported_impossible_address(node: Node, dut: Server, case: Case, new: str) -> None:
    """What a new address does that no peer can have."""
    peer = node.connect()
    node.notify(dut.address if new == "own" else new)
    dut.barrier()
    case.values[f"new address {new}"] = "ignored" if dut.is_served(peer) else "the connection is lost"


@valid
@requirement("SACIP-examples-07", case=1)
def test_measured_time_to_the_first_segment(node: Node, dut: Server, case: Case) -> None:
    """How long it takes from the notification to the first segment to the new address."""
    peer = node.connect()
    change = node.change(peer)
    dut.serves(peer)
    case.values["from notification to segment"] = f"{(dut.first_to(peer, change) - change.sent.ns) / 1e6:.1f} ms"


@inopportune
@requirement("SACIP-remote-13", case=1)
def test_reported_segments_from_the_old_address(node: Node, dut: Server, case: Case) -> None:
    """Whether data that comes from the old address after the notification is taken."""
    peer = node.connect()
    left = peer.at(node.station)
    node.change(peer)
    dut.barrier()
    mark = case.mark()
    left.send(b"from the old address")
    sent_to = dut.where_it_sends(peer, mark, {"the new address": peer.station, "the old address": left.station})
    case.values["data from the old address"] = f"answered to {sent_to}"
