# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT of this machine's kernel between two wires: netfilter's masquerade, as a router's distribution sets it up."""

import asyncio
import os
import socket
import struct
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

NAME = "netfilter masquerade"
_SYSCTL = Path("/proc/sys/net")
_UDP_TIMERS = ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream")
_LONGEST_S = 3600
_MTUS = (576, 9000)

_META_KEY, _META_REGISTER, _OUTPUT_INTERFACE = 2, 1, 5
_COMPARE_REGISTER, _COMPARE_HOW, _COMPARE_WITH, _EQUAL, _VALUE = 1, 2, 3, 0, 1
_REGISTER = 1
_SOURCE_NAT_PRIORITY = 100


def run_masquerade(configuration: Configuration) -> int:
    """Forward and translate until standard input ends (0) or something breaks (1)."""
    if len(configuration.wires) != len(SIDES):
        raise ConfigurationError("DUT_WIRES must name exactly two interfaces for a NAT")
    sides = read_sides(configuration)
    try:
        settle_between(configuration.wires, sides, {})
        masquerade(configuration.wires[1])
        settings = configuration.of_protocol("legacy")
        set_mtu(configuration.wires[1], settings.integer("outside_mtu", *_MTUS, 1500))
        _set_timers(settings)
        (_SYSCTL / "ipv4/ip_forward").write_text("1")
        asyncio.run(_serve())
    except OSError as error:
        log(error.strerror or str(error))
        return 1
    return 0


def masquerade(outside: str) -> None:
    """What leaves through an interface gets its address: `oif OUTSIDE masquerade`."""
    index = struct.pack("=I", socket.if_nametoindex(outside))
    rule = (
        nfnetlink.expression(
            "meta",
            nfnetlink.number(_META_KEY, _OUTPUT_INTERFACE),
            nfnetlink.number(_META_REGISTER, _REGISTER),
        ),
        nfnetlink.expression(
            "cmp",
            nfnetlink.number(_COMPARE_REGISTER, _REGISTER),
            nfnetlink.number(_COMPARE_HOW, _EQUAL),
            nfnetlink.nested(_COMPARE_WITH, nfnetlink.attribute(_VALUE, index)),
        ),
        nfnetlink.expression("masq"),
    )
    hook = nfnetlink.POSTROUTING
    nfnetlink.load("nat", (nfnetlink.Chain("outward", hook, _SOURCE_NAT_PRIORITY, "nat", rules=(rule,)),))


def _set_timers(table: Table) -> None:
    """The UDP mapping timer, in whole seconds, where the profile states it; all others stay as the kernel has them."""
    if table.value.get("udp_timeout_s"):
        seconds = round(table.number("udp_timeout_s", 1, _LONGEST_S))
        for name in _UDP_TIMERS:
            (_SYSCTL / "netfilter" / name).write_text(str(seconds))


async def _serve() -> None:
    agent = Agent(dual_stack=False, ask=_answer)
    say({"ready": True, "name": NAME, "version": os.uname().release})
    await agent.serve()


def _answer(question: str) -> dict[str, Any]:
    """A box without a daemon of its own tells who it is."""
    if question == "status":
        return {"name": NAME, "version": os.uname().release}
    return {"error": f"{NAME} knows no {question}"}
