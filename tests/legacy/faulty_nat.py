# SPDX-License-Identifier: GPL-2.0-or-later
"""netfilter's masquerade with one rule more that makes it wrong in one way. Run as a program: `--fault NAME`."""

import argparse
import os
import socket
import struct
import sys
from collections.abc import Callable

from reference.legacy.masquerade import run_masquerade
from reference.system.configuration import Configuration, Table, read_configuration
from reference.system.nfnetlink import (
    DROP,
    FORWARD,
    OUTPUT,
    POSTROUTING,
    PREROUTING,
    Chain,
    attribute,
    expression,
    load,
    nested,
    number,
)

NETWORK, TRANSPORT = 1, 2
INPUT_INTERFACE, L4_PROTOCOL = 4, 16
ICMP, TCP, UDP = 1, 6, 17
EQUAL, UNEQUAL = 0, 1
FULLY_RANDOM = 16
BEFORE_DEFRAGMENTATION, BEFORE_SOURCE_NAT, FILTER = -450, 99, 0
INSIDE, OUTSIDE = 0, 1
RST, SYN, SYN_AND_ACK = 0x04, 0x02, 0x12

Rule = tuple[bytes, ...]


def meta(key: int, value: bytes) -> Rule:
    """What the kernel knows of a packet has this value."""
    return expression("meta", number(2, key), number(1, 1)), _compare(EQUAL, value)


def field(base: int, offset: int, value: bytes, mask: bytes = b"", how: int = EQUAL) -> Rule:
    """Bytes of a header, under a mask, have this value, or another one."""
    length = len(value)
    read = expression("payload", number(1, 1), number(2, base), number(3, offset), number(4, length))
    zero = bytes(length)
    masked = (
        expression(
            "bitwise",
            number(1, 1),
            number(2, 1),
            number(3, length),
            nested(4, attribute(1, mask)),
            nested(5, attribute(1, zero)),
        ),
    )
    return read, *(masked if mask else ()), _compare(how, value)


def _compare(how: int, value: bytes) -> bytes:
    return expression("cmp", number(1, 1), number(2, how), nested(3, attribute(1, value)))


def protocol(value: int) -> Rule:
    """The transport protocol."""
    return meta(L4_PROTOCOL, bytes([value]))


def message(*kinds: int) -> list[Rule]:
    """Rules that drop ICMP messages of these types."""
    return [(*protocol(ICMP), *field(TRANSPORT, 0, bytes([kind])), *_DROPPED) for kind in kinds]


_DROPPED: Rule = (expression("immediate", number(1, 0), nested(2, nested(2, number(1, DROP)))),)


def _hook(hook: int, rules: list[Rule], priority: int = FILTER, kind: str = "filter") -> None:
    load("fault", (Chain("fault", hook, priority, kind, rules=tuple(rules)),))


def _from(side: int, wires: tuple[str, ...]) -> Rule:
    return meta(INPUT_INTERFACE, struct.pack("=I", socket.if_nametoindex(wires[side])))


def _flags(value: int, mask: int) -> Rule:
    return (*protocol(TCP), *field(TRANSPORT, 13, bytes([value]), bytes([mask])))


FAULTS: dict[str, Callable[[tuple[str, ...]], None]] = {
    "random-ports": lambda wires: _hook(
        POSTROUTING, [(expression("masq", number(1, FULLY_RANDOM)),)], BEFORE_SOURCE_NAT, "nat"
    ),
    "no-unreachable-forwarded": lambda wires: _hook(FORWARD, message(3)),
    "no-time-exceeded-forwarded": lambda wires: _hook(FORWARD, message(11)),
    "no-unreachable-of-its-own": lambda wires: _hook(OUTPUT, message(3)),
    "no-time-exceeded-of-its-own": lambda wires: _hook(OUTPUT, message(11)),
    "no-echo-replies": lambda wires: _hook(FORWARD, message(0)),
    "no-fragments": lambda wires: _hook(
        PREROUTING, [(*field(NETWORK, 6, bytes(2), b"\x3f\xff", UNEQUAL), *_DROPPED)], BEFORE_DEFRAGMENTATION
    ),
    "no-resets": lambda wires: _hook(FORWARD, [(*_flags(RST, RST), *_DROPPED)]),
    "no-syn-from-outside": lambda wires: _hook(
        FORWARD, [(*_from(OUTSIDE, wires), *_flags(SYN, SYN_AND_ACK), *_DROPPED)]
    ),
    "no-datagrams-without-checksum": lambda wires: _hook(
        FORWARD, [(*protocol(UDP), *field(TRANSPORT, 6, bytes(2)), *_DROPPED)]
    ),
    "short-timer": lambda wires: None,
}
"""What each fault needs beside the masquerade; the short timer is one of its settings."""


def main() -> int:
    """Be a NAT with a fault."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fault", choices=FAULTS, required=True)
    fault = parser.parse_args().fault
    configuration = read_configuration(os.environ)
    FAULTS[fault](configuration.wires)
    if fault == "short-timer":
        root = dict(configuration.root.value)
        root["legacy"] = {**root["legacy"], "udp_timeout_s": 1}
        configuration = Configuration(configuration.wires, Table(root), None, ())
    return run_masquerade(configuration)


if __name__ == "__main__":
    sys.exit(main())
