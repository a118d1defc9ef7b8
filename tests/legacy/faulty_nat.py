# SPDX-License-Identifier: GPL-2.0-or-later
"""netfilter's masquerade with one rule more that makes it wrong in one way. Run as a program: `--fault NAME`."""

import argparse
import os
import sys
from collections.abc import Callable

from reference.legacy.masquerade import run_masquerade
from reference.system.configuration import Configuration, Table, read_configuration
from reference.system.nfnetlink import FORWARD, OUTPUT, POSTROUTING, PREROUTING, Chain, expression, load, number
from reference.system.rules import DROPPED, NETWORK, TRANSPORT, UNEQUAL, Rule, comes_from, field, protocol

ICMP, TCP, UDP = 1, 6, 17
FULLY_RANDOM = 16
BEFORE_DEFRAGMENTATION, BEFORE_SOURCE_NAT, FILTER = -450, 99, 0
OUTSIDE = 1
RST, SYN, SYN_AND_ACK = 0x04, 0x02, 0x12


def message(*kinds: int) -> list[Rule]:
    """Rules that drop ICMP messages of these types."""
    return [(*protocol(ICMP), *field(TRANSPORT, 0, bytes([kind])), *DROPPED) for kind in kinds]


def _hook(hook: int, rules: list[Rule], priority: int = FILTER, kind: str = "filter") -> None:
    load("fault", (Chain("fault", hook, priority, kind, rules=tuple(rules)),))


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
        PREROUTING, [(*field(NETWORK, 6, bytes(2), b"\x3f\xff", UNEQUAL), *DROPPED)], BEFORE_DEFRAGMENTATION
    ),
    "no-resets": lambda wires: _hook(FORWARD, [(*_flags(RST, RST), *DROPPED)]),
    "no-syn-from-outside": lambda wires: _hook(
        FORWARD, [(*comes_from(wires[OUTSIDE]), *_flags(SYN, SYN_AND_ACK), *DROPPED)]
    ),
    "no-datagrams-without-checksum": lambda wires: _hook(
        FORWARD, [(*protocol(UDP), *field(TRANSPORT, 6, bytes(2)), *DROPPED)]
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
