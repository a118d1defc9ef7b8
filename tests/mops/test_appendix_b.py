# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix B as it stands: a node moves from two NAT routers to two others, and its connection goes on.

Node, server and all four routers are the reference, and at both ends are programs on real TCP of the kernel. Addresses
and ports are the appendix's own. Its table of Router-C prints the ports of the other side, a slip (5050 and 6050).
"""

import itertools
import json
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.lab.street import Crossed, Device, End, Street
from tests.lab.wire import ACK, RST, SYN, TCP, number

NODE, SERVER = "10.2.0.0.1", "8.8.8.8.8"
MOVED = "192.168.1.1.1"
CLOUD_MAC = "02:00:00:00:00:99"
ROUTERS = {
    # inside address, its MAC address, outside address, first outside port
    "A": ("10.2.0.0.99", "02:00:00:00:0a:01", "10.0.0.0.1", 5050),
    "B": ("10.0.0.0.99", "02:00:00:00:0b:01", "525.8.78.2.2", 6050),
    "C": ("192.168.1.1.99", "02:00:00:00:0a:01", "172.16.0.0.1", 2038),
    "D": ("172.16.0.0.99", "02:00:00:00:0d:01", "775.2.23.5.5", 4128),
}
"""The node finds the same Ethernet address at its new place: under IPFF it has one neighbour."""

NODE_MAC, SERVER_MAC = "02:00:00:00:01:01", "02:00:00:00:08:01"
BEFORE = {End("node"): (NODE, 1027), End("A", 1): ("10.0.0.0.1", 5050), End("B", 1): ("525.8.78.2.2", 6050)}
AFTER = {End("node"): (MOVED, 1027), End("C", 1): ("172.16.0.0.1", 2038), End("D", 1): ("775.2.23.5.5", 4128)}
"""What the source is where it leaves each device."""

LEARNING_S = 0.1
PATIENCE_S = 30.0
TRIES = 3
MIGRATE, NAT_ACKNOWLEDGEMENT = 100, 102
HEADER = 24
REQUEST, SUCCESS = 0, 2

_PROGRAM = """
import hashlib, json, pathlib, random, socket, sys, threading, time
folder, name, peer = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def wait_for(file):
    while not (folder / file).exists():
        time.sleep(0.01)
if peer:
    wait_for("begin")
    talk = socket.socket(socket.AF_INET6)
    talk.bind(("::", 1027))
    talk.connect((peer, 80))
else:
    listening = socket.create_server(("::", 80), family=socket.AF_INET6)
    (folder / "listening").touch()
    talk, _ = listening.accept()
said, heard = hashlib.sha256(), hashlib.sha256()
def say():
    chance, left = random.Random(name), 40
    while left:
        left -= (folder / "enough").exists()
        block = chance.randbytes(2000)
        said.update(block)
        talk.sendall(block)
        time.sleep(0.01)
    talk.shutdown(socket.SHUT_WR)
speaking = threading.Thread(target=say)
speaking.start()
while block := talk.recv(65536):
    heard.update(block)
