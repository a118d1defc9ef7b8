# SPDX-License-Identifier: GPL-2.0-or-later
"""netfilter's stateful ruleset with rules more that make it wrong in one way. Run as a program: `--fault NAME`."""

import argparse
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from reference.legacy.filtering import filter_statefully, forward_rules
from reference.legacy.masquerade import run_between
from reference.system.configuration import read_configuration
from reference.system.nfnetlink import DROP, FORWARD, PREROUTING, Chain, attribute, expression, load, number
from reference.system.rules import INVALID, TRANSPORT, UNTRACKED, Rule, field, protocol, state

TCP, SYN, FLAGS = 6, 0x02, 0x17
RAW, FILTER, AFTER_FILTER = -300, 0, 1
EXPERIMENT, TCP_OPTION = 253, 1
MSS, SCALE, SYNPROXY_OPTIONS = 1460, 7, 0x01 | 0x02 | 0x04 | 0x08
LOOSE = Path("/proc/sys/net/netfilter/nf_conntrack_tcp_loose")

IS_TCP: Rule = (*protocol(TCP),)


def reset_option(inside: str, outside: str) -> None:
    """The stateful ruleset, and `reset tcp option 253` for what passes it."""
    filter_statefully(inside, outside)
    reset = expression("exthdr", attribute(2, bytes([EXPERIMENT])), number(6, TCP_OPTION))
    load("options", (Chain("options", FORWARD, AFTER_FILTER, rules=((*IS_TCP, reset),)),))


def answer_for_servers(inside: str, outside: str) -> None:
    """SYNPROXY: the firewall answers SYNs itself, and calls the server when the client has acknowledged."""
    LOOSE.write_text("0")
    is_call = (*IS_TCP, *field(TRANSPORT, 13, bytes([SYN]), bytes([FLAGS])))
    load("raw", (Chain("raw", PREROUTING, RAW, rules=((*is_call, expression("notrack")),)),))
    proxy = expression(
        "synproxy",
        attribute(1, struct.pack("!H", MSS)),
        attribute(2, bytes([SCALE])),
        number(3, SYNPROXY_OPTIONS),
    )
    rules = ((*IS_TCP, *state(INVALID | UNTRACKED), proxy), *forward_rules(inside))
    load("filter", (Chain("forward", FORWARD, FILTER, policy=DROP, rules=rules),))


FAULTS: dict[str, Callable[[str, str], None]] = {
    "reset-option": reset_option,
    "answer-for-servers": answer_for_servers,
}


def main() -> int:
    """Be a firewall with a fault."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fault", choices=FAULTS, required=True)
    fault = parser.parse_args().fault
    return run_between(read_configuration(os.environ), f"netfilter, {fault}", FAULTS[fault])


if __name__ == "__main__":
    sys.exit(main())
