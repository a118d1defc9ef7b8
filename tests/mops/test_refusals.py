# SPDX-License-Identifier: GPL-2.0-or-later
"""What is answered failed, what is not answered at all, and that neither changes anything."""

import time

import pytest

from tests.lab.host import Lab
from tests.lab.wire import ACK, SYN, Peer
from tests.mops.conftest import RATE_LIMIT_S
from tests.mops.messages import command, migrate

SILENCE_S = 0.06


@pytest.mark.parametrize("offset", [-1, -1000, 2**31, 10_000_000])
def test_a_sequence_number_outside_the_window_fails(lab: Lab, network: str, offset: int) -> None:
    peer, new = lab.peer(network).connect(), lab.address(network)
    assert peer.echo(b"before")
    wrong = (peer.nxt + offset) % 2**32
    answer = command(lab.wire, network, new, migrate(peer.address, new, [(1027, 2098, wrong)]))
    assert answer is not None
    assert (answer.code, answer.entries) == (3, [(1027, 2098, wrong)])
    assert peer.echo(b"still here")


def test_the_end_of_the_window_is_inside_and_the_next_number_outside(lab: Lab, network: str) -> None:
    peer, new = lab.peer(network).connect(), lab.address(network)
    peer.send(b"x")
    last = peer.wire.take(lambda seen: peer.is_mine(seen) and bool(seen.data))
    assert last is not None
    edge = last.acknowledgement + (last.window << 10)
    with_room = edge + (1 << 20)
    other = lab.address(network)
    for address, identifier, code in ((other, with_room, 3), (new, edge - 1024, 2)):
        answer = command(lab.wire, network, address, migrate(peer.address, address, [(1027, 2098, identifier)]))
        assert answer is not None
        assert answer.code == code
        time.sleep(RATE_LIMIT_S)


@pytest.mark.parametrize("wrong", ["address", "port", "protocol", "udp"])
def test_what_names_no_socket_fails(lab: Lab, network: str, wrong: str) -> None:
    peer, new = lab.peer(network).connect(), lab.address(network)
    previous = lab.address(network) if wrong == "address" else peer.address
    port = 1028 if wrong == "port" else 1027
    protocol = {"protocol": 132, "udp": 17}.get(wrong, 6)
    answer = command(lab.wire, network, new, migrate(previous, new, [(port, 2098, peer.nxt)], protocol=protocol))
    assert answer is not None
    assert answer.code == 3
    assert peer.echo(b"still here")


def test_a_half_open_connection_fails(lab: Lab, network: str) -> None:
    peer, new = lab.peer(network), lab.address(network)
    peer.segment(SYN)
    assert peer.hears(SYN | ACK) is not None
    answer = command(lab.wire, network, new, migrate(peer.address, new, [(1027, 2098, peer.nxt + 1)]))
    assert answer is not None
    assert answer.code == 3


def test_a_tuple_in_use_fails_and_both_connections_go_on(lab: Lab, network: str) -> None:
    peer, other = lab.peer(network).connect(), lab.peer(network).connect()
    answer = command(lab.wire, network, other.address, migrate(peer.address, other.address, [(1027, 1027, peer.nxt)]))
    assert answer is not None
    assert answer.code == 3
    assert peer.echo(b"one")
    assert other.echo(b"two")


def several(lab: Lab, network: str, wrong: set[int]) -> tuple[str, list[Peer], list[tuple[int, int, int]]]:
    """Four connections of one address and the entries to move them, some with a wrong sequence number."""
    address = lab.address(network)
    peers = [lab.peer(network, address, 1000 + index).connect() for index in range(4)]
    entries = [(peer.port, peer.port + 1000, peer.nxt - (index in wrong)) for index, peer in enumerate(peers)]
    return address, peers, entries


def test_best_effort_lists_what_failed_in_order_and_keeps_the_rest(lab: Lab, network: str) -> None:
    address, peers, entries = several(lab, network, {1, 3})
    new = lab.address(network)
    answer = command(lab.wire, network, new, migrate(address, new, entries))
    assert answer is not None
    assert (answer.code, answer.count, answer.entries) == (3, 2, [entries[1], entries[3]])
    for index in (0, 2):
        peers[index].address, peers[index].port = new, entries[index][1]
    assert all(peer.echo(b"alive") for peer in peers)


