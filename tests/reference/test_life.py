# SPDX-License-Identifier: GPL-2.0-or-later
"""Start, ready line, upper tester, unmodified programs, and that nothing is left behind."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.host import ROOT, Lab, configuration
from tests.lab.wire import ACK, DUT, SYN, Peer, number
from tests.mops.messages import command, migrate

REHASH = {"protocol": "rehash", "role": "host"}


def children(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(word) for word in path.read_text().split()]


def is_alive(process: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until_gone(processes: list[int]) -> bool:
    deadline = time.monotonic() + 2
    while any(is_alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_the_ready_line_says_who_it_is(lab: Lab) -> None:
    assert lab.ready == {"ready": True, "name": "Roamproof reference host", "version": "0.1.0"}


def test_end_of_input_stops_everything() -> None:
    with Lab() as lab:
        agents = children(lab.daemon)
        assert len(agents) == 1
        assert lab.stop() == 0
        assert wait_until_gone([lab.daemon, *agents])


def test_a_killed_agent_ends_the_daemon_with_an_error() -> None:
    with Lab() as lab:
        os.kill(children(lab.daemon)[0], signal.SIGKILL)
        assert lab.process.wait(3) == 1
        assert "the agent ended unexpectedly" in lab.log()


def test_a_killed_daemon_takes_agent_and_applications_along() -> None:
    with Lab(applications=[["sleep", "1000"]]) as lab:
        (agent,) = children(lab.daemon)
        (application,) = children(agent)
        os.kill(lab.daemon, signal.SIGKILL)
        assert wait_until_gone([agent, application])


def test_sigterm_is_a_clean_end() -> None:
    with Lab() as lab:
        (agent,) = children(lab.daemon)
        os.kill(lab.daemon, signal.SIGTERM)
        assert lab.process.wait(3) == 0
        assert wait_until_gone([agent])


def test_only_one_network_is_enough(network: str) -> None:
    networks = configuration()["networks"]
    with Lab(networks={network: networks[network]}) as lab:
        peer = lab.peer(network).connect()
        assert peer.echo(b"hello")
        listener = lab.call("listen", port=8000, service="manual")
        other = lab.peer(network, service=8000).connect()
        assert other.port == 1027
        facts = lab.accepted(listener["listener"])
        assert (facts["listener"], facts["peer"]) == (listener["listener"], f"{other.address}:1027")


def test_a_manual_connection_keeps_its_socket_through_a_move(lab: Lab, network: str) -> None:
    listener = lab.call("listen", port=0, service="manual")
    peer = lab.peer(network, service=listener["port"]).connect()
    facts = lab.accepted(listener["listener"])
    tuples = {"local": f"{DUT[network]}:{listener['port']}", "peer": f"{peer.address}:1027"}
    assert facts == {**facts, "state": "ESTABLISHED", **tuples}
    connection = facts["connection"]
    waiting = lab.start("receive", connection=connection, length=100, timeout_s=5)
    new = lab.address(network)
    answer = command(lab.wire, network, new, migrate(peer.address, new, [(1027, 2098, peer.nxt)]))
    assert answer is not None
    assert answer.code == 2
    peer.address, peer.port = new, 2098
    peer.send(b"moved")
    assert lab.result(waiting) == {"data": b"moved".hex(), "eof": False}
    assert lab.call("send", connection=connection, data="616263") == {"length": 3}
    assert peer.receive(3) == b"abc"
    (facts,) = [one for one in lab.call("sockets")["connections"] if one["connection"] == connection]
    assert facts == {**facts, "state": "ESTABLISHED", **tuples}
    assert lab.call("receive", connection=connection, length=1, timeout_s=0.01) == {"data": "", "eof": False}
    waiting = lab.start("receive", connection=connection, length=100, timeout_s=5)
    peer.segment(ACK | 1)
    peer.nxt += 1
    assert lab.result(waiting) == {"data": "", "eof": True}
    assert lab.call("close", connection=connection) == {}
    assert peer.receive(1) == b""
    assert lab.call("close", listener=listener["listener"]) == {}


def test_no_two_datagram_sockets_have_one_port() -> None:
    """Whoever closes one of them would take the flows of the other along."""
    with Lab() as lab:
        ports = [lab.call("listen", protocol="udp")["port"] for _ in range(700)]
        assert len(set(ports)) == len(ports)


def test_the_host_connects_to_a_peer_and_that_connection_migrates(lab: Lab, network: str) -> None:
    peer = lab.peer(network, port=4000)
    opening = lab.start("connect", address=peer.address, port=4000, timeout_s=2)
    syn = lab.wire.take(
        lambda seen: seen.destination == number(peer.address) and seen.protocol == 6 and bool(seen.flags & SYN)
    )
    assert syn is not None
    peer.service, peer.rcv_nxt = syn.ports[0], (syn.sequence + 1) % 2**32
    peer.segment(SYN | ACK, options=bytes.fromhex("020405b4"))
    peer.nxt += 1
    connection = lab.result(opening)["connection"]
    lab.call("send", connection=connection, data=b"hello".hex())
    assert peer.receive(5) == b"hello"
    new = lab.address(network)
    answer = command(lab.wire, network, new, migrate(peer.address, new, [(4000, 4001, peer.nxt)]))
    assert answer is not None
    assert answer.code == 2
    peer.address, peer.port = new, 4001
    lab.call("send", connection=connection, data=b"again".hex())
    assert peer.receive(5) == b"again"


def test_errors_of_the_upper_tester(lab: Lab) -> None:
    for verb, parameters, code in (
        ("move", {"address": "1.2.3.4.5"}, -32601),
        ("connect", {"address": "198.19.9.9.9.9", "port": 1}, -32000),
        ("send", {"connection": 999, "data": "00"}, -32000),
        ("listen", {"port": 7}, -32000),
        ("listen", {"nonsense": 7}, -32000),
    ):
        with pytest.raises(LookupError) as caught:
            lab.call(verb, **parameters)
        assert caught.value.args[0] == code
        assert caught.value.args[1]
    assert lab.call("status")["uptime_s"] > 0


def test_an_unmodified_http_server_keeps_its_connection(network: str, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)
    server = [sys.executable, "-m", "http.server", "--bind", "::", "--directory", str(tmp_path), "80"]
    server += ["--protocol", "HTTP/1.1"]
    with Lab(applications=[server]) as lab:
        peer = wait_for_service(lab, network, 80)
        for address, port in ((peer.address, peer.port), (lab.address(network), 2098), (lab.address(network), 2099)):
            if address != peer.address:
                answer = command(
                    lab.wire, network, address, migrate(peer.address, address, [(peer.port, port, peer.nxt)])
                )
                assert answer is not None
                assert answer.code == 2
                peer.address, peer.port = address, port
            peer.send(b"GET /file HTTP/1.1\r\nHost: reference\r\n\r\n")
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.receive(1)
            head, _, body = head.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert body + peer.receive(len(content) - len(body)) == content


def wait_for_service(lab: Lab, network: str, service: int) -> Peer:
    """A connection to a program that needs a moment to listen."""
    for port in range(10000, 10100):
        peer = lab.peer(network, port=port, service=service)
        peer.segment(SYN)
        answer = peer.hears(SYN | ACK, 0.1)
        if answer is not None:
            peer.nxt += 1
            peer.rcv_nxt = (answer.sequence + 1) % 2**32
            peer.segment(ACK)
            return peer
    raise AssertionError(f"nobody listens: {lab.log()}")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"protocol": "carrier pigeon"},
            "protocol is 'carrier pigeon', allowed: mops | rehash | migrate | msocks | sacip | legacy",
        ),
        ({"protocol": None}, "protocol is None, allowed: mops | rehash | migrate | msocks | sacip | legacy"),
        ({"role": "toaster"}, "role is 'toaster', allowed: server | mobile node | anycast server"),
        ({"protocol": "rehash"}, "role is 'server', allowed: host"),
        ({"networks": {}}, "networks must have ipff or ipv4 for the role server"),
        ({"networks": {"ipff": {"address": "8.8.8.8"}}}, "networks.ipff.address: '8.8.8.8' is no IPFF address"),
        ({"networks": {"ipv4": {"address": "198.18.0.1"}}}, "networks.ipv4.prefix_length is None, allowed"),
        ({"mops": {"migrate_seq": "fuzzy"}}, "mops.migrate_seq is 'fuzzy', allowed: window | exact"),
        ({"mops": {"rate_limit_s": "5"}}, "mops.rate_limit_s is '5', allowed: a number"),
        ({**REHASH, "networks": {}}, "networks must have ipv4 for the role host"),
        ({**REHASH, "rehash": {"option_kind": 2}}, "rehash.option_kind is 2, allowed: a whole number 9..255"),
        ({"services": {"echo": 70000}}, "services.echo is 70000, allowed: a whole number 1..65535"),
        ({"applications": ["ls"]}, "applications must be a list of commands"),
    ],
)
def test_a_wrong_configuration_gives_one_clear_line(changes: dict, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "dut.json"
    path.write_text(json.dumps(configuration(**changes)))
    assert_refused([], {"DUT_WIRES": "lo", "DUT_CONFIG": str(path)}, complaint)


def test_two_wires_are_too_many(tmp_path: Path) -> None:
    path = tmp_path / "dut.json"
    path.write_text(json.dumps(configuration()))
    complaint = "DUT_WIRES must name exactly one interface for the role server"
    assert_refused([], {"DUT_WIRES": "lo wire1", "DUT_CONFIG": str(path)}, complaint)


def test_wrong_arguments_give_one_clear_line(tmp_path: Path) -> None:
    assert_refused(["--deviate", "upwards"], {}, "no deviation 'upwards'")
    assert_refused(["--fast"], {}, "unrecognized arguments: --fast")
    assert_refused(["host"], {}, "invalid choice: 'host'")
    assert_refused([], {}, "DUT_WIRES must name an interface")
    assert_refused([], {"DUT_WIRES": "lo", "DUT_CONFIG": "/nowhere"}, "DUT_CONFIG '/nowhere': No such file")
    (tmp_path / "bad.json").write_text("{")
    assert_refused([], {"DUT_WIRES": "lo", "DUT_CONFIG": str(tmp_path / "bad.json")}, "is no JSON")


def assert_refused(arguments: list[str], environment: dict[str, str], complaint: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "reference", *arguments],
        cwd=ROOT, env={**environment, "PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=10,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert complaint in ended.stderr


def test_arp_asks_keeps_packets_and_answers(lab: Lab) -> None:
    lab.wire.answers_arp = False
    try:
        peer = lab.peer("ipv4")
        peer.segment(SYN)
        assert peer.hears(timeout=0.05) is None
    finally:
        lab.wire.answers_arp = True
    answer = peer.hears(SYN | ACK, 1.0)
    assert answer is not None, "the host asks again and has kept the packet"
    request = bytes.fromhex("0001080006040001") + bytes.fromhex("02000000000a") + socket.inet_aton("198.19.7.7")
    request += bytes(6) + socket.inet_aton(DUT["ipv4"])
    lab.wire.raw.send(b"\xff" * 6 + bytes.fromhex("02000000000a") + b"\x08\x06" + request)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            frame = lab.wire.raw.recv(2000)
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2":
                assert frame[:6] == bytes.fromhex("02000000000a")
                assert frame[28:32] == socket.inet_aton(DUT["ipv4"])
                return
    raise AssertionError("no ARP reply")


def test_hundreds_of_connections_at_once(lab: Lab, network: str) -> None:
    address = lab.address(network)
    peers = [lab.peer(network, address, 10000 + index) for index in range(400)]
    for peer in peers:
        peer.segment(SYN)
    for peer in peers:
        answer = peer.hears(SYN | ACK)
        assert answer is not None
        peer.nxt += 1
        peer.rcv_nxt = (answer.sequence + 1) % 2**32
        peer.segment(ACK)
    for peer in peers:
        peer.send(b"%d" % peer.port)
    for peer in peers:
        assert peer.receive(5) == b"%d" % peer.port
