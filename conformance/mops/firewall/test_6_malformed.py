# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6: Migrates and replies that are none, and what they open."""

import struct
from collections.abc import Callable

import pytest

from conformance.mops.claims import needs_opening_on_success
from conformance.mops.dut.firewall import Firewall
from conformance.mops.migrate import Octets, off_by_one, sealed, with_checksum
from conformance.mops.tester.crossing import RoamingNode
from testbed import invalid, requirement
from testbed.case.case import Case

CROSSED = pytest.mark.parametrize("position", ["crossed"])
_VERSION_AT, _CODE_AT, _COUNT_AT, _CUT = 4, 5, 16, 4
_COUNT_SHIFT = 50


def _with_byte(at: int, value: int) -> Callable[[bytes], Octets]:
    return lambda octets: sealed(octets[:at] + bytes([value]) + octets[at + 1 :])


def _with_count(count: int) -> Callable[[bytes], Octets]:
    def change(octets: bytes) -> Octets:
        (word,) = struct.unpack_from("!Q", octets, _COUNT_AT)
        word = word & ((1 << _COUNT_SHIFT) - 1) | count << _COUNT_SHIFT
        return sealed(octets[:_COUNT_AT] + word.to_bytes(8) + octets[_COUNT_AT + 8 :])

    return change


WRONG: dict[str, list[Callable[[bytes], Octets]]] = {
    "checksum": [off_by_one, lambda octets: with_checksum(octets, 0)],
    "version": [_with_byte(_VERSION_AT, value) for value in (0, 2, 255)],
    "code": [_with_byte(_CODE_AT, value) for value in (4, 128, 255)],
    "count": [_with_count(value) for value in (0, 2, 0x3FFF)],
    "length": [lambda octets: sealed(octets[:-1]), lambda octets: sealed(octets[:-_CUT])],
}
SPOILT = [spoils[0] for spoils in WRONG.values()]
WRONGLY = pytest.mark.parametrize("wrong", WRONG)


@CROSSED
@WRONGLY
@invalid
@requirement("MOPS-6-12", case=1)
def test_malformed_migrate_opens_nothing(node: RoamingNode, dut: Firewall, wrong: str) -> None:
    """Migrates that no server takes open no tuple, though a success comes for what they should have been."""
    move = node.move(dut.connect(node))
    message = node.request(move)
    for spoil in WRONG[wrong]:
        node.send(move, spoil(bytes(message)))
    dut.message_barrier()
    node.server.agree_unasked(move, message)
    dut.message_barrier()
    dut.keeps_closed(node, move)


@CROSSED
@WRONGLY
@invalid
@requirement("MOPS-6-12", case=2)
def test_malformed_success_opens_nothing(node: RoamingNode, dut: Firewall, case: Case, wrong: str) -> None:
    """Successes that no node takes open no tuple."""
    needs_opening_on_success(case)
    move = node.move(dut.connect(node))
    request = dut.ask(node, move)
    for spoil in WRONG[wrong]:
        node.server.send(request, spoil(bytes(node.server.reply_message(request))))
    dut.message_barrier()
    dut.keeps_closed(node, move)


@CROSSED
@invalid
@requirement("MOPS-6-12", case=3)
def test_entry_beyond_count_is_never_opened(node: RoamingNode, dut: Firewall) -> None:
    """Of a Migrate with two entries and a Count of 1, and the same success, the second entry stays closed."""
    move = node.move(dut.connect(node), dut.connect(node))
    request = node.send(move, node.request(move, count=1))
    dut.message_barrier()
    node.server.send(request, node.server.reply_message(request, count=1))
    dut.message_barrier()
    dut.keeps_closed(node, move, 1)


@CROSSED
@invalid
@requirement("MOPS-6-12", case=4)
def test_malformed_message_closes_nothing(node: RoamingNode, dut: Firewall) -> None:
    """After malformed Migrates and answers a right Migrate of the same move opens its tuple."""
    session = dut.connect(node)
    move = node.move(session)
    for spoil in SPOILT:
        node.send(move, spoil(bytes(node.request(move))))
    request = dut.ask(node, move)
    for spoil in SPOILT:
        node.server.send(request, spoil(bytes(node.server.reply_message(request))))
    dut.passes(node.server.reply(request))
    move.follow()
    dut.carries(session)
