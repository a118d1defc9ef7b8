# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a script by `bench.proxy`: a client, a SOCKS proxy and a server in namespaces of their own, and what passes.

`python -m bench.proxy_process CONFIGURATION SECONDS MOVES WORD...`, the words being what comes after `python -m
reference`. Prints one JSON object: bytes a second and round trips in seconds for each number of connections, the
seconds that it took to open them, and the longest silence at the receiver in each of so many moves.
"""

import json
import os
import resource
import select
import selectors
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

from bench.router_process import CLIENT, PREFIXES, SERVER, end, memory_of
from testbed.device.linux import (
    CLONE_NEWNET,
    become_root_in_user_namespace,
    die_with_parent,
    disable_ipv6,
    switch_offloads,
    unshare,
)

PROXY = ("10.0.0.1", 1080)
SOURCE, ECHO = 5001, 5002
NUMBERS = (1, 100, 1000)
ROUND_TRIPS = 300
_BLOCK = bytes(1 << 16)
_WARM_S, _PATIENCE_S, _BETWEEN_MOVES_S = 0.3, 20.0, 0.1
_RECONNECT = 0x80


def main() -> int:
    path, seconds, moves, *words = sys.argv[1:]
    if os.geteuid():
        become_root_in_user_namespace()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    unshare(CLONE_NEWNET)
    disable_ipv6("all")

    def measure(control: socket.socket, within_s: float) -> None:
        control.send(b"ready")
        control.recv(64)
        control.send(json.dumps(measured(within_s, int(moves))).encode())

    controls: dict[str, socket.socket] = {}
    for number, (address, work) in enumerate({CLIENT: measure, SERVER: server}.items()):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            die_with_parent(parent)
            os._exit(end(address, theirs, work, float(seconds)))
        ours.recv(64)
        with IPRoute() as route:
            route.link("add", ifname=f"wire{number}", kind="veth", peer={"ifname": "eth0", "net_ns_pid": child})
            route.link("set", index=route.link_lookup(ifname=f"wire{number}")[0], state="up")
        switch_offloads(f"wire{number}", on=False)
        controls[address] = ours
    environment = {**os.environ, "DUT_CONFIG": path, "DUT_WIRES": "wire0 wire1"}
    command = [sys.executable, "-m", "reference", *words]
    proxy = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    assert proxy.stdout is not None
    if b"ready" not in proxy.stdout.readline():
        raise SystemExit(f"{' '.join(words)} does not start")
    for address in (SERVER, CLIENT):
        controls[address].send(b"linked")
        controls[address].recv(64)
    controls[CLIENT].send(b"go")
    found = json.loads(controls[CLIENT].recv(1 << 16))
    found["memory_kb"] = memory_of(proxy.pid)
    sys.stdout.write(json.dumps(found))
    return 0


# The server ----------------------------------------------------------------------------------------------------------


def server(control: socket.socket, seconds: float) -> None:
    """A source of bytes and an echo, until it is killed."""
    del seconds
    ready = selectors.DefaultSelector()
    for port in (SOURCE, ECHO):
        listening = socket.create_server((SERVER, port), backlog=4096)
        ready.register(listening, selectors.EVENT_READ, port)
    control.send(b"serving")
    while True:
        for key, events in ready.select():
            one = key.fileobj
            assert isinstance(one, socket.socket)
            if key.data:
                taken, _ = one.accept()
                taken.setblocking(False)
                taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                both = selectors.EVENT_READ | selectors.EVENT_WRITE
                ready.register(taken, both if key.data == SOURCE else selectors.EVENT_READ)
                continue
            try:
                if events & selectors.EVENT_READ:
                    data = one.recv(1 << 16)
                    if not data:
                        raise ConnectionResetError
                    one.send(data)
                elif events & selectors.EVENT_WRITE:
                    one.send(_BLOCK)
            except BlockingIOError:
                pass
            except OSError:
                ready.unregister(one)
                one.close()


# The client ----------------------------------------------------------------------------------------------------------


def measured(seconds: float, moves: int) -> dict[str, Any]:
    """All figures of one proxy."""
    found: dict[str, Any] = {"bytes": {}, "round_trips": {}, "opening": {}, "gaps": []}
    for number in NUMBERS:
        start = time.monotonic()
        connections = [through_proxy(ECHO)[0] for _ in range(number)]
        found["opening"][number] = time.monotonic() - start
        found["round_trips"][number] = round_trips(connections)
        for one in connections:
            one.close()
        connections = [through_proxy(SOURCE)[0] for _ in range(number)]
        found["bytes"][number] = stream(connections, seconds)
        for one in connections:
            one.close()
        time.sleep(_WARM_S)
    found["gaps"] = gaps(moves)
    return found


def to_proxy() -> socket.socket:
    """A connection to the proxy, method chosen."""
    connection = socket.create_connection(PROXY, timeout=_PATIENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"\x05\x01\x00")
    exactly(connection, 2)
    return connection


def through_proxy(port: int) -> tuple[socket.socket, bytes]:
    """A connection to the server through the proxy, and its identifier."""
    connection = to_proxy()
    connection.sendall(b"\x05\x01\x00\x01" + socket.inet_aton(SERVER) + struct.pack("!H", port))
    reply = exactly(connection, 10)
    if reply[1]:
        raise SystemExit(f"the proxy refuses: {reply[1]}")
    return connection, reply[4:]


def exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise SystemExit("the proxy has closed")
        data += more
    return data


def stream(connections: list[socket.socket], seconds: float) -> float:
    """Bytes a second that come over all of these together, once they flow."""
    poll, by_number = select.epoll(), {one.fileno(): one for one in connections}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    buffer, total, start = bytearray(1 << 18), 0, time.monotonic()
    begin = start + _WARM_S
    while (now := time.monotonic()) < begin + seconds:
        for number, _ in poll.poll(0.1):
            count = by_number[number].recv_into(buffer)
            total += count if now >= begin else 0
    poll.close()
    return total / seconds


def round_trips(connections: list[socket.socket]) -> list[float]:
    """Seconds from a byte to its echo, over one after the other."""
    found = []
    for number in range(ROUND_TRIPS):
        one = connections[number % len(connections)]
        start = time.monotonic()
        one.sendall(b"x")
        one.recv(1)
        found.append(time.monotonic() - start)
    return found


def drained(connection: socket.socket) -> int:
    """Take what the kernel has: the proxy need not have it any more. How many bytes."""
    total = 0
    connection.setblocking(False)
    try:
        while data := connection.recv(1 << 20):
            total += len(data)
    except BlockingIOError:
        pass
    return total


def gaps(moves: int) -> list[float]:
    """The longest silence at the receiver of a full stream in each of so many moves to another address, in seconds."""
    if not moves:
        return []
    connection, identifier = through_proxy(SOURCE)
    received, found = 0, []
    Path("/proc/sys/net/ipv4/conf/eth0/promote_secondaries").write_text("1")
    with IPRoute() as route:
        for number in range(moves):
            last = time.monotonic()
            move_at, until, longest = last + _BETWEEN_MOVES_S, last + 2 * _BETWEEN_MOVES_S, 0.0
            has_moved = False
            while (now := time.monotonic()) < until or not has_moved:
                if now > move_at and not has_moved:
                    change_address(route, number)
                    received += drained(connection)
                    connection = resumed(identifier, received)
                    has_moved = True
                received += len(connection.recv(1 << 18))
                now = time.monotonic()
                longest, last = max(longest, now - last), now
            found.append(longest)
    connection.close()
    return found


def change_address(route: IPRoute, number: int) -> None:
    """Leave one address for another."""
    index = route.link_lookup(ifname="eth0")[0]
    old, new = (CLIENT, f"{CLIENT}0")[:: 1 if number % 2 == 0 else -1]
    route.addr("add", index=index, address=new, prefixlen=PREFIXES[CLIENT])
    route.addr("del", index=index, address=old, prefixlen=PREFIXES[CLIENT])


def resumed(identifier: bytes, received: int) -> socket.socket:
    """The connection with an identifier, on another connection to the proxy."""
    connection = to_proxy()
    connection.sendall(b"\x05" + bytes([_RECONNECT]) + b"\x00\x01" + identifier + struct.pack("!QQ", received, 0))
    if exactly(connection, 10)[1]:
        raise SystemExit("the proxy refuses to go on")
    exactly(connection, 16)
    return connection


if __name__ == "__main__":
    sys.exit(main())