speaking.join()
(folder / f"{name}.part").write_text(json.dumps([said.hexdigest(), heard.hexdigest()]))
(folder / f"{name}.part").rename(folder / f"{name}.result")
"""


def kernel_text(address: str) -> str:
    """How the kernel of a reference host knows an IPFF address (reference/README.md)."""
    words = struct.unpack("!4H", number(address).to_bytes(8, "big"))
    return "fd52:4f41:4d50:661b:" + ":".join(f"{word:x}" for word in words)


def host(name: str, role: str, address: str, neighbour: str, folder: Path, *program: str) -> dict[str, Any]:
    return {
        "protocol": "mops",
        "role": role,
        "networks": {"ipff": {"address": address, "neighbour_mac": neighbour}},
        "mops": {},
        "applications": [[sys.executable, "-c", _PROGRAM, str(folder), name, *program]],
    }


def router(name: str, inside_neighbour: str, outside_neighbour: str, folder: Path) -> Device:
    inside, mac, outside, port = ROUTERS[name]
    told = {
        "protocol": "mops",
        "role": "NAT router",
        "networks": {
            "ipff": {
                "inside": {"address": inside, "neighbour_mac": inside_neighbour},
                "outside": {"address": outside, "neighbour_mac": outside_neighbour},
            }
        },
        "mops": {"nat": {"ports": "sequential", "first_port": port}},
    }
    return Device(name, folder, [(inside_neighbour, mac), (outside_neighbour, outer_mac(name))], told)


def outer_mac(name: str) -> str:
    return f"02:00:00:00:0{name.lower()}:02"


def street(folder: Path) -> Street:
    """The appendix's network, the node in organization A."""
    gateway = ROUTERS["A"][1]
    node = host("node", "mobile node", NODE, gateway, folder, kernel_text(SERVER))
    devices = [
        Device("node", folder, [(gateway, NODE_MAC)], node),
        router("A", NODE_MAC, ROUTERS["B"][1], folder),
        router("B", outer_mac("A"), CLOUD_MAC, folder),
        router("C", NODE_MAC, ROUTERS["D"][1], folder),
        router("D", outer_mac("C"), CLOUD_MAC, folder),
        Device("server", folder, [(CLOUD_MAC, SERVER_MAC)], host("server", "server", SERVER, CLOUD_MAC, folder, "")),
    ]  # fmt: skip
    made = Street(folder, devices)
    made.join(End("node"), End("A", 0))
    made.join(End("A", 1), End("B", 0))
    made.join(End("C", 1), End("D", 0))
    outside = {ROUTERS["B"][2]: End("B", 1), ROUTERS["D"][2]: End("D", 1), SERVER: End("server")}
    made.cloud({number(address): end for address, end in outside.items()})
    return made


