# SPDX-License-Identifier: GPL-2.0-or-later
"""Mobile UDP, Unique IDs and MOBILE_ALLOWED, on the node's side and on the server's."""

import hashlib
import struct
import time

import pytest

from tests.lab.host import Lab
from tests.lab.wire import number
from tests.mops.conftest import RATE_LIMIT_S
from tests.mops.conftest import RETRY_INTERVAL_S as INTERVAL_S
from tests.mops.messages import command, elsewhere, migrate, server_address
from tests.mops.servers import UDP, Server, Surroundings, datagram

PORT = 5000


def opened(surroundings: Surroundings, address: str, **choice: object) -> tuple[int, int]:
    """A UDP connection of the node that has spoken: its number and the node's port."""
    connection = surroundings.lab.call("connect", address=address, port=PORT, protocol="udp", timeout_s=1, **choice)
    surroundings.lab.call("send", connection=connection["connection"], data=b"hello".hex())
    heard = surroundings.take(lambda heard: heard.protocol == UDP and heard.destination == number(address))
    assert heard is not None
    assert heard.data == b"hello"
    return connection["connection"], heard.ports[0]


def received(lab: Lab, connection: int, timeout: float = 1.0) -> bytes:
    return bytes.fromhex(lab.call("receive", connection=connection, length=1000, timeout_s=timeout)["data"])


def test_udp_with_a_unique_id_goes_on_after_a_move(surroundings: Surroundings, network: str) -> None:
    address = server_address(network)
    connection, port = opened(surroundings, address, mobile_allowed=True, unique_id=0xCAFE)
    surroundings.move(elsewhere(network))
    request = surroundings.request()
    assert request is not None
    assert (request.protocol, [(entry[0], entry[2]) for entry in request.entries]) == (UDP, [(port, 0xCAFE)])
    surroundings.lab.call("send", connection=connection, data=b"held".hex())
    assert surroundings.quiet(0.05) == []
    surroundings.reply(request)
    heard = surroundings.take(lambda heard: heard.protocol == UDP)
    assert heard is not None
    assert (heard.data, heard.source, heard.ports) == (
        b"held",
        number(surroundings.node),
        (request.entries[0][1], PORT),
    )
    datagram(surroundings, address, PORT, request.entries[0][1], b"answer")
    assert received(surroundings.lab, connection) == b"answer"


@pytest.mark.parametrize(
    "choice", [{}, {"unique_id": 7}, {"mobile_allowed": True}, {"mobile_allowed": False, "unique_id": 7}]
)
def test_other_udp_does_not_migrate(surroundings: Surroundings, network: str, choice: dict) -> None:
    connection, _port = opened(surroundings, server_address(network), **choice)
    surroundings.move(elsewhere(network))
    assert surroundings.request(INTERVAL_S * 1.5) is None
    surroundings.lab.call("send", connection=connection, data="00")
    assert surroundings.quiet(0.03) == []


def test_udp_that_nobody_answers_for_is_dead(surroundings: Surroundings, network: str) -> None:
    connection, _ = opened(surroundings, server_address(network), mobile_allowed=True, unique_id=1)
    surroundings.move(elsewhere(network))
    with pytest.raises(LookupError) as caught:
        surroundings.lab.call("receive", connection=connection, length=1, timeout_s=INTERVAL_S * 6)
    # Over IPv6 there are two errors, and the application may be told of the first before the second is there.
    assert caught.value.args[1].startswith(("EHOSTUNREACH", "ECONNREFUSED"))
    with pytest.raises(LookupError, match=r"EHOSTUNREACH|ECONNREFUSED"):
        surroundings.lab.call("send", connection=connection, data="00")


def test_one_message_a_protocol(surroundings: Surroundings, network: str) -> None:
    address = server_address(network)
    servers = [Server(surroundings, address) for _ in range(3)]
    opened(surroundings, address, mobile_allowed=True, unique_id=1)
    opened(surroundings, address, mobile_allowed=True, unique_id=2)
    elsewhere_too = Server(surroundings, server_address(network, 2))
    surroundings.move(elsewhere(network))
    requests = [surroundings.request() for _ in range(3)]
    assert all(requests)
    found = {(one.protocol, one.heard.destination): len(one.entries) for one in requests if one is not None}
    assert found == {(6, number(address)): 3, (17, number(address)): 2, (6, number(elsewhere_too.address)): 1}
    assert surroundings.request(INTERVAL_S / 2) is None
    for request in requests:
        surroundings.reply(request)
    assert all(server.works() for server in [*servers, elsewhere_too])


def test_the_next_one_time_id_follows_a_success(surroundings: Surroundings, network: str) -> None:
    server = Server(surroundings, server_address(network), unique_id=5, one_time=True)
    expected = 5
    for index in range(3):
        surroundings.move(elsewhere(network, index))
        request = surroundings.request()
        assert request is not None
        assert request.entries[0][2] == expected
        surroundings.reply(request)
        server.moved(request)
        assert server.works()
        expected = int.from_bytes(hashlib.sha256(struct.pack("!I", expected)).digest()[:4], "big")


