# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command and writes down every frame on every interface of this network namespace meanwhile.

    python overhear.py FILE COMMAND

FILE gets a line a frame: the interface's name and the bytes in hexadecimal. A host has a loopback interface and a way
out: where there is none they are made, so that what leaks has somewhere to go. Ends with the command's exit code.
"""

import socket
import subprocess
import sys
import threading
from pathlib import Path

from pyroute2 import IPRoute

from testbed.device import linux
from testbed.device.rtnetlink import set_up
from testbed.wire.sockets import ETH_P_ALL, RECEIVE_BUFFER, SO_RCVBUFFORCE

OUT, FURTHER, ADDRESS, GATEWAY = "out0", "out1", "192.0.2.2", "192.0.2.1"
CONTROL = b"overheard"
LONGEST = 1 << 16


def main() -> None:
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    capture.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    make_way_out()
    ended = threading.Event()
    found: list[str] = []
    listener = threading.Thread(target=listen, args=(capture, ended, found))
    listener.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for address in ("127.0.0.1", "198.51.100.1"):
            control.sendto(CONTROL, (address, 9))
    code = subprocess.run(sys.argv[2:], check=False).returncode
    ended.set()
    listener.join()
    Path(sys.argv[1]).write_text("\n".join(found))
    sys.exit(code)


def listen(capture: socket.socket, ended: threading.Event, found: list[str]) -> None:
    """Write down what comes until the end, and what has come by then."""
    capture.settimeout(0.2)
    while True:
        try:
            data, (interface, *_) = capture.recvfrom(LONGEST)
        except TimeoutError:
            if ended.is_set():
                return
        else:
            found.append(f"{interface} {data.hex()}")


def make_way_out() -> None:
    """A loopback interface that is up, and a default route by an interface at whose other end nobody answers."""
    set_up("lo")
    with IPRoute() as route:
        route.link("add", ifname=OUT, kind="veth", peer=FURTHER)
        for name in (OUT, FURTHER):
            linux.disable_ipv6(name)
            set_up(name)
        route.addr("add", index=route.link_lookup(ifname=OUT)[0], address=ADDRESS, prefixlen=24)
        route.route("add", dst="default", gateway=GATEWAY)


if __name__ == "__main__":
    main()
