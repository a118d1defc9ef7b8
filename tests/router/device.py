# SPDX-License-Identifier: GPL-2.0-or-later
"""A plain Linux router: its kernel forwards between two wires (docs/dut-contract.md). Run as a program.

With `--deviate` a loop of this program forwards instead of the kernel, wrong in exactly one way.
"""

import argparse
import json
import os
import select
import socket
import sys
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

DEVIATIONS = (
    "keeps-hop-limit",
    "forwards-the-last-hop",
    "no-time-exceeded",
    "time-exceeded-of-the-other-side",
    "corrupts-outward",
)
SIDES = ("inside", "outside")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--deviate", choices=DEVIATIONS)
    deviation = parser.parse_args().deviate
    wires = dict(zip(SIDES, os.environ["DUT_WIRES"].split(), strict=True))
    tables = json.loads(Path(os.environ["DUT_CONFIG"]).read_text())["networks"]["ipv4"]
    Path("/proc/sys/net/ipv4/ip_forward").write_text("0" if deviation else "1")
    with IPRoute() as route:
        for side, wire in wires.items():
            index = route.link_lookup(ifname=wire)[0]
            route.addr("add", index=index, address=tables[side]["address"], prefixlen=tables[side]["prefix_length"])
        for table in tables.values():
            for entry in table.get("routes", []):
                route.route("add", dst=entry["to"], gateway=entry["via"])
    own = {side: str(table["address"]) for side, table in tables.items()}
    captures = {(capture := listen(wire)).fileno(): (side, capture) for side, wire in wires.items()}
    sys.stdout.write(json.dumps({"ready": True, "name": "router", "version": "1"}) + "\n")
    sys.stdout.flush()
    if deviation:
        forward(captures, own, deviation)
    sys.stdin.read()


def listen(wire: str) -> socket.socket:
    """A socket that gets every IPv4 packet of a wire."""
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    capture.bind((wire, 0x0800))
    return capture


def forward(captures: dict[int, tuple[str, socket.socket]], own: dict[str, str], deviation: str) -> None:
    """Forward until the tester hangs up; the kernel finds the way of what is sent on the raw socket."""
    poller = select.poll()
    for number in (sys.stdin.fileno(), *captures):
        poller.register(number, select.POLLIN)
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    while True:
        for number, _ in poller.poll():
            if number not in captures:
                return
            side, capture = captures[number]
            data, address = capture.recvfrom(1 << 16)
            packet = Ether(data).getlayer(IP)
            if address[2] == socket.PACKET_HOST and packet is not None and packet.dst not in own.values():
                for one in treat(packet, side, own, deviation):
                    raw.sendto(bytes(one), (one.dst, 0))


def treat(packet: Any, side: str, own: dict[str, str], deviation: str) -> list[Any]:
    """What leaves because of a packet that has come in on a side."""
    is_last = packet.ttl <= 1
    messages = []
    if is_last and deviation != "no-time-exceeded":
        messages.append(time_exceeded(packet, side, own, deviation))
    if not is_last or deviation == "forwards-the-last-hop":
        if deviation != "keeps-hop-limit":
            packet.ttl = max(1, packet.ttl - 1)
        if deviation == "corrupts-outward" and side == "inside":
            data = bytes(packet.payload)
            packet.payload = Raw(data[:-1] + bytes([data[-1] ^ 1]))
        del packet.chksum
        messages.append(packet)
    return messages


def time_exceeded(packet: Any, side: str, own: dict[str, str], deviation: str) -> Any:
    """Time Exceeded about a packet (RFC 792), from the address on its side."""
    source = own[next(one for one in SIDES if one != side) if deviation == "time-exceeded-of-the-other-side" else side]
    return IP(src=source, dst=packet.src) / ICMP(type=11, code=0) / bytes(packet)[:28]


if __name__ == "__main__":
    main()