def test_a_tcp_socket_that_must_not_move_stays_behind(surroundings: Surroundings, network: str) -> None:
    home = surroundings.node
    server = Server(surroundings, server_address(network), mobile_allowed=False)
    surroundings.move(elsewhere(network))
    assert surroundings.request(INTERVAL_S * 1.5) is None
    server.says(b"lost")
    assert surroundings.quiet(0.3) == []
    surroundings.move(home)
    assert server.receive(4) == b"lost"


# The server's side


def udp(lab: Lab, network: str, service: int, source: str, port: int, data: bytes) -> bytes | None:
    """What the server answers a datagram."""
    surroundings = Surroundings(lab, network)
    datagram(surroundings, source, port, service, data)
    heard = surroundings.take(lambda heard: heard.protocol == UDP and heard.destination == number(source), 0.3)
    if heard is None:
        return None
    assert heard.ports == (service, port)
    return heard.data


def answer(lab: Lab, network: str, source: str, message: bytes) -> int | None:
    given = command(lab.wire, network, source, message)
    return None if given is None else given.code


def test_a_udp_echo_follows_by_unique_id_only(lab: Lab, network: str) -> None:
    listener = lab.call("listen", port=9001, service="echo", protocol="udp", mobile_allowed=True, unique_id=77)
    old, new, third = (lab.address(network) for _ in range(3))
    assert udp(lab, network, 9001, old, 4000, b"before") == b"before"
    for wrong in (0, 0xFFFFFFFF, 76):
        message = migrate(old, new, [(4000, 4001, wrong)], protocol=UDP)
        assert answer(lab, network, new, message) == 3
        time.sleep(RATE_LIMIT_S)
    assert answer(lab, network, new, migrate(old, new, [(4000, 4001, 77)], protocol=UDP)) == 2
    assert udp(lab, network, 9001, new, 4001, b"after") == b"after"
    assert udp(lab, network, 9001, old, 4000, b"newcomer") == b"newcomer"
    assert answer(lab, network, third, migrate(new, third, [(4001, 4002, 77)], protocol=UDP)) == 2
    lab.call("close", listener=listener["listener"])


def test_a_manual_udp_socket_keeps_its_peer_through_a_move(lab: Lab, network: str) -> None:
    listener = lab.call("listen", port=0, service="manual", protocol="udp", mobile_allowed=True, unique_id=1)
    old, new = lab.address(network), lab.address(network)
    surroundings = Surroundings(lab, network)
    for data in (b"one", b"two"):
        datagram(surroundings, old, 4000, listener["port"], data)
    deadline = time.monotonic() + 1
    while not (found := [one for one in lab.call("sockets")["connections"] if one["protocol"] == "udp"]):
        assert time.monotonic() < deadline
    assert (found[0]["listener"], found[0]["peer"]) == (listener["listener"], f"{old}:4000")
    connection = found[0]["connection"]
    lab.call("close", listener=listener["listener"])
    assert received(lab, connection) == b"one"
    assert received(lab, connection) == b"two"
    assert answer(lab, network, new, migrate(old, new, [(4000, 4001, 1)], protocol=UDP)) == 2
    datagram(surroundings, new, 4001, listener["port"], b"three")
    assert received(lab, connection) == b"three"
    lab.call("send", connection=connection, data=b"four".hex())
    heard = surroundings.take(lambda heard: heard.protocol == UDP)
    assert heard is not None
    assert (heard.data, heard.destination, heard.ports[1]) == (b"four", number(new), 4001)
    lab.call("close", connection=connection)


@pytest.mark.parametrize(
    ("choice", "identifier", "code"),
    [
        ({}, None, 2),
        ({"mobile_allowed": False}, None, 3),
        ({"unique_id": 9}, None, 3),
        ({"unique_id": 9}, 9, 2),
        ({"unique_id": 0}, 0, 2),
        ({"unique_id": 9}, 0, 3),
        ({"unique_id": 9}, 0xFFFFFFFF, 3),
        ({}, 9, 3),
    ],
)
def test_a_choice_of_the_listener_holds_for_what_it_accepts(
    lab: Lab, network: str, choice: dict, identifier: int | None, code: int
) -> None:
    listener = lab.call("listen", port=0, service="echo", **choice)
    peer, new = lab.peer(network, service=listener["port"]).connect(), lab.address(network)
    assert peer.echo(b"accepted")
    lab.call("close", listener=listener["listener"])
    entry = (peer.port, 2000, peer.nxt if identifier is None else identifier)
    assert answer(lab, network, new, migrate(peer.address, new, [entry])) == code
    if code == 2:
        peer.address, peer.port = new, 2000
    assert peer.echo(b"alive")


def test_a_one_time_id_is_good_once(lab: Lab, network: str) -> None:
    lab.call("listen", port=0, service="echo", unique_id=5, one_time=True)
    port = lab.call("sockets")["listeners"][-1]["port"]
    peer, new, third = lab.peer(network, service=port).connect(), lab.address(network), lab.address(network)
    assert answer(lab, network, new, migrate(peer.address, new, [(peer.port, 2000, 5)])) == 2
    assert answer(lab, network, third, migrate(new, third, [(2000, 2001, 5)])) == 3
    time.sleep(RATE_LIMIT_S)
    following = int.from_bytes(hashlib.sha256(struct.pack("!I", 5)).digest()[:4], "big")
    assert answer(lab, network, third, migrate(new, third, [(2000, 2001, following)])) == 2
