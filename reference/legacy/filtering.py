# SPDX-License-Identifier: GPL-2.0-or-later
"""The firewall of this machine's kernel between two wires: a stateful ruleset, as a distribution sets it up.

chain forward { policy drop; ct state invalid drop; ct state established,related accept; iif INSIDE accept }
"""

from reference.legacy.masquerade import run_between
from reference.system import nfnetlink
from reference.system.configuration import Configuration
from reference.system.rules import ACCEPTED, DROPPED, ESTABLISHED, INVALID, RELATED, Rule, comes_from, state

NAME = "netfilter stateful ruleset"
_FILTER_PRIORITY = 0


def run_filtering(configuration: Configuration) -> int:
    """Forward and filter until standard input ends (0) or something breaks (1)."""
    return run_between(configuration, NAME, filter_statefully)


def filter_statefully(inside: str, outside: str) -> None:
    """What the inside has begun passes, and nothing else."""
    rules, hook, policy = forward_rules(inside), nfnetlink.FORWARD, nfnetlink.DROP
    nfnetlink.load("filter", (nfnetlink.Chain("forward", hook, _FILTER_PRIORITY, policy=policy, rules=rules),))


def forward_rules(inside: str) -> tuple[Rule, ...]:
    """The rules of the chain of what is forwarded; what none of them takes is dropped."""
    return (
        (*state(INVALID), *DROPPED),
        (*state(ESTABLISHED | RELATED), *ACCEPTED),
        (*comes_from(inside), *ACCEPTED),
    )