def test_an_atomic_command_is_rolled_back(lab: Lab, network: str) -> None:
    address, peers, entries = several(lab, network, {2})
    new = lab.address(network)
    answer = command(lab.wire, network, new, migrate(address, new, entries, code=1))
    assert answer is not None
    assert (answer.code, answer.count, answer.entries) == (3, 1, [entries[2]])
    assert all(peer.echo(b"alive") for peer in peers)


def test_an_atomic_command_that_fits_succeeds(lab: Lab, network: str) -> None:
    address, peers, entries = several(lab, network, set())
    new = lab.address(network)
    answer = command(lab.wire, network, new, migrate(address, new, entries, code=1))
    assert answer is not None
    assert (answer.code, answer.entries) == (2, entries)
    for peer, entry in zip(peers, entries, strict=True):
        peer.address, peer.port = new, entry[1]
    assert all(peer.echo(b"alive") for peer in peers)


def test_the_second_of_two_entries_for_one_port_fails(lab: Lab, network: str) -> None:
    peer, new = lab.peer(network).connect(), lab.address(network)
    entries = [(1027, 2001, peer.nxt), (1027, 2002, peer.nxt)]
    answer = command(lab.wire, network, new, migrate(peer.address, new, entries))
    assert answer is not None
    assert (answer.code, answer.entries) == (3, entries[1:])
    peer.address, peer.port = new, 2001
    assert peer.echo(b"alive")


def malformed(previous: str, new: str, entry: tuple[int, int, int]) -> dict[str, bytes]:
    """Messages that no server answers."""
    good = migrate(previous, new, [entry])
    return {
        "checksum": migrate(previous, new, [entry], spoil=1),
        "version 0": migrate(previous, new, [entry], version=0),
        "version 2": migrate(previous, new, [entry], version=2),
        "reply success": migrate(previous, new, [entry], code=2),
        "reply failed": migrate(previous, new, [entry], code=3),
        "code 4": migrate(previous, new, [entry], code=4),
        "code 255": migrate(previous, new, [entry], code=255),
        "count 0": migrate(previous, new, [entry], count=0),
        "count 0, no entry": migrate(previous, new, []),
        "count 2": migrate(previous, new, [entry], count=2),
        "count 1 of 2": migrate(previous, new, [entry, (1, 2, 3)], count=1),
        "trailing": _fixed(good + b"\0"),
        "another type": _fixed(b"\0\x65" + good[2:]),
        **{f"cut at {length}": _fixed(good[:length]) for length in range(len(good))},
    }


def _fixed(message: bytes) -> bytes:
    """The same with a right checksum."""
    from tests.lab.wire import internet_checksum

    if len(message) < 4:
        return message
    message = message[:2] + b"\0\0" + message[4:]
    return message[:2] + internet_checksum(message).to_bytes(2, "big") + message[4:]


def test_malformed_messages_meet_silence_and_change_nothing(lab: Lab, network: str) -> None:
    peer, new = lab.peer(network).connect(), lab.address(network)
    for name, message in malformed(peer.address, new, (1027, 2098, peer.nxt)).items():
        assert command(lab.wire, network, new, message, timeout=0.002) is None, name
    assert command(lab.wire, network, new, b"", timeout=SILENCE_S) is None
    assert peer.echo(b"still here")
    answer = command(lab.wire, network, new, migrate(peer.address, new, [(1027, 2098, peer.nxt)], reserved=0xFFFF))
    assert answer is not None, "malformed messages are no attempts"
    assert (answer.code, answer.reserved) == (2, 0)


