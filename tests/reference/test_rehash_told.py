# SPDX-License-Identifier: GPL-2.0-or-later
"""A Rehash host whose peers move."""

from tests.reference.lab import Lab
from tests.reference.rehash_peer import INIT, RehashPeer
from tests.reference.wire import ACK


def test_a_moved_peer_is_acknowledged_and_served(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    assert peer.echo(b"before")
    for _ in range(3):
        peer.move(mover.address("ipv4"))
        assert peer.is_acknowledged()
        assert peer.echo(b"after")


def test_payload_of_the_first_segment_is_taken(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    peer.move(mover.address("ipv4"), b"with data")
    first = peer.hears()
    assert first is not None
    assert peer.receive(9) == b"with data"


def test_a_wrong_nonce_is_dropped_in_silence(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    old = peer.address
    peer.move(mover.address("ipv4"), nonce=peer.dut_nonce ^ 1)
    assert peer.hears(timeout=0.05) is None
    peer.address = old
    assert peer.echo(b"still here")


def test_init_after_the_handshake_is_answered(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect(rehash=False)
    peer.segment(ACK, options=peer.init())
    answer = peer.hears_option(INIT)
    assert answer is not None
