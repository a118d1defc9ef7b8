# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: replies that a mobile node must not believe.

A success that is believed shows by data at the new tuple, a "failed" that is believed by the end of the connection.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from scapy.packet import Packet
from scapy.utils import checksum

from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.server import Asked, Correspondent
from conformance.mops.tester.sessions import Move, Session
from layers.mops import FAILED, SUCCESS
from testbed import exclusive, invalid, requirement
from testbed.case.case import Case
from testbed.wire.station import Station

WAITING = b"waiting for the reply"
both = pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])


@dataclass
class Waiting:
    """A device that has asked for a connection and waits for the reply."""

    device: Device
    session: Session
    move: Move
    request: Asked

    def believes_none(self, code: int, *forged: Packet | bytes, sender: Station | None = None) -> None:
        """The forged replies of this code change nothing: the right reply does afterwards."""
        device, session, server = self.device, self.session, self.session.server
        start, sent_ns = len(session.end.stream), 0
        if code == SUCCESS:
            sent_ns = device.application_sends(session, WAITING)
            device.preamble(lambda: device.sends_nothing(session, self.move.mark, self.move.new))
        for message in forged:
            server.sends(self.request, message, sender)
        if code == SUCCESS:
            device.sends_nothing(session, self.move.mark, self.move.new)
        told_ns = device.is_told(self.request, session)
        if code == SUCCESS:
            device.delivers(session, WAITING, start, told_ns, sent_ns)
        device.goes_on(session)


def waits_for_the_reply(device: Device, correspondent: Correspondent) -> Waiting:
    """A connection, a move and the Migrate."""
    session = device.connects(correspondent)
    move = device.moves()
    return Waiting(device, session, move, device.asks(move, session))


def sealed(octets: bytes) -> bytes:
    """The bytes of a message with the checksum that they should carry."""
    blank = octets[:2] + bytes(2) + octets[4:]
    right: int = checksum(blank)
    return blank[:2] + right.to_bytes(2, "big") + blank[4:]


@both
@exclusive
@invalid
@requirement("MOPS-4.1-139", case=1)
def test_reply_with_wrong_checksum_is_ignored(device: Device, correspondent: Correspondent, code: int) -> None:
    """A reply whose checksum is wrong by one, or zero, is not believed."""
    waiting = waits_for_the_reply(device, correspondent)
    right = bytes(correspondent.reply(waiting.request, code))
    other = (int.from_bytes(right[2:4], "big") + 1) % 0xFFFF
    forged = [right[:2] + value.to_bytes(2, "big") + right[4:] for value in (other, 0)]
    waiting.believes_none(code, *forged)


@both
@exclusive
@invalid
@requirement("MOPS-4.1-140", case=1)
def test_reply_to_no_request_is_ignored(case: Case, device: Device, correspondent: Correspondent, code: int) -> None:
    """A reply in which one field is not the request's is not believed."""
    waiting = waits_for_the_reply(device, correspondent)
    request, other = waiting.request, correspondent.network.in_mops(case.station().address)
    previous, migrated, identifier = request.entries[0]
    wrong: list[dict[str, Any]] = [
        {"protocol": 17},
        {"previous_source": other},
        {"migrated_source": other},
        {"entries": [(previous ^ 1, migrated, identifier)]},
        {"entries": [(previous, migrated ^ 1, identifier)]},
        {"entries": [(previous, migrated, identifier ^ 1)]},
    ]
    waiting.believes_none(code, *(correspondent.reply(request, code, **fields) for fields in wrong))


@both
@exclusive
@invalid
@requirement("MOPS-4.1-141", case=1)
def test_reply_from_somebody_else_is_ignored(
    case: Case, device: Device, correspondent: Correspondent, code: int
) -> None:
    """A reply that is right in everything but comes from another address than the server's is not believed."""
    waiting = waits_for_the_reply(device, correspondent)
    waiting.believes_none(code, correspondent.reply(waiting.request, code), sender=case.station())


@both
@exclusive
@invalid
@requirement("MOPS-4.1-142", case=1)
def test_reply_of_another_version_is_ignored(device: Device, correspondent: Correspondent, code: int) -> None:
    """A reply of version 0, 2 or 255 is not believed."""
    waiting = waits_for_the_reply(device, correspondent)
    forged = [correspondent.reply(waiting.request, code, version=version) for version in (0, 2, 255)]
    waiting.believes_none(code, *forged)


@both
@exclusive
@invalid
@requirement("MOPS-4.1-143", case=1)
def test_reply_of_wrong_length_is_ignored(device: Device, correspondent: Correspondent, code: int) -> None:
    """A reply cut short, or with more or fewer entries than Count says, is not believed; its checksum is right."""
    waiting = waits_for_the_reply(device, correspondent)
    right = bytes(correspondent.reply(waiting.request, code))
    cut = [sealed(right[:length]) for length in (8, 24, len(right) - 4, len(right) - 1)]
    counts = [bytes(correspondent.reply(waiting.request, code, count=count)) for count in (0, 2, 0x3FFF)]
    waiting.believes_none(code, *cut, *counts, sealed(right + bytes(4)))