def test_the_rate_limit_is_silent_and_ends(lab: Lab, network: str) -> None:
    peer, new = lab.peer(network).connect(), lab.address(network)
    neighbour = lab.peer(network, peer.address, 1028).connect()
    wrong = migrate(peer.address, new, [(1027, 2098, peer.nxt - 1)])
    right = migrate(peer.address, new, [(1027, 2098, peer.nxt)])
    started = time.monotonic()
    answer = command(lab.wire, network, new, wrong)
    assert answer is not None
    assert answer.code == 3
    assert command(lab.wire, network, new, right, timeout=SILENCE_S) is None
    assert peer.echo(b"still here")
    right = migrate(peer.address, new, [(1027, 2098, peer.nxt)])
    other = command(lab.wire, network, new, migrate(peer.address, new, [(1028, 2099, neighbour.nxt)]))
    assert other is not None
    assert other.code == 2
    time.sleep(max(0.0, started + RATE_LIMIT_S * 0.9 - time.monotonic()))
    assert command(lab.wire, network, new, right, timeout=0.01) is None
    time.sleep(max(0.0, started + RATE_LIMIT_S * 1.05 - time.monotonic()))
    answer = command(lab.wire, network, new, right)
    assert answer is not None
    assert answer.code == 2
    peer.address, peer.port = new, 2098
    assert peer.echo(b"moved")


def test_a_lost_reply_does_not_kill_the_session(lab: Lab, network: str) -> None:
    peer, new = lab.peer(network).connect(), lab.address(network)
    request = migrate(peer.address, new, [(1027, 2098, peer.nxt)])
    first = command(lab.wire, network, new, request)
    assert first is not None
    assert command(lab.wire, network, new, request, timeout=SILENCE_S) is None
    time.sleep(RATE_LIMIT_S)
    again = command(lab.wire, network, new, request)
    assert again is not None
    assert again.raw == first.raw
    peer.address, peer.port = new, 2098
    assert peer.echo(b"alive")


def test_entries_inside_the_interval_are_taken_as_absent(lab: Lab, network: str) -> None:
    address, peers, entries = several(lab, network, set())
    new = lab.address(network)
    first = command(lab.wire, network, new, migrate(address, new, [(1000, 2000, peers[0].nxt - 1)]))
    assert first is not None
    assert command(lab.wire, network, new, migrate(address, new, entries, code=1), timeout=SILENCE_S) is None
    answer = command(lab.wire, network, new, migrate(address, new, entries))
    assert answer is not None
    assert (answer.code, answer.entries) == (2, entries[1:])
    assert peers[0].echo(b"still here")


def test_the_reply_goes_to_the_source_of_the_packet(lab: Lab, network: str) -> None:
    from tests.lab.wire import number

    peer, new, sender = lab.peer(network).connect(), lab.address(network), lab.address(network)
    answer = command(lab.wire, network, sender, migrate(peer.address, new, [(1027, 2098, peer.nxt)]))
    assert answer is not None
    assert (answer.code, answer.destination) == (2, number(sender))


def test_one_port_towards_two_services_is_told_apart_by_the_sequence_number(lab: Lab, network: str) -> None:
    port = lab.call("listen", port=0, service="echo")["port"]
    one = lab.peer(network)
    two = lab.peer(network, one.address, one.port, port)
    two.nxt = 3_000_000_000
    one.connect()
    two.connect()
    new = lab.address(network)
    answer = command(lab.wire, network, new, migrate(one.address, new, [(1027, 2098, two.nxt)]))
    assert answer is not None
    assert answer.code == 2
    two.address, two.port = new, 2098
    assert one.echo(b"stays")
    assert two.echo(b"moves")


def test_an_exact_server_takes_rcv_nxt_only(network: str) -> None:
    with Lab(mops={"rate_limit_s": 0.05, "migrate_seq": "exact"}) as lab:
        peer, new = lab.peer(network).connect(), lab.address(network)
        for round_ in range(20):
            peer.send(b"unanswered")
            request = migrate(peer.address, new, [(peer.port, 2000 + round_, peer.nxt + 1)])
            answer = command(lab.wire, network, new, request)
            assert answer is not None
            assert answer.code == 3
            time.sleep(0.055)
            peer.send(b"unanswered too")
            answer = command(lab.wire, network, new, migrate(peer.address, new, [(peer.port, 2000 + round_, peer.nxt)]))
            assert answer is not None
            assert answer.code == 2, round_
            peer.address, peer.port = new, 2000 + round_
