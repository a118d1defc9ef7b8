# SPDX-License-Identifier: GPL-2.0-or-later
"""A Rehash host that moves."""

from tests.reference.lab import Lab
from tests.reference.rehash_peer import ADDR, RehashPeer, dut_moves, option_of
from tests.reference.wire import ACK, number


def test_a_move_is_announced_and_over_when_acknowledged(mover: Lab) -> None:
    peer = RehashPeer.at(mover)
    connection = peer.accept(mover)
    old = mover.wire.dut["ipv4"]
    dut_moves(mover, "198.18.0.2")
    seen = peer.hears_option(ADDR)
    assert seen is not None
    assert option_of(seen) == (ADDR, peer.nonce, number(old), number("198.18.0.2"))
    peer.segment(ACK, options=peer.init())
    mover.call("send", connection=connection, data="616263")
    assert peer.receive(3) == b"abc"
    assert peer.hears_option(ADDR, 0.5) is None
