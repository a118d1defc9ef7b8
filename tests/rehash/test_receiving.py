# SPDX-License-Identifier: GPL-2.0-or-later
"""A Rehash host on a real kernel, whose peers move."""

import os

import pytest

from tests.lab.host import Lab
from tests.lab.wire import ACK, FIN, PSH, RST, SYN, Peer, number
from tests.rehash.peer import INIT, KIND, RehashPeer, option_of, packed


def at_old(peer: RehashPeer, address: str) -> Peer:
    """The same peer as if it had not moved."""
    old = Peer(peer.wire, "ipv4", address, peer.port, peer.service)
    old.nxt, old.rcv_nxt = peer.nxt, peer.rcv_nxt
    return old


def test_a_moved_peer_is_acknowledged_and_served(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    assert peer.echo(b"before")
    first = peer.address
    for address in (mover.address("ipv4"), mover.address("ipv4"), first):
        peer.move(address)
        assert peer.is_acknowledged()
        assert peer.echo(b"after")


def test_a_peer_that_was_connected_to_moves(mover: Lab) -> None:
    peer = RehashPeer.at(mover, port=4001)
    connection = peer.accept(mover)
    peer.move(mover.address("ipv4"), b"hello")
    assert peer.is_acknowledged()
    assert mover.call("receive", connection=connection, length=5) == {"data": b"hello".hex(), "eof": False}


def test_payload_of_the_first_segment_is_taken_and_its_acknowledgement_carries_init(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    peer.move(mover.address("ipv4"), b"with data")
    first = peer.hears()
    assert first is not None
    assert option_of(first) == (INIT, peer.dut_nonce, 0, first.source)
    assert first.acknowledgement == peer.nxt
    assert peer.receive(9) == b"with data"


def test_a_fin_moves_the_connection_and_closes_it(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    old, peer.address = peer.address, mover.address("ipv4")
    option = packed(0x0010, peer.dut_nonce, old, peer.address)
    peer.segment(ACK | FIN, options=option)
    peer.nxt += 1
    assert peer.is_acknowledged()
    assert peer.receive(1) == b""


@pytest.mark.parametrize("spoilt", [{"nonce": 1}, {"nonce": 0}])
def test_a_wrong_nonce_is_dropped_in_silence(mover: Lab, spoilt: dict) -> None:
    peer = RehashPeer.at(mover).connect()
    old = peer.address
    peer.move(mover.address("ipv4"), b"stolen", **spoilt)
    both = number(old), number(peer.address)
    assert mover.wire.take(lambda seen: seen.destination in both, 0.05) is None
    peer.address, peer.nxt = old, peer.nxt - 6
    assert peer.echo(b"still here")


@pytest.mark.parametrize("reason", ["no such connection", "never initialised", "length", "control", "half open"])
def test_what_moves_nothing_is_reset(mover: Lab, reason: str) -> None:
    peer = RehashPeer.at(mover, port=2000)
    if reason == "half open":
        peer.segment(SYN, options=bytes.fromhex("020405b4") + peer.init())
        answer = peer.hears(SYN | ACK)
        assert answer is not None
        peer.rcv_nxt, peer.nxt = answer.sequence + 1, peer.nxt + 1
    else:
        peer.connect(rehash=reason != "never initialised")
    old, peer.address = peer.address, mover.address("ipv4")
    control = 0x0011 if reason == "control" else 0x0010
    named = mover.address("ipv4") if reason == "no such connection" else old
    option = packed(control, peer.dut_nonce, named, peer.address)
    if reason == "length":
        option = bytes((KIND, 15)) + option[2:15] + b"\1"
    peer.segment(ACK | PSH, b"data", options=option)
    assert peer.hears(RST) is not None
    peer.address = old
    if reason == "half open":
        peer.segment(ACK)
    assert peer.echo(b"still here")


def test_one_connection_moves_and_the_others_stay(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    other = RehashPeer.at(mover, peer.address, 1028).connect()
    assert other.dut_nonce != peer.dut_nonce
    peer.move(mover.address("ipv4"))
    assert peer.is_acknowledged()
    assert other.echo(b"stays")
    assert peer.echo(b"moved")


def test_the_old_tuple_is_free_for_a_newcomer(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    old = peer.address
    peer.move(mover.address("ipv4"))
    assert peer.is_acknowledged()
    stale = at_old(peer, old)
    stale.segment(ACK | PSH, b"stale")
    assert stale.hears(RST) is not None
    newcomer = RehashPeer.at(mover, old)
    newcomer.nxt = 77
    newcomer.connect()
    for _ in range(2):
        assert newcomer.echo(b"new")
        assert peer.echo(b"moved")
    assert mover.call("status")["addr_served"] > 0


def test_a_tuple_in_use_is_not_taken(mover: Lab) -> None:
    peer, other = RehashPeer.at(mover).connect(), RehashPeer.at(mover).connect()
    old = peer.address
    peer.move(other.address)
    assert peer.hears(timeout=0.05) is None
    peer.address = old
    assert peer.echo(b"one")
    assert other.echo(b"two")


def test_repeats_are_harmless(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    old = peer.address
    peer.move(mover.address("ipv4"), b"once")
    option = packed(0x0010, peer.dut_nonce, old, peer.address)
    for _ in range(3):
        assert peer.is_acknowledged()
        peer.segment(ACK | PSH, b"once", sequence=peer.nxt - 4, options=option)
    assert peer.is_acknowledged()
    assert peer.receive(4) == b"once"
    assert peer.echo(b"more")


def test_init_after_the_handshake_is_answered_and_counts(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect(rehash=False)
    peer.segment(ACK, options=peer.init())
    answer = peer.hears_option(INIT)
    assert answer is not None
    option = option_of(answer)
    assert option is not None
    peer.dut_nonce = option.nonce
    peer.move(mover.address("ipv4"))
    assert peer.is_acknowledged()
    assert peer.echo(b"moved")


def test_segments_as_large_as_the_path_allows_pass_with_the_option(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    block = os.urandom(1444)
    peer.move(mover.address("ipv4"), block)
    assert peer.receive(1444) == block


def test_new_address_of_the_option_counts_when_it_is_not_the_source(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    old, new, peer.address = peer.address, mover.address("ipv4"), mover.address("ipv4")
    peer.segment(ACK | PSH, b"hello", options=packed(0x0010, peer.dut_nonce, old, new))
    peer.address, peer.nxt = new, peer.nxt + 5
    assert peer.is_acknowledged()
    assert peer.receive(5) == b"hello"


def test_the_first_flight_to_a_moved_peer_is_small(mover: Lab) -> None:
    listener = mover.call("listen", port=0, service="manual")
    peer = RehashPeer.at(mover, service=listener["port"]).connect()
    connection = mover.accepted(listener["listener"])["connection"]
    content = os.urandom(400_000)
    sending = mover.start("send", connection=connection, data=content.hex())
    received = peer.receive(200_000)  # the kernel's congestion window has grown
    peer.wire.take(lambda _: False, 0.05)
    peer.wire.seen.clear()
    old, peer.address = peer.address, mover.address("ipv4")
    peer.segment(ACK, options=packed(0x0010, peer.dut_nonce, old, peer.address))
    assert peer.is_acknowledged()
    peer.wire.take(lambda _: False, 0.1)
    flight = [seen for seen in peer.wire.seen if peer.is_mine(seen) and seen.data]
    assert sum(len(seen.data) for seen in flight) <= 14600
    assert all(seen.destination == number(peer.address) for seen in flight)
    received += peer.receive(len(content) - len(received), 3.0)
    assert received == content
    assert mover.result(sending) == {"length": len(content)}
