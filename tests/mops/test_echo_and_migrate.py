# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections move: alone, many at once, with data lost or in flight, again and back."""

import os
import time

from tests.lab.host import Lab
from tests.lab.wire import ACK, RST, SYN, Peer
from tests.mops.conftest import RATE_LIMIT_S
from tests.mops.messages import Answer, command, migrate


def moved(lab: Lab, peer: Peer, address: str, port: int, **fields: int) -> Answer | None:
    """Move a peer and tell the host."""
    message = migrate(peer.address, address, [(peer.port, port, peer.nxt)], **fields)
    peer.address, peer.port = address, port
    return command(lab.wire, peer.network, address, message)


def test_a_connection_survives_a_migration(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    assert peer.echo(b"before")
    previous, identifier = peer.address, peer.nxt
    answer = moved(lab, peer, lab.address(network), 2098)
    assert answer is not None
    request = migrate(previous, peer.address, [(1027, 2098, identifier)], code=2)
    assert answer.raw == request
    assert peer.echo(b"after")


def test_an_idle_connection_without_any_data_migrates(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    answer = moved(lab, peer, lab.address(network), 2098)
    assert answer is not None
    assert answer.code == 2
    assert peer.echo(b"first")


def test_data_from_the_old_tuple_is_reset_and_not_delivered(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    old = Peer(lab.wire, network, peer.address, peer.port)
    old.nxt, old.rcv_nxt = peer.nxt, peer.rcv_nxt
    assert moved(lab, peer, lab.address(network), 2098) is not None
    old.segment(ACK, b"stale")
    assert old.hears(RST) is not None
    assert peer.echo(b"fresh")


def test_data_lost_in_flight_is_sent_again_from_the_new_tuple(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    assert peer.echo(b"before")
    lost = b"lost on the way"
    peer.nxt += len(lost)
    answer = moved(lab, peer, lab.address(network), 2098)
    assert answer is not None
    assert answer.code == 2
    peer.nxt -= len(lost)
    assert peer.echo(lost + b" and more")


def test_unacknowledged_data_of_the_host_follows_to_the_new_tuple(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    assert peer.echo(b"before")  # an estimate of the round trip for the host
    peer.send(b"question")
    assert peer.hears(ACK) is not None
    answer = moved(lab, peer, lab.address(network), 2098)
    assert answer is not None
    assert answer.code == 2
    assert peer.receive(8, 2.0) == b"question"


def test_many_ports_move_with_one_command(lab: Lab, network: str) -> None:
    address, new = lab.address(network), lab.address(network)
    peers = [lab.peer(network, address, 1000 + index).connect() for index in range(180)]
    entries = [(peer.port, 3000 + index, peer.nxt) for index, peer in enumerate(peers)]
    answer = command(lab.wire, network, new, migrate(address, new, entries))
    assert answer is not None
    assert (answer.code, answer.count, answer.entries) == (2, 180, entries)
    for index, peer in enumerate(peers):
        peer.address, peer.port = new, 3000 + index
    assert all(peer.echo(b"%d" % index) for index, peer in enumerate(peers))


def test_a_connection_moves_on_and_back_to_its_first_tuple(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    first, second, third = peer.address, lab.address(network), lab.address(network)
    for address, port in ((second, 2001), (third, 2002), (first, 1027)):
        answer = moved(lab, peer, address, port)
        assert answer is not None
        assert answer.code == 2
        assert peer.echo(address.encode())


def test_bulk_data_is_intact_after_a_move(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    blocks = [os.urandom(1000) for _ in range(40)]
    assert all(peer.echo(block) for block in blocks[:20])
    assert moved(lab, peer, lab.address(network), 2098) is not None
    assert all(peer.echo(block) for block in blocks[20:])


def test_a_spoilt_segment_stays_spoilt_after_a_move(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    assert moved(lab, peer, lab.address(network), 2098) is not None
    peer.segment(ACK, b"spoilt", spoil=0x0100)
    assert peer.hears(timeout=0.1) is None
    assert peer.echo(b"whole")


def test_a_newcomer_at_the_old_tuple_is_served_apart(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    newcomer = Peer(lab.wire, network, peer.address, peer.port)
    newcomer.nxt = 77
    assert moved(lab, peer, lab.address(network), 2098) is not None
    newcomer.connect()
    for index in range(3):
        assert peer.echo(b"moved %d" % index)
        assert newcomer.echo(b"new %d" % index)
    home = newcomer.address
    back = command(lab.wire, network, home, migrate(peer.address, home, [(2098, 1027, peer.nxt)]))
    assert back is not None
    assert back.code == 3, "the newcomer holds the tuple"
    time.sleep(RATE_LIMIT_S)  # both previous tuples have been tried
    assert moved(lab, newcomer, lab.address(network), 2099) is not None
    assert newcomer.echo(b"away")
    assert moved(lab, peer, home, 1027) is not None
    assert peer.echo(b"home")


def test_a_newcomer_at_the_tuple_of_a_closed_migrated_connection_is_served(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    assert moved(lab, peer, lab.address(network), 2098) is not None
    peer.segment(ACK | 1)
    peer.nxt += 1
    assert peer.receive(1) == b""
    newcomer = Peer(lab.wire, network, peer.address, peer.port)
    newcomer.nxt = 99
    assert newcomer.connect().echo(b"hello")


def test_a_reset_frees_the_tuple(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    other = lab.peer(network).connect()
    peer.segment(RST | ACK)
    answer = moved(lab, other, peer.address, peer.port)
    assert answer is not None
    assert answer.code == 2
    assert other.echo(b"here")


def test_a_forged_reset_frees_nothing(lab: Lab, network: str) -> None:
    peer = lab.peer(network).connect()
    other = lab.peer(network).connect()
    assert moved(lab, peer, lab.address(network), 2098) is not None
    peer.segment(RST | ACK, sequence=peer.nxt + 5)
    peer.segment(RST | ACK, spoil=1)
    taken = command(lab.wire, network, peer.address, migrate(other.address, peer.address, [(1027, 2098, other.nxt)]))
    assert taken is not None
    assert taken.code == 3
    assert peer.echo(b"alive")
    assert other.echo(b"alive too")


def test_no_service_is_refused(lab: Lab, network: str) -> None:
    peer = lab.peer(network, service=9)
    peer.segment(SYN)
    assert peer.hears(RST) is not None
