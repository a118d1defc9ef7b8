# SPDX-License-Identifier: GPL-2.0-or-later
"""The least that docs/dut-contract.md asks of a device: an ordinary host over IPv4, by the kernel of its namespace."""

import fcntl
import json
import os
import socket
import struct
import sys
import threading

SIOCSIFADDR, SIOCSIFNETMASK = 0x8916, 0x891C


def set_address(wire, request, address):
    """Give the interface an address or a netmask."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        place = struct.pack("16sHH4s8x", wire.encode(), socket.AF_INET, 0, address)
        fcntl.ioctl(control, request, place)


def echo(connection):
    """RFC 862: what comes goes back."""
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def serve(listener):
    """A thread for each connection."""
    while True:
        threading.Thread(target=echo, args=listener.accept()[:1], daemon=True).start()


with open(os.environ["DUT_CONFIG"]) as file:
    told = json.load(file)
network, wire = told["networks"]["ipv4"], os.environ["DUT_WIRES"]
netmask = (0xFFFFFFFF << (32 - network["prefix_length"])) & 0xFFFFFFFF
set_address(wire, SIOCSIFADDR, socket.inet_aton(network["address"]))
set_address(wire, SIOCSIFNETMASK, netmask.to_bytes(4, "big"))
threading.Thread(
    target=serve, args=[socket.create_server(("", told["services"]["echo"]), backlog=4096)], daemon=True
).start()
print('{"ready": true, "name": "minimal device"}', flush=True)
for line in sys.stdin:  # the end of standard input asks it to stop
    error = {"code": -32601, "message": "no such verb"}
    print(json.dumps({"jsonrpc": "2.0", "id": json.loads(line)["id"], "error": error}), flush=True)