def wait_for(what: str, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(0.02)


class Seen:
    """What has come out of the devices, taken apart."""

    def __init__(self, crossed: list[Crossed]) -> None:
        self._crossed = crossed

    def segments(self, end: End) -> list[Crossed]:
        return [one for one in self._crossed if one.end == end and one.packet.protocol == TCP]

    def messages(self, end: End, kind: int) -> list[Crossed]:
        return [one for one in self._crossed if one.end == end and one.packet.protocol == 1 and type_of(one) == kind]

    def acknowledgements(self) -> list[tuple[int, tuple[str, int], tuple[str, int], float]]:
        """NAT acknowledgements that have come to the node: level, original, translated, and when."""
        found = []
        for end in (End("A", 0), End("C", 0)):
            for one in self.messages(end, NAT_ACKNOWLEDGEMENT):
                level, first, second, original, translated = struct.unpack_from("!6xBxQQHH", one.packet.payload)
                ends = (text(first), original), (text(second), translated)
                found.append((level, *ends, one.time))
        return found


def type_of(one: Crossed) -> int:
    return int.from_bytes(one.packet.payload[:2], "big")


def text(word: int) -> str:
    return ".".join(str(word >> shift & 0x3FF) for shift in (40, 30, 20, 10, 0))


def migrate(one: Crossed) -> tuple[int, tuple[str, int], tuple[str, int], int]:
    """Code, previous, migrated and sequence number of a Migrate of one entry."""
    code, first, second = struct.unpack_from("!5xB2xQQ", one.packet.payload)
    previous, migrated, sequence = struct.unpack_from("!HHI", one.packet.payload, HEADER)
    return code, (text(first), previous), (text(second), migrated), sequence


def source(one: Crossed) -> tuple[str, int]:
    return text(one.packet.source), int.from_bytes(one.packet.payload[:2], "big")


def flags(one: Crossed) -> int:
    return one.packet.payload[13]


def sequence(one: Crossed) -> int:
    return int.from_bytes(one.packet.payload[4:8], "big")


class Played(NamedTuple):
    """What has been seen, and of each program the digests of what it has said and heard."""

    seen: Seen
    streams: dict[str, list[str]]


def play(folder: Path) -> Played:
    """The whole of the appendix."""
    with street(folder) as joined:
        seen = Seen(joined.crossed)
        wait_for("server", (folder / "listening").exists)
        (folder / "begin").touch()
        wait_for("data before the move", lambda: len(seen.segments(End("B", 1))) > 20)
        wait_for("second level", lambda: len(seen.acknowledgements()) == 2)
        joined.join(End("node"), End("C", 0))
        joined.devices["node"].call("move", address=MOVED)
        wait_for("data after the move", lambda: len(seen.segments(End("D", 1))) > 20)
        (folder / "enough").touch()
        results = {name: folder / f"{name}.result" for name in ("node", "server")}
        for name, result in results.items():
            wait_for(f"end of the {name}'s stream", result.exists)
        assert joined.devices["node"].call("status")["sockets_dead"] == 0
    return Played(seen, {name: json.loads(result.read_text()) for name, result in results.items()})


def learning_times(seen: Seen) -> list[float]:
    """How long after the SYN, and after the Migrate, each acknowledgement has come to the node."""
    syn = seen.segments(End("node"))[0].time
    request = seen.messages(End("node"), MIGRATE)[0].time
    return [when - (syn if index < 2 else request) for index, (*_, when) in enumerate(seen.acknowledgements())]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The appendix played, again where the machine was busy while something was to be learnt."""
    for _ in range(TRIES):
        done = play(tmp_path_factory.mktemp("appendix"))
        if max(learning_times(done.seen)) < LEARNING_S:
            break
    return done


@pytest.mark.parametrize("sources", [BEFORE, AFTER], ids=["before", "after"])
def test_every_router_translates_to_its_own_port(played: Played, sources: dict[End, tuple[str, int]]) -> None:
    """1027 to 5050 to 6050 before the move, 1027 to 2038 to 4128 after it."""
    for end, wanted in sources.items():
        found = {source(one) for one in played.seen.segments(end)}
        assert found == ({BEFORE[end], AFTER[end]} if end.device == "node" else {wanted})


def test_the_node_learns_two_levels_at_each_place(played: Played) -> None:
    acknowledged = [content for *content, _ in played.seen.acknowledgements()]
    assert acknowledged == [
        [level, inner, outer]
        for sources in (BEFORE, AFTER)
        for level, (inner, outer) in enumerate(itertools.pairwise(sources.values()), 1)
    ]


def test_the_node_learns_in_a_tenth_of_a_second(played: Played) -> None:
    assert max(learning_times(played.seen)) < LEARNING_S


def test_a_migrate_is_translated_at_each_router(played: Played) -> None:
    """Previous is what the server knows, and the sequence number is the node's, all the way."""
    (first, *again) = played.seen.messages(End("node"), MIGRATE)
    assert not again
    number_of_node = migrate(first)[-1]
    for end, migrated in AFTER.items():
        (request,) = played.seen.messages(end, MIGRATE)
        assert migrate(request) == (REQUEST, BEFORE[End("B", 1)], migrated, number_of_node)


def test_a_success_is_restored_at_each_router(played: Played) -> None:
    (request,) = played.seen.messages(End("node"), MIGRATE)
    ways = {End("server"): End("D", 1), End("D", 0): End("C", 1), End("C", 0): End("node")}
    for end, of_request in ways.items():
        (reply,) = played.seen.messages(end, MIGRATE)
        assert migrate(reply) == (SUCCESS, BEFORE[End("B", 1)], AFTER[of_request], migrate(request)[-1])


def test_no_router_changes_a_sequence_number(played: Played) -> None:
    """The initial one and all others: what leaves the last router is what has left the node."""
    left = played.seen.segments(End("node"))
    numbers = {(sequence(one), flags(one), len(one.packet.payload)) for one in left}
    assert flags(left[0]) == SYN
    for name in ("B", "D"):
        out = played.seen.segments(End(name, 1))
        assert out
        assert {(sequence(one), flags(one), len(one.packet.payload)) for one in out} <= numbers
    assert sequence(played.seen.segments(End("B", 1))[0]) == sequence(left[0])


def test_the_connection_is_one_and_nobody_resets_it(played: Played) -> None:
    for end in (End("node"), End("server")):
        segments = played.seen.segments(end)
        assert len([one for one in segments if flags(one) & SYN]) == 1
        assert not [one for one in segments if flags(one) & RST]
        assert all(flags(one) & ACK for one in segments[1:])


def test_the_stream_is_byte_exact_across_the_move(played: Played) -> None:
    said, heard = played.streams["node"]
    assert played.streams["server"] == [heard, said]
    assert said != heard
