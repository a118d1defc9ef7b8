# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT of this machine's kernel between two wires: netfilter's masquerade, as a router's distribution sets it up."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference.agent.agent import Agent
from reference.agent.streams import say
from reference.middlebox.kernel import read_sides, settle_between
from reference.middlebox.role import SIDES
from reference.system import nfnetlink
from reference.system.configuration import Configuration, ConfigurationError, Table
from reference.system.linux import set_mtu
from reference.system.log import log
from reference.system.rules import leaves_by

NAME = "netfilter masquerade"
_SYSCTL = Path("/proc/sys/net")
_UDP_TIMERS = ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream")
_LONGEST_S = 3600
_MTUS = (576, 9000)

_SOURCE_NAT_PRIORITY = 100


def run_masquerade(configuration: Configuration) -> int:
    """Forward and translate until standard input ends (0) or something breaks (1)."""
    return run_between(configuration, NAME, masquerade)


def run_between(configuration: Configuration, name: str, set_up: Callable[[str, str], None]) -> int:
    """Have the kernel forward between two wires, inside and outside, by the rules that `set_up` makes for them."""
    if len(configuration.wires) != len(SIDES):
        raise ConfigurationError(f"DUT_WIRES must name exactly two interfaces for {name}")
    inside, outside = configuration.wires
    sides = read_sides(configuration)
    try:
        settle_between(configuration.wires, sides, {})
        set_up(inside, outside)
        settings = configuration.of_protocol("legacy")
        set_mtu(outside, settings.integer("outside_mtu", *_MTUS, 1500))
        _set_timers(settings)
        (_SYSCTL / "ipv4/ip_forward").write_text("1")
        asyncio.run(_serve(name))
    except OSError as error:
        log(error.strerror or str(error))
        return 1
    return 0


def masquerade(inside: str, outside: str) -> None:
    """What leaves through the outside gets its address: `oif OUTSIDE masquerade`."""
    rule = (*leaves_by(outside), nfnetlink.expression("masq"))
    hook = nfnetlink.POSTROUTING
    nfnetlink.load("nat", (nfnetlink.Chain("outward", hook, _SOURCE_NAT_PRIORITY, "nat", rules=(rule,)),))


def _set_timers(table: Table) -> None:
    """The UDP mapping timer, in whole seconds, where the profile states it; all others stay as the kernel has them."""
    if table.value.get("udp_timeout_s"):
        seconds = round(table.number("udp_timeout_s", 1, _LONGEST_S))
        for name in _UDP_TIMERS:
            (_SYSCTL / "netfilter" / name).write_text(str(seconds))


async def _serve(name: str) -> None:
    def answer(question: str) -> dict[str, Any]:
        """A box without a daemon of its own tells who it is."""
        if question == "status":
            return {"name": name, "version": os.uname().release}
        return {"error": f"{name} knows no {question}"}

    agent = Agent(dual_stack=False, ask=answer)
    say({"ready": True, "name": name, "version": os.uname().release})
    await agent.serve()
