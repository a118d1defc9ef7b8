# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab with a cable: a box that was started by hand, and a tester's interface `lab0` (`lab1`, ...) that leads to it.

    python -m tests.wire.lab CABLE -- COMMAND

CABLE is a JSON file (see `Cable`). The box has a network namespace of its own, finds its wires and its configuration
as docs/dut-contract.md says, and runs as long as COMMAND, which runs in the tester's namespace. Its upper tester is
behind a socket (tests/wire/agent.py); its Ethernet addresses are written to `mac0`, ... beside CABLE. Ends with the
command's exit code; as an ordinary user through a user namespace.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from pyroute2 import IPRoute

from testbed.device import linux, rtnetlink
from testbed.device.namespaces import enter_namespaces, fill_neighbours
from testbed.device.wires import Layout, WireMaker
from testbed.wire.sockets import open_sender

_CHUNK = 1 << 16
_LOOK_AGAIN_S = 0.02


@dataclass(frozen=True)
class Cable:
    """What is plugged together: the box's command and configuration, the number of wires, and what the cards do.

    With `offload` the cards leave checksums open and take segments that are longer than a frame; `mtu` is the tester's,
    `box_mtu` the box's. `addresses` are given to the box's card, where its kernel answers for them; `noise` is how many
    frames a second others send on the wire that have nothing to do with the run; the cable is pulled out for a second
    when the file that `UNPLUG` names in COMMAND's environment is there.
    """

    command: list[str]
    configuration: dict[str, Any]
    wires: int = 1
    offload: bool = False
    mtu: int = 1500
    box_mtu: int = 1500
    addresses: tuple[str, ...] = ()
    noise: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the cable down for the lab."""
        path.write_text(json.dumps(asdict(self)))


def main() -> None:
    """Make the lab, run the command in it, take it down."""
    path, middle = Path(sys.argv[1]), sys.argv.index("--")
    command = sys.argv[middle + 1 :]
    cable = Cable(**json.loads(path.read_text()))
    linux.die_with_parent(os.getppid())
    enter_namespaces()
    if child := os.fork():  # the init of the PID namespace
        _, status = os.waitpid(child, 0)
        sys.exit(os.waitstatus_to_exitcode(status))
    linux.die_with_parent()
    layout = WireMaker("lab").make(1, cable.wires, [])
    _plug(cable, layout)
    for wire, mac in enumerate(layout.macs[0]):
        path.with_name(f"mac{wire}").write_text(mac)
    _start_box(cable, layout, path)
    unplug = path.with_name("unplug")
    threading.Thread(target=_unplug, args=(layout.interfaces[0][1], unplug), daemon=True).start()
    sys.exit(subprocess.run(command, env={**os.environ, "UNPLUG": str(unplug)}, check=False).returncode)


def _plug(cable: Cable, layout: Layout) -> None:
    names = [name for _, name, _ in layout.interfaces]
    _set_card(names, cable.mtu, offload=cable.offload)
    with open("/proc/self/ns/net") as ours:
        linux.setns(layout.namespaces[0])
        _set_card([f"wire{wire}" for wire in range(cable.wires)], cable.box_mtu, offload=cable.offload)
        with IPRoute() as route:
            for address in cable.addresses:
                route.addr("add", index=socket.if_nametoindex("wire0"), address=address, prefixlen=32)
        if cable.noise:
            noise = open_sender("wire0")
            threading.Thread(target=_make_noise, args=(noise, cable.noise, names[0]), daemon=True).start()
        linux.setns(ours.fileno())


def _set_card(names: list[str], mtu: int, *, offload: bool) -> None:
    with IPRoute() as route:
        for name in names:
            linux.switch_offloads(name, on=offload)
            route.link("set", index=socket.if_nametoindex(name), mtu=mtu)


def _unplug(name: str, when: Path) -> None:
    while not when.exists():
        time.sleep(_LOOK_AGAIN_S)
    with IPRoute() as route:
        index = socket.if_nametoindex(name)
        route.link("set", index=index, state="down")
        time.sleep(1)
        route.link("set", index=index, state="up")


def _make_noise(sender: socket.socket, a_second: int, tester: str) -> None:
    """Other hosts talk: to each other, to everybody, and nonsense to the tester's card."""
    mac = bytes.fromhex(rtnetlink.ethernet_address(tester).replace(":", ""))
    other = bytes.fromhex("0200000000aa")
    while True:
        for to in (b"\xff" * 6, b"\x01\x80\xc2\x00\x00\x0e", mac, other):
            for kind in (0x0800, 0x0806, 0x86DD, 0x88CC):
                with contextlib.suppress(OSError):
                    sender.send(to + other + kind.to_bytes(2, "big") + os.urandom(80))
                time.sleep(1 / a_second)


def _start_box(cable: Cable, layout: Layout, path: Path) -> None:
    configuration = path.with_name("box.json")
    content = dict(cable.configuration)
    fill_neighbours(content, layout.far_macs(0))
    configuration.write_text(json.dumps(content))
    wires = " ".join(f"wire{wire}" for wire in range(cable.wires))
    box = subprocess.Popen(
        cable.command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=path.with_name("box.log").open("w"),
        env={**os.environ, "DUT_CONFIG": str(configuration), "DUT_WIRES": wires, **cable.environment},
        preexec_fn=lambda: linux.setns(layout.namespaces[0]),
    )
    assert box.stdout
    assert box.stdin
    assert json.loads(box.stdout.readline())["ready"]
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path.with_name("agent")))
    listening.listen()
    threading.Thread(target=_serve, args=(listening, box.stdin, box.stdout), daemon=True).start()


def _serve(listening: socket.socket, to_box: IO[bytes], from_box: IO[bytes]) -> None:
    """Join one client after the other to the box's streams."""
    current: list[socket.socket] = []

    def back() -> None:
        for line in iter(from_box.readline, b""):
            for client in current[-1:]:
                try:
                    client.sendall(line)
                except OSError:
                    continue  # it has left

    threading.Thread(target=back, daemon=True).start()
    while True:
        client, _ = listening.accept()
        current[:] = [client]
        while data := client.recv(_CHUNK):
            to_box.write(data)
            to_box.flush()
        client.close()


if __name__ == "__main__":
    main()
