# SPDX-License-Identifier: GPL-2.0-or-later
"""The two ends of the benchmark of a router over IPFF, which no kernel speaks: raw sockets and ready frames."""

import json
import socket
import time
from typing import Any

from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from layers.ipff import DEFAULT_ETHERTYPE, IPFF, UDPv5

CLIENT, SERVER = "10.2.0.1.1", "525.8.78.16.1"
ROUTER = ("10.2.0.0.99", "525.8.78.2.2")
MACS = {
    "client": "02:00:00:00:01:01",
    "inside": "02:00:00:00:01:02",
    "outside": "02:00:00:00:02:02",
    "server": "02:00:00:00:02:01",
}
SOURCE, COUNTER, ECHO = 5000, 5002, 5004
SMALL, LARGE = 18, 1300
_BUFFER, _MOST = 8 << 20, 2048
_PATIENCE_S = 1.0
_ROUND_TRIPS = 300
_HEADER = 14 + 20 + 6

CONFIGURATION = {
    "protocol": "mops",
    "role": "NAT router",
    "networks": {
        "ipff": {
            "inside": {"address": ROUTER[0], "neighbour_mac": MACS["client"]},
            "outside": {"address": ROUTER[1], "neighbour_mac": MACS["server"]},
        }
    },
    "mops": {},
}


def wire() -> socket.socket:
    """The raw socket of an end."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(DEFAULT_ETHERTYPE))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    raw.bind(("eth0", DEFAULT_ETHERTYPE))
    raw.settimeout(_PATIENCE_S)
    return raw


def frame(port: int, data: bytes) -> bytes:
    """A datagram of the client's on its wire."""
    packet: Packet = Ether(src=MACS["client"], dst=MACS["inside"], type=DEFAULT_ETHERTYPE)
    return bytes(packet / IPFF(src=CLIENT, dst=SERVER) / UDPv5(sport=SOURCE, dport=port) / Raw(data))


def server(control: socket.socket, seconds: float) -> None:
    """Counts, and tells of it whoever asks, until it is killed."""
    raw, count = wire(), 0
    answers: dict[tuple[bytes, int | bool], bytes] = {}
    control.send(b"serving")
    while True:
        try:
            came = raw.recv(_MOST)
        except TimeoutError:
            continue
        if came[:6].hex(":") != MACS["server"]:
            continue
        if int.from_bytes(came[36:38]) == COUNTER:
            count += 1
            continue
        counted = came[_HEADER:].startswith(b"count")
        key = came[14:_HEADER], counted and count
        if key not in answers:
            answers[key] = answer(came, str(key[1]).encode())
        raw.send(answers[key])
        count = 0 if counted else count


def answer(came: bytes, data: bytes) -> bytes:
    """A datagram back to where one came from."""
    packet = Ether(came)
    made: Packet = Ether(src=MACS["server"], dst=MACS["outside"], type=DEFAULT_ETHERTYPE)
    made /= IPFF(src=packet[IPFF].dst, dst=packet[IPFF].src)
    return bytes(made / UDPv5(sport=packet[UDPv5].dport, dport=packet[UDPv5].sport) / Raw(data))


def client(control: socket.socket, seconds: float) -> None:
    """Send as much as goes, small and large, and measure round trips."""
    control.send(b"ready")
    control.recv(64)
    raw = wire()
    round_trips(raw)
    found: dict[str, Any] = {
        "packets": flood(raw, SMALL, seconds),
        "bytes": flood(raw, LARGE, seconds) * LARGE,
        "connections": 0.0,
        "round_trips": round_trips(raw),
    }
    control.send(json.dumps(found).encode())


def flood(raw: socket.socket, size: int, seconds: float) -> float:
    """Datagrams a second that have arrived."""
    ready, start = frame(COUNTER, bytes(size)), time.monotonic()
    while time.monotonic() < start + seconds:
        for _ in range(64):
            raw.send(ready)
    return ask(raw, b"count") / (time.monotonic() - start)


def ask(raw: socket.socket, word: bytes) -> int:
    """What the server answers, as a number."""
    for _ in range(10):
        raw.send(frame(ECHO, word))
        try:
            while (came := raw.recv(_MOST))[:6].hex(":") != MACS["client"]:
                pass
            return int(came[_HEADER:].rstrip(b"\0"))
        except TimeoutError:
            continue
    raise SystemExit("the server does not answer")


def round_trips(raw: socket.socket) -> list[float]:
    """Seconds from a datagram to its echo."""
    found, ready = [], frame(ECHO, b"echo")
    for _ in range(_ROUND_TRIPS):
        start = time.monotonic()
        raw.send(ready)
        try:
            while raw.recv(_MOST)[:6].hex(":") != MACS["client"]:
                pass
        except TimeoutError:
            continue
        found.append(time.monotonic() - start)
    return found
