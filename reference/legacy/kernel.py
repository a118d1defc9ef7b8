# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel of this machine on the wire as it is: no bump, nothing intercepted, only an address and services."""

import asyncio
import os
from typing import Any

from reference.agent.agent import Agent
from reference.agent.streams import say
from reference.bump.ipv4 import Ipv4Settings
from reference.bump.role import read_networks
from reference.system.configuration import Configuration
from reference.system.log import log
from reference.system.rtnetlink import Rtnetlink


def run_kernel(configuration: Configuration) -> int:
    """Serve until standard input ends (0) or something breaks (1)."""
    (network,) = read_networks(configuration, (Ipv4Settings,), "a kernel on the wire")
    wire, (prefix, length) = configuration.wires[0], network.kernel_route
    try:
        with Rtnetlink() as netlink:
            netlink.add_address(wire, network.kernel_address)
            netlink.add_route(wire, prefix, length, quickack=False)
        asyncio.run(_serve(configuration))
    except OSError as error:
        log(error.strerror or str(error))
        return 1
    return 0


async def _serve(configuration: Configuration) -> None:
    agent = Agent(dual_stack=False, ask=_answer)
    if configuration.echo_port is not None:
        await agent.listen(configuration.echo_port, "echo")
    system = os.uname()
    say({"ready": True, "name": f"{system.sysname} kernel", "version": system.release})
    await agent.serve()


def _answer(question: str) -> dict[str, Any]:
    """There is no daemon that knows more than the agent."""
    if question == "status":
        return {"name": os.uname().sysname, "version": os.uname().release}
    return {"error": f"an ordinary kernel knows no {question}"}
