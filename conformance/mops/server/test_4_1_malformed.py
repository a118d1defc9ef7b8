# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.1: messages that are not a Migrate of version 1, and fields that a receiver ignores."""

from typing import Any

import pytest
from scapy.packet import Packet
from scapy.utils import checksum

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import ENTRY, MIGRATE_HEADER, MobileNode, Session
from layers.mops import FAILED, SUCCESS, MOPSMigrate
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case

TWO_ENTRIES = MIGRATE_HEADER + 2 * ENTRY


def remaps_nothing(node: MobileNode, server: Server, session: Session, message: Packet | bytes) -> str:
    """Send a message about `session`; the connection stays, nobody is at the new tuple. What the server said."""
    said = server.hears_out(node.sends(message))
    server.serves(session)
    for _, migrated, _ in MOPSMigrate(bytes(message)).entries if len(bytes(message)) >= TWO_ENTRIES - ENTRY else []:
        server.is_not_at(session, node.station, migrated)
    return said


def ready(node: MobileNode) -> Session:
    """A connection at the home address, the node being elsewhere."""
    session = node.connects()
    node.moves()
    return session


@pytest.mark.parametrize("wrong", ["zero", "inverted", "off by one"])
@invalid
@requirement("MOPS-4.1-58", case=1)
def test_wrong_checksum_is_discarded_in_silence(node: MobileNode, server: Server, wrong: str) -> None:
    """A message with a wrong checksum is not answered and changes nothing."""
    session = ready(node)
    message = node.migrate(session)
    right = int.from_bytes(bytes(message)[2:4], "big")
    message.checksum = {"zero": 0, "inverted": right ^ 0xFFFF, "off by one": (right + 1) % 0xFFFF}[wrong]
    request = node.sends(message)
    server.keeps_silent(request)
    server.serves(session)


@pytest.mark.parametrize("version", [0, 2, 255])
@invalid
@requirement("MOPS-4.1-59", case=1)
def test_other_version_remaps_nothing(node: MobileNode, server: Server, version: int) -> None:
    """A message whose version is not 1 remaps nothing."""
    session = ready(node)
    remaps_nothing(node, server, session, node.migrate(session, version=version))


@pytest.mark.parametrize("code", [4, 128, 255])
@invalid
@requirement("MOPS-4.1-60", case=1)
def test_other_code_remaps_nothing(node: MobileNode, server: Server, code: int) -> None:
    """A message whose code is none of 0 to 3 remaps nothing."""
    session = ready(node)
    remaps_nothing(node, server, session, node.migrate(session, code=code))


@pytest.mark.parametrize("entries", ["no entry", "one entry"])
@invalid
@requirement("MOPS-4.1-61", case=1)
def test_count_zero_remaps_nothing(node: MobileNode, server: Server, entries: str) -> None:
    """Count 0 remaps nothing, whether or not an entry follows."""
    session = ready(node)
    fields: dict[str, Any] = {"entries": []} if entries == "no entry" else {}
    remaps_nothing(node, server, session, node.migrate(session, count=0, **fields))


@pytest.mark.parametrize("count", [2, 3, 0x3FFF])
@invalid
@requirement("MOPS-4.1-62", case=1)
def test_count_too_large_remaps_nothing(node: MobileNode, server: Server, count: int) -> None:
    """Count larger than the number of entries remaps nothing."""
    session = ready(node)
    remaps_nothing(node, server, session, node.migrate(session, count=count))


@invalid
@requirement("MOPS-4.1-63", case=1)
def test_count_too_small_remaps_nothing(node: MobileNode, server: Server) -> None:
    """Count smaller than the number of entries remaps nothing."""
    session, other = node.connects(), node.connects()
    node.moves()
    message = node.migrate(session, other, count=1)
    remaps_nothing(node, server, session, message)
    server.serves(other)


@pytest.mark.parametrize("length", range(MIGRATE_HEADER, TWO_ENTRIES))
@invalid
@requirement("MOPS-4.1-64", case=1)
def test_message_cut_inside_the_entries(node: MobileNode, server: Server, length: int) -> None:
    """A message of two entries cut at any byte behind its header remaps nothing; its checksum is right."""
    session, other = node.connects(), node.connects()
    node.moves()
    whole = node.migrate(session, other)
    server.hears_out(node.sends(cut(whole, length)))
    server.serves(session)
    server.serves(other)


@invalid
@requirement("MOPS-4.1-64", case=2)
def test_message_cut_inside_the_header(node: MobileNode, server: Server) -> None:
    """A message cut at any byte of its header remaps nothing; where there is room, its checksum is right."""
    session = ready(node)
    whole = node.migrate(session)
    for length in range(MIGRATE_HEADER):
        node.sends(cut(whole, length))
    server.hears_out(node.sends(cut(whole, MIGRATE_HEADER)))
    server.serves(session)


@pytest.mark.parametrize("extra", [1, 4, 7])
@invalid
@requirement("MOPS-4.1-65", case=1)
def test_trailing_bytes_remap_nothing(node: MobileNode, server: Server, extra: int) -> None:
    """Bytes behind the last entry that make no whole entry: nothing is remapped."""
    session = ready(node)
    remaps_nothing(node, server, session, node.migrate(session) / bytes(extra))


@pytest.mark.parametrize("reserved", [1, 0x8000, 0xFFFF])
@valid
@requirement("MOPS-4.1-66", case=1)
def test_reserved_is_ignored(node: MobileNode, server: Server, reserved: int) -> None:
    """Bits in Reserved change nothing: the Migrate is served."""
    session = ready(node)
    server.answers(node.sends(node.migrate(session, reserved=reserved)), SUCCESS)


@pytest.mark.parametrize(
    "fields", [{"version": 2}, {"code": 4}, {"count": 0}, {"count": 2}], ids=["version", "code", "count 0", "length"]
)
@invalid
@requirement("MOPS-4.1-67", case=1)
def test_answer_to_a_malformed_message(node: MobileNode, server: Server, case: Case, fields: dict[str, int]) -> None:
    """Reported: whether a wrong version, code, count or length is met with silence or with "failed"."""
    session = ready(node)
    case.values["answer"] = server.hears_out(node.sends(node.migrate(session, **fields)))


@pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
@inopportune
@requirement("MOPS-4.1-68", case=1)
def test_reply_is_never_answered(node: MobileNode, server: Server, code: int) -> None:
    """A host never answers a reply."""
    session = ready(node)
    server.keeps_silent(node.sends(node.migrate(session, code=code)))


@pytest.mark.parametrize("code", [SUCCESS, FAILED], ids=["success", "failed"])
@inopportune
@requirement("MOPS-4.1-69", case=1)
def test_reply_remaps_nothing(node: MobileNode, server: Server, code: int) -> None:
    """A reply sent to the server remaps nothing."""
    session = ready(node)
    remaps_nothing(node, server, session, node.migrate(session, code=code))


def cut(whole: Packet, length: int) -> bytes:
    """The first `length` bytes of a message, with a right checksum where the checksum is among them."""
    shortened = bytes(whole)[:length]
    if length < 4:
        return shortened
    value = checksum(shortened[:2] + bytes(2) + shortened[4:])
    return bytes(shortened[:2] + int(value).to_bytes(2, "big") + shortened[4:])
