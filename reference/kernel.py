# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel of this machine on the wire as it is: no bump, nothing intercepted, only an address and services."""

import asyncio
import ipaddress
import os
from typing import Any

from reference.addresses import ipv4_text
from reference.agent import Agent, say
from reference.configuration import Configuration, ConfigurationError
from reference.log import log
from reference.rtnetlink import Rtnetlink


def run_kernel(configuration: Configuration) -> int:
    """Serve until standard input ends (0) or something breaks (1)."""
    settings = configuration.ipv4
    if settings is None:
        raise ConfigurationError("DUT_CONFIG: networks must have ipv4 for a kernel on the wire")
    wire, length = configuration.wires[0], settings.prefix_length
    address = ipv4_text(settings.address)
    prefix = ipaddress.IPv4Network(f"{address}/{length}", strict=False).network_address
    try:
        with Rtnetlink() as netlink:
            netlink.add_address(wire, settings.address.to_bytes(4, "big"))
            netlink.add_route(wire, prefix.packed, length, quickack=False)
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
    return {"name": os.uname().sysname, "version": os.uname().release} if question == "status" else {}
