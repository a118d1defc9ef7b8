# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a script: write down the segments of TCP that pass a wire, then become a command.

`python -m bench.wiretap FILE WIRE COMMAND...`. One record (`RECORD`) a segment over IPv4: nanoseconds of the system
clock, source, destination, source port, destination port, sequence number, length of the payload.
"""

import os
import socket
import struct
import sys
from pathlib import Path

from testbed.device.linux import die_with_parent

RECORD = struct.Struct("<QIIHHII")
_ETH_P_ALL = 3
_SO_TIMESTAMPNS = 35
_SO_RCVBUFFORCE = 33
_TIMESPEC = struct.Struct("@qq")
_HEADERS = 14 + 60 + 60
_ETHERTYPE, _IPV4, _TCP = slice(12, 14), b"\x08\x00", 6
_WRITE_EACH_S = 0.05


def record(frame: bytes, ns: int) -> bytes | None:
    """The record of a frame; None where it is no segment of TCP."""
    if frame[_ETHERTYPE] != _IPV4 or frame[23] != _TCP:
        return None
    start = 14 + (frame[14] & 15) * 4
    source, destination = struct.unpack_from("!II", frame, 26)
    here, there, number = struct.unpack_from("!HHI", frame, start)
    length = int.from_bytes(frame[16:18], "big") - (start - 14) - (frame[start + 12] >> 4) * 4
    return RECORD.pack(ns, source, destination, here, there, number, length)


def listen(wire: socket.socket, file: Path) -> None:
    """Until the process is killed."""
    wire.settimeout(_WRITE_EACH_S)
    with open(file, "ab", buffering=0) as to:
        some: list[bytes] = []
        while True:
            try:
                frame, told, _, _ = wire.recvmsg(_HEADERS, 64)
            except TimeoutError:
                to.write(b"".join(some))
                some = []
                continue
            seconds, rest = _TIMESPEC.unpack(told[0][2])
            if line := record(frame, seconds * 1_000_000_000 + rest):
                some.append(line)
            if len(some) > 1000:
                to.write(b"".join(some))
                some = []


def main() -> None:
    file, name, *command = sys.argv[1:]
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    wire.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    wire.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 64 << 20)
    wire.bind((name, 0))
    parent = os.getpid()
    if os.fork() == 0:
        die_with_parent(parent)
        listen(wire, Path(file))
    wire.close()
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
