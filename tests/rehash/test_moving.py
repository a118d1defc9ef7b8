# SPDX-License-Identifier: GPL-2.0-or-later
"""A Rehash host on a real kernel that moves."""

import os
import socket
import struct
import time

import pytest

from tests.lab.host import Lab
from tests.lab.wire import ACK, DUT, PSH, SYN, internet_checksum, number
from tests.rehash.peer import ADDR, INIT, RehashPeer, control_of, dut_moves, option_of

AWAY, FURTHER = "198.18.0.2", "198.18.0.3"


def announced(peer: RehashPeer, old: str, new: str) -> bool:
    """Whether the next segment with REHASH-ADDR says this; it is acknowledged."""
    seen = peer.hears_option(ADDR)
    assert seen is not None, "not announced"
    assert seen.source == number(new)
    peer.segment(ACK, options=peer.init())
    return option_of(seen) == (ADDR, peer.nonce, number(old), number(new))


def test_moves_are_announced_and_over_when_acknowledged(mover: Lab) -> None:
    accepting, connecting = RehashPeer.at(mover, port=4100), RehashPeer.at(mover).connect()
    connection = accepting.accept(mover)
    at = DUT["ipv4"]
    for address in (AWAY, FURTHER, DUT["ipv4"]):
        dut_moves(mover, address)
        for peer in (accepting, connecting):
            assert announced(peer, at, address)
        mover.call("send", connection=connection, data="616263")
        assert accepting.receive(3) == b"abc"
        assert connecting.echo(b"echo")
        assert not [seen for seen in mover.wire.seen if seen.protocol == 6 and control_of(seen)]
        at = address


