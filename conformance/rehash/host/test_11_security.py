# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 11, Security Considerations: who can move a connection, with what knowledge. Reported, not judged."""

import secrets

from conformance.rehash.dut.host import Host
from conformance.rehash.tester.host import Node
from testbed import invalid, requirement
from testbed.case.case import Case

GUESSES = 256


@invalid
@requirement("REHASH-11-01", case=1)
def test_whoever_heard_the_nonce_moves_the_connection(node: Node, host: Host, case: Case) -> None:
    """Reported: whether somebody else who heard nonce and numbers takes the connection over."""
    session = node.connects()
    node.uses(session)
    node.moves()
    order = node.orders(session)
    case.values["answer to the eavesdropper"] = host.answers(order)
    case.values["connection still with its peer"] = str(host.is_served(session))


@invalid
@requirement("REHASH-11-01", case=2)
def test_nonce_without_the_numbers(node: Node, host: Host, case: Case) -> None:
    """Reported: whether somebody who heard the nonce, but knows no sequence number, takes the connection over."""
    session = node.connects()
    node.uses(session)
    node.moves()
    end = node.end(session)
    option = end.order(session.peer.station.address)
    order = node.sends(end, "A", options=[option], seq=secrets.randbits(32), ack=secrets.randbits(32))
    case.values["answer to the eavesdropper"] = host.answers(order)
    case.values["connection still with its peer"] = str(host.is_served(session))


@invalid
@requirement("REHASH-11-02", case=1)
def test_guesses_of_the_nonce(node: Node, host: Host, case: Case) -> None:
    """Reported: whether the connection stays with its peer under a bounded number of guesses from off the path."""
    session = node.connects()
    node.moves()
    for _ in range(GUESSES):
        order = node.orders(session, nonce=secrets.randbits(32))
    case.values["guesses"] = str(GUESSES)
    case.values["answer to the last"] = host.answers(order)
    case.values["connection still with its peer"] = str(host.is_served(session))
