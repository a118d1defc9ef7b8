# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a script by `bench.router`: a client, a NAT and a server in namespaces of their own, and what passes.

`python -m bench.router_process CONFIGURATION SECONDS WORD...`, the words being what comes after `python -m reference`.
Prints one JSON object: bytes, packets and connections a second, and round trips in seconds.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

from bench import router_ipff
from testbed.device.linux import (
    CLONE_NEWNET,
    become_root_in_user_namespace,
    die_with_parent,
    disable_ipv6,
    switch_offloads,
    unshare,
)

CLIENT, SERVER = "10.0.1.1", "198.19.0.1"
MACS = (
    (router_ipff.MACS["inside"], router_ipff.MACS["client"]),
    (router_ipff.MACS["outside"], router_ipff.MACS["server"]),
)
"""Of the device and of the end, on each wire."""
PREFIXES = {CLIENT: 16, SERVER: 15}
GATEWAY, FAR = "10.0.0.1", "198.18.0.0/15"
SINK, COUNTER, ACCEPTOR, ECHO = 5001, 5002, 5003, 5004
ROUND_TRIPS = 300
_DATAGRAM = bytes(18)  # 60 bytes on Ethernet, without its checksum
_PATIENCE_S = 10.0


def main() -> int:
    path, seconds, *words = sys.argv[1:]
    over_ipff = "ipff" in json.loads(Path(path).read_text())["networks"]
    if os.geteuid():
        become_root_in_user_namespace()
    unshare(CLONE_NEWNET)
    disable_ipv6("all")
    ends = {CLIENT: client, SERVER: server}
    if over_ipff:
        ends = {CLIENT: router_ipff.client, SERVER: router_ipff.server}
    controls: dict[str, socket.socket] = {}
    for number, address in enumerate(ends):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            die_with_parent(parent)
            os._exit(end(address, theirs, ends[address], float(seconds)))
        ours.recv(64)
        with IPRoute() as route:
            near, far = MACS[number]
            peer = {"ifname": "eth0", "net_ns_pid": child, "address": far}
            route.link("add", ifname=f"wire{number}", kind="veth", address=near, peer=peer)
            route.link("set", index=route.link_lookup(ifname=f"wire{number}")[0], state="up")
        switch_offloads(f"wire{number}", on=False)
        controls[address] = ours
    environment = {**os.environ, "DUT_CONFIG": path, "DUT_WIRES": "wire0 wire1"}
    command = [sys.executable, "-m", "reference", *words]
    router = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert router.stdout is not None
    assert b"ready" in router.stdout.readline()
    for address in (SERVER, CLIENT):
        controls[address].send(b"linked")
        controls[address].recv(64)
    controls[CLIENT].send(b"go")
    found = json.loads(controls[CLIENT].recv(1 << 16))
    found["memory_kb"] = memory_of(router.pid)
    found["status"] = status_of(router)
    sys.stdout.write(json.dumps(found))
    return 0


def status_of(router: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """What a router tells of itself."""
    assert router.stdin is not None
    assert router.stdout is not None
    router.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "status"}).encode() + b"\n")
    router.stdin.flush()
    return dict(json.loads(router.stdout.readline())["result"])


def memory_of(process: int) -> int:
    """Resident memory of a process in kB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def end(address: str, control: socket.socket, work: Callable[[socket.socket, float], None], seconds: float) -> int:
    """One end, in a process and a namespace of its own."""
    unshare(CLONE_NEWNET)
    disable_ipv6("all")
    control.send(b"namespace")
    control.recv(64)
    switch_offloads("eth0", on=False)
    with IPRoute() as route:
        index = route.link_lookup(ifname="eth0")[0]
        route.addr("add", index=index, address=address, prefixlen=PREFIXES[address])
        route.link("set", index=route.link_lookup(ifname="lo")[0], state="up")
        route.link("set", index=index, state="up")
        if address == CLIENT:
            route.route("add", dst=FAR, gateway=GATEWAY)
    work(control, seconds)
    return 0


def server(control: socket.socket, seconds: float) -> None:
    """Sinks, counters and echoes until it is killed."""
    sink, acceptor = (socket.create_server((SERVER, port), backlog=1024) for port in (SINK, ACCEPTOR))
    datagrams = {port: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for port in (COUNTER, ECHO)}
    for port, one in datagrams.items():
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        one.bind((SERVER, port))
    control.send(b"serving")
    taken: socket.socket | None = None
    total = packets = 0
    asker: Any = None
    while True:
        waiting = [sink, acceptor, *datagrams.values(), *([taken] if taken else [])]
        for ready in select.select(waiting, [], [])[0]:
            if ready is sink:
                taken, total = sink.accept()[0], 0
            elif ready is acceptor:
                acceptor.accept()[0].close()
            elif ready is taken:
                block = taken.recv(1 << 18)
                total += len(block)
                if not block:
                    taken.sendall(str(total).encode())
                    taken.close()
                    taken = None
            elif ready is datagrams[ECHO]:
                data, asker = datagrams[ECHO].recvfrom(2048)
                datagrams[ECHO].sendto(str(packets).encode() if data == b"count" else data, asker)
                packets = 0 if data == b"count" else packets
            else:
                for _ in range(256):
                    try:
                        datagrams[COUNTER].recv(2048, socket.MSG_DONTWAIT)
                    except BlockingIOError:
                        break
                    packets += 1


def client(control: socket.socket, seconds: float) -> None:
    """Send as much as goes, one kind after the other."""
    control.send(b"ready")
    control.recv(64)
    round_trips()  # the neighbours are known then
    found = {
        "bytes": stream(seconds),
        "packets": datagrams(seconds),
        "connections": connections(seconds),
        "round_trips": round_trips(),
    }
    control.send(json.dumps(found).encode())


def stream(seconds: float) -> float:
    """Bytes a second of one TCP connection."""
    with socket.create_connection((SERVER, SINK), timeout=_PATIENCE_S) as connection:
        block, start = bytes(1 << 17), time.monotonic()
        while time.monotonic() < start + seconds:
            connection.sendall(block)
        connection.shutdown(socket.SHUT_WR)
        total = int(connection.recv(64))
        return total / (time.monotonic() - start)


def datagrams(seconds: float) -> float:
    """Small datagrams a second that have arrived."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
        talk.connect((SERVER, COUNTER))
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            for _ in range(64):
                talk.send(_DATAGRAM)
        spent = time.monotonic() - start
    return ask(b"count") / spent


def ask(word: bytes) -> int:
    """What the server answers, as a number."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
        talk.settimeout(1.0)
        talk.connect((SERVER, ECHO))
        for _ in range(int(_PATIENCE_S)):
            talk.send(word)
            try:
                return int(talk.recv(64))
            except TimeoutError:
                continue
    raise SystemExit("the server does not answer")


def connections(seconds: float) -> float:
    """Connections a second that have opened and ended, one after the other."""
    count, start = 0, time.monotonic()
    while time.monotonic() < start + seconds:
        with socket.create_connection((SERVER, ACCEPTOR), timeout=_PATIENCE_S) as connection:
            connection.recv(1)
        count += 1
    return count / (time.monotonic() - start)


def round_trips() -> list[float]:
    """Seconds from a datagram to its echo."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
        talk.settimeout(1.0)
        talk.connect((SERVER, ECHO))
        for _ in range(ROUND_TRIPS):
            start = time.monotonic()
            talk.send(_DATAGRAM)
            try:
                talk.recv(64)
            except TimeoutError:
                continue
            found.append(time.monotonic() - start)
    return found


if __name__ == "__main__":
    sys.exit(main())