def test_both_ends_move_by_turns(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    dut_moves(mover, AWAY)
    assert announced(peer, DUT["ipv4"], AWAY)
    peer.move(mover.address("ipv4"))
    assert peer.is_acknowledged()
    dut_moves(mover, FURTHER)
    assert announced(peer, AWAY, FURTHER)
    assert peer.echo(b"found")


def test_every_segment_carries_addr_until_init_comes_also_when_repeated(mover: Lab) -> None:
    peer = RehashPeer.at(mover, port=4101)
    connection = peer.accept(mover)
    peer.hears(ACK)
    dut_moves(mover, AWAY)
    mover.call("send", connection=connection, data="616263")
    seen = [peer.hears() for _ in range(3)]
    assert [control_of(one) for one in seen if one is not None] == [ADDR] * 3
    assert [one.data for one in seen if one is not None] == [b"", b"abc", b"abc"]
    peer.segment(ACK, options=peer.init())
    assert peer.receive(3, 2.0) == b"abc"


def test_no_answer_closes_the_connection(mover: Lab) -> None:
    peer, other = RehashPeer.at(mover, port=4102), RehashPeer.at(mover).connect()
    connection = peer.accept(mover)
    waiting = mover.start("receive", connection=connection, length=1, timeout_s=5)
    dut_moves(mover, AWAY)
    assert announced(other, DUT["ipv4"], AWAY)
    with pytest.raises(LookupError, match="reset"):
        mover.result(waiting)
    peer.wire.take(lambda _: False, 0.6)
    assert [control_of(one) for one in peer.wire.seen if peer.is_mine(one)].count(ADDR) == 5
    (facts,) = [one for one in mover.call("sockets")["connections"] if one["connection"] == connection]
    assert facts["state"] == "CLOSED"
    assert other.echo(b"lives")


def test_segments_in_flight_are_dropped_in_silence(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    dut_moves(mover, AWAY)
    assert peer.hears_option(ADDR) is not None
    mover.wire.dut["ipv4"] = DUT["ipv4"]
    peer.segment(ACK | PSH, b"lost")
    mover.wire.dut["ipv4"] = AWAY
    assert peer.hears(timeout=0.1) is None
    peer.segment(ACK, options=peer.init())
    assert peer.echo(b"lost")


def test_the_peer_may_know_either_address_of_two_moves(mover: Lab) -> None:
    peer = RehashPeer.at(mover).connect()
    dut_moves(mover, AWAY)
    dut_moves(mover, FURTHER)
    olds = []
    for _ in range(3):
        seen = peer.hears_option(ADDR)
        assert seen is not None
        option = option_of(seen)
        assert option is not None
        if option.new == number(FURTHER):
            olds.append(option.old)
    assert set(olds) == {number(DUT["ipv4"]), number(AWAY)}
    peer.segment(ACK, options=peer.init())
    assert peer.echo(b"found")


def test_listeners_and_new_connections_follow(mover: Lab) -> None:
    bound = mover.call("listen", port=0, address=DUT["ipv4"])
    free = mover.call("listen", port=0)
    dut_moves(mover, AWAY)
    for listener in (bound, free):
        assert RehashPeer.at(mover, service=listener["port"]).connect().echo(b"hello")
    with pytest.raises(LookupError, match="not an address of this host"):
        mover.call("listen", port=0, address=DUT["ipv4"])
    late = mover.call("listen", port=0, address=AWAY)
    assert RehashPeer.at(mover, service=late["port"]).connect().echo(b"hello")
    peer = RehashPeer.at(mover, port=4103)
    peer.accept(mover)
    for listener in (bound, free, late):
        mover.call("close", listener=listener["listener"])


def test_connections_without_rehash_stay_behind_and_live_when_the_host_is_back(mover: Lab) -> None:
    peer = RehashPeer.at(mover, port=4104)
    connection = peer.accept(mover, rehash=False)
    while peer.hears_option(INIT, 0.05) is not None:
        pass
    dut_moves(mover, AWAY)
    mover.call("send", connection=connection, data="616263")
    assert peer.hears(timeout=0.1) is None
    dut_moves(mover, DUT["ipv4"])
    assert peer.receive(3, 3.0) == b"abc"


def test_reissue_of_init_stops(mover: Lab) -> None:
    peer = RehashPeer.at(mover, port=4105)
    connection = peer.accept(mover, rehash=False)
    controls = []
    for _ in range(6):
        mover.call("send", connection=connection, data="61")
        seen = mover.wire.take(lambda seen: peer.is_mine(seen) and bool(seen.data))
        assert seen is not None
        controls.append(control_of(seen))
        peer.rcv_nxt += 1
        peer.segment(ACK)
    # the third one was on the acknowledgement that ended the handshake
    assert controls == [INIT, INIT, 0, 0, 0, 0]


def test_nobody_answers_at_the_old_address_and_somebody_at_the_new(mover: Lab) -> None:
    address = mover.address("ipv4")

    def asks(target: str) -> bool:
        head = bytes.fromhex("0001080006040001") + bytes.fromhex("02000000000a") + socket.inet_aton(address)
        mover.wire.raw.send(b"\xff" * 6 + bytes.fromhex("02000000000a") + b"\x08\x06" + head + bytes(6)
                            + socket.inet_aton(target))  # fmt: skip
        deadline = time.monotonic() + 0.1
        while time.monotonic() < deadline:
            try:
                frame = mover.wire.raw.recv(2000)
            except BlockingIOError:
                time.sleep(0.005)
                continue
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2" and frame[28:32] == socket.inet_aton(target):
                return True
        return False

    def pings() -> bool:
        echo = struct.pack("!BBHHH", 8, 0, 0, 77, 1) + b"abcdefgh"
        mover.wire.send("ipv4", address, 1, echo[:2] + internet_checksum(echo).to_bytes(2, "big") + echo[4:])
        return mover.wire.take(lambda seen: seen.protocol == 1, 0.1) is not None

    dut_moves(mover, AWAY)
    assert (asks(AWAY), asks(DUT["ipv4"])) == (True, False)
    assert pings()
    mover.wire.dut["ipv4"] = DUT["ipv4"]
    assert not pings()
    mover.wire.dut["ipv4"] = AWAY


@pytest.mark.parametrize("address", ["198.18.0.0", "10.0.0.1", "nowhere", "198.19.255.255"])
def test_a_move_to_nowhere_is_refused(mover: Lab, address: str) -> None:
    with pytest.raises(LookupError):
        mover.call("move", address=address)
    assert RehashPeer.at(mover).connect().echo(b"still here")


def test_sack_blocks_make_room(mover: Lab) -> None:
    peer = RehashPeer.at(mover, port=4106)
    peer.accept(mover)
    dut_moves(mover, AWAY)
    assert peer.hears_option(ADDR) is not None
    for hole in (10, 30, 50):
        peer.segment(ACK | PSH, b"x", sequence=peer.nxt + hole)
    seen = [peer.hears_option(ADDR) for _ in range(2)]
    assert all(one is not None and b"\x05" in one.options[:4] for one in seen)
    peer.segment(ACK, options=peer.init())


def test_the_first_flight_after_a_move_is_small(mover: Lab) -> None:
    peer = RehashPeer.at(mover, port=4107)
    connection = peer.accept(mover)
    content = os.urandom(400_000)
    sending = mover.start("send", connection=connection, data=content.hex())
    received = peer.receive(200_000)
    peer.wire.take(lambda _: False, 0.05)
    dut_moves(mover, AWAY)
    assert peer.hears_option(ADDR) is not None
    peer.segment(ACK, options=peer.init())
    peer.wire.seen.clear()
    peer.wire.take(lambda _: False, 0.15)
    flight = [seen for seen in peer.wire.seen if peer.is_mine(seen) and seen.data and seen.source == number(AWAY)]
    assert sum(len(seen.data) for seen in flight) <= 14600
    received += peer.receive(len(content) - len(received), 3.0)
    assert received == content
    assert mover.result(sending) == {"length": len(content)}


def test_a_connection_that_is_opening_opens_from_the_new_address(mover: Lab) -> None:
    peer = RehashPeer.at(mover, port=4108)
    opening = mover.start("connect", address=peer.address, port=4108, timeout_s=3)
    assert mover.wire.take(lambda seen: seen.destination == number(peer.address) and bool(seen.flags & SYN)) is not None
    dut_moves(mover, AWAY)
    syn = mover.wire.take(lambda seen: seen.source == number(AWAY) and bool(seen.flags & SYN), 2.0)
    assert syn is not None
    option = option_of(syn)
    assert option is not None
    assert option.new == number(AWAY)
    peer.service, peer.rcv_nxt = syn.ports[0], (syn.sequence + 1) % 2**32
    peer.segment(SYN | ACK, options=bytes.fromhex("020405b4") + peer.init())
    assert mover.result(opening)["connection"] > 0
