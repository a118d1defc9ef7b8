# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 11, Security Considerations: who can move a connection, with what knowledge. Reported, not judged."""

from typing import Any

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr
from testbed import invalid, requirement
from testbed.case.case import Case
from testbed.wire import chance

GUESSES = 256


@pytest.mark.parametrize(
    "knows_numbers",
    [
        pytest.param(True, id="nonce and numbers", marks=requirement("REHASH-11-01", case=1)),
        pytest.param(False, id="nonce alone", marks=requirement("REHASH-11-01", case=2)),
    ],
)
@invalid
def test_eavesdropper_moves_the_connection(node: RehashHost, dut: DutHost, case: Case, knows_numbers: bool) -> None:
    """Reported: whether an eavesdropper that saw the nonce, with or without the numbers, takes the connection over."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    end = connection.local.at(node.station)
    numbers: dict[str, Any] = {} if knows_numbers else {"seq": chance.randbits(32), "ack": chance.randbits(32)}
    sent = node.send(end, "A", options=[rehash_addr(end, connection.address)], **numbers)
    case.values["answer to the eavesdropper"] = dut.response_to(sent)
    case.values["connection still with its peer"] = str(dut.is_served(connection))


@invalid
@requirement("REHASH-11-02", case=1)
def test_guesses_of_the_nonce(node: RehashHost, dut: DutHost, case: Case) -> None:
    """Reported: whether the connection stays with its peer under a bounded number of guesses from off the path."""
    connection = node.connect()
    node.move()
    for _ in range(GUESSES):
        sent = node.send_rehash_addr(connection, nonce=chance.randbits(32))
    case.values["guesses"] = str(GUESSES)
    case.values["answer to the last"] = dut.response_to(sent)
    case.values["connection still with its peer"] = str(dut.is_served(connection))
