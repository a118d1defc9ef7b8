# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2, REHASH-ADDR exchange: orders that move nothing."""

import pytest

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import require
from conformance.rehash.tester.host import Node
from testbed import inopportune, invalid, requirement
from testbed.case.case import Case
from testbed.interruptions import Inconclusive

WRONG = pytest.mark.parametrize("flip", [1, 1 << 31, 0xFFFFFFFF], ids=["last-bit", "first-bit", "all-bits"])
"""Bits of the nonce that are wrong."""

MOVED = pytest.mark.parametrize("moves", [0, 2], ids=["never-moved", "moved-before"])
"""Twice: whoever can move once only is judged elsewhere."""


@WRONG
@MOVED
@invalid
@requirement("REHASH-6.2-20", case=1)
def test_wrong_nonce_is_dropped_in_silence(node: Node, host: Host, moves: int, flip: int) -> None:
    """REHASH-ADDR with a wrong nonce is met with silence at both addresses: no reset, no acknowledgement."""
    session = node.connects()
    for _ in range(moves):
        node.rehashes(session)
    host.has_calmed_down()
    node.moves()
    order = node.orders(session, nonce=host.nonce(session) ^ flip)
    host.keeps_silent(order)
    host.sends_nothing_to(session.peer, order.mark, even_resets=True)


@invalid
@requirement("REHASH-6.2-20", case=2)
def test_data_with_a_wrong_nonce_is_not_taken(node: Node, host: Host) -> None:
    """Data of a segment with a wrong nonce is not taken: other bytes with the same numbers are, later."""
    session = node.connects()
    node.moves()
    node.orders(session, b"forged bytes", nonce=host.nonce(session) ^ 1)
    host.has_calmed_down()
    host.serves(session, b"right bytes!")


@WRONG
@MOVED
@invalid
@requirement("REHASH-6.2-21", case=1)
def test_wrong_nonce_does_not_move(node: Node, host: Host, moves: int, flip: int) -> None:
    """After REHASH-ADDR with a wrong nonce the connection goes on at its old address, wherever it was before."""
    session = node.connects()
    for _ in range(moves):
        node.rehashes(session)
    node.moves()
    node.orders(session, nonce=host.nonce(session) ^ flip)
    host.has_calmed_down()
    host.serves(session)


@invalid
@requirement("REHASH-6.2-21", case=2)
def test_peers_own_nonce_does_not_move(node: Node, host: Host) -> None:
    """REHASH-ADDR with the nonce of the tester instead of the device's does not move the connection."""
    session = node.connects()
    node.moves()
    node.orders(session, nonce=session.peer.nonce)
    host.has_calmed_down()
    host.serves(session)


@invalid
@requirement("REHASH-6.2-21", case=3)
def test_nonce_of_another_connection_does_not_move(node: Node, host: Host) -> None:
    """REHASH-ADDR with the nonce of another connection of the same peer does not move the connection."""
    session, other = node.connects(), node.connects()
    if host.nonce(session) == host.nonce(other):
        raise Inconclusive("preamble: both connections have the same nonce", repeat=False)
    node.moves()
    node.orders(session, nonce=other.peer.device_nonce)
    host.has_calmed_down()
    host.serves(session)


@pytest.mark.parametrize("unknown", ["old address", "port"])
@inopportune
@requirement("REHASH-6.2-22", case=1)
def test_unknown_connection_is_ordinary_tcp(node: Node, host: Host, case: Case, unknown: str) -> None:
    """REHASH-ADDR for a connection that is not known is answered like the same segment without it."""
    session = node.connects()
    never_used = case.station().address
    node.moves()
    end = session.peer.at(node.station, next(case.setup.source_ports) if unknown == "port" else 0)
    old = never_used if unknown == "old address" else session.peer.station.address
    ordinary = host.answers(node.sends(end, "A"))
    order = node.sends(end, "A", options=[end.order(old)])
    said = host.answers(order)
    require(said == ordinary, "answer to REHASH-ADDR", ordinary, said, *host.segments(end, order.mark))
    host.serves(session)


@inopportune
@requirement("REHASH-6.2-22", case=2)
def test_closed_connection_is_not_known(node: Node, host: Host) -> None:
    """REHASH-ADDR for a connection that was reset moves nothing."""
    session = node.connects()
    session.peer.reset()
    host.has_gone_on()
    node.moves()
    order = node.orders(session)
    host.sends_nothing_to(order.end, order.mark)


@inopportune
@requirement("REHASH-6.2-23", case=1)
def test_connection_without_exchange_is_not_moved(node: Node, host: Host) -> None:
    """REHASH-ADDR on a connection that the device has marked with nothing moves nothing."""
    session = node.connects_plainly()
    node.uses(session)
    node.moves()
    host.has_not_moved(session, node.orders(session))


@inopportune
@requirement("REHASH-6.2-23", "REHASH-6.1-08", case=2)
def test_own_init_alone_is_no_exchange(node: Node, host: Host) -> None:
    """A nonce that the device has told a peer without an answer does not move the connection."""
    session = host.accepted_plainly(node)
    host.nonce(session)
    node.moves()
    host.has_not_moved(session, node.orders(session))
