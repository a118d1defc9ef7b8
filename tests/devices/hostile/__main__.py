# SPDX-License-Identifier: GPL-2.0-or-later
"""A hostile device: the reference host, and between it and the tester something that makes it wrong in one way.

`python -m tests.devices.hostile NAME`, NAME one of `KINDS`. wire0 === changes === m0/m1, a veth pair; the host has m1.
"""

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading

from pyroute2 import IPRoute

from tests.devices.hostile.deeds import BEFORE, BESIDE, WIRE
from tests.devices.hostile.frames import ANSWERS, FRAMES, Change
from tests.devices.hostile.words import WORDS, Rewrite

_ALL = 3
_LONGEST = 1 << 16


def nothing(frame: bytes) -> list[bytes]:
    return []


def open_raw(name: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
    raw.bind((name, _ALL))
    return raw


def stand_between(change: Change, answer: Change) -> str:
    """Take the wire; the interface that is left for the host."""
    with IPRoute() as routes:
        mac = routes.get_links(ifname=WIRE)[0].get_attr("IFLA_ADDRESS")
        routes.link("add", ifname="m0", kind="veth", peer={"ifname": "m1", "address": mac})
        for name in ("m0", "m1"):
            routes.link("set", index=routes.link_lookup(ifname=name)[0], state="up")
    threading.Thread(target=pump, args=(open_raw(WIRE), open_raw("m0"), change, answer), daemon=True).start()
    return "m1"


def pump(wire: socket.socket, inner: socket.socket, change: Change, answer: Change) -> None:
    poller = select.poll()
    for end in (wire, inner):
        poller.register(end, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            source = wire if descriptor == wire.fileno() else inner
            frame, origin = source.recvfrom(_LONGEST)
            if origin[2] == socket.PACKET_OUTGOING:
                continue
            if source is wire:
                inner.send(frame)
            for one in (answer if source is wire else change)(frame):
                with contextlib.suppress(OSError):
                    wire.send(one)


def hand_over(requests: socket.SocketIO) -> None:
    """Give the host what comes on standard input, to its end."""
    with requests, contextlib.suppress(OSError):
        while data := os.read(0, _LONGEST):
            requests.write(data)


def as_it_is(number: int, line: bytes) -> list[bytes]:
    return [line]


def serve(wires: str, rewrite: Rewrite, name: str) -> int:
    """Run the host; its exit code."""
    pipe = subprocess.PIPE
    host = subprocess.Popen(
        [sys.executable, "-m", "reference"], env={**os.environ, "DUT_WIRES": wires}, stdin=pipe, stdout=pipe, bufsize=0
    )
    threading.Thread(target=hand_over, args=(host.stdin,), daemon=True).start()
    assert host.stdout
    for number, line in enumerate(host.stdout):
        for piece in rewrite(number, line):
            while piece:
                piece = piece[os.write(1, piece) :]
        if number == 0 and name in BESIDE:
            threading.Thread(target=BESIDE[name], daemon=True).start()
    return host.wait()


KINDS = [*FRAMES, *ANSWERS, *WORDS, *BEFORE, *BESIDE]


def main() -> int:
    name = sys.argv[1]
    if name in BEFORE:
        BEFORE[name]()
    wires = os.environ["DUT_WIRES"]
    if name in FRAMES or name in ANSWERS:
        wires = stand_between(FRAMES.get(name, lambda frame: [frame]), ANSWERS.get(name, nothing))
    return serve(wires, WORDS.get(name, as_it_is), name)


if __name__ == "__main__":
    sys.exit(main())
