# SPDX-License-Identifier: GPL-2.0-or-later
"""A host: the daemon on the wire and, in a process of its own, the agent with the applications.

The daemon takes a raw socket on the wire and moves on to a namespace of its own, where its end of the pair lives: in
the namespace of the wire nothing is made or changed. When one process ends, everything does.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys

from reference import NAME, VERSION
from reference.agent.agent import Agent
from reference.agent.streams import say
from reference.bump.loop import Loop
from reference.bump.namespaces import STACK, make_pair, settle_in
from reference.bump.role import Role
from reference.supervision import MESSAGE, HostError, asker, expect, supervise
from reference.system.configuration import Configuration
from reference.system.linux import (
    as_many_descriptors_as_allowed,
    die_with_parent,
    interface_facts,
    packet_socket,
    unshare_network,
)
from reference.system.log import log
from reference.system.role import Wire


def run_host(configuration: Configuration, role: Role, alteration: str | None) -> int:
    """Run until standard input ends (0) or something breaks (1)."""
    wire_name = configuration.wires[0]
    as_many_descriptors_as_allowed()
    try:
        wire = Wire(*interface_facts(wire_name))
        wire_socket = packet_socket(wire_name)
    except OSError as error:
        raise HostError(f"interface {wire_name}: {error.strerror}") from None
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    daemon = os.getpid()
    agent = os.fork()
    if agent == 0:
        ours.close()
        wire_socket.close()
        os._exit(_agent_process(configuration, role, theirs, daemon))
    theirs.close()
    try:
        expect(ours, b"namespace")
        unshare_network()
        make_pair(agent, role.kernel_mtu(wire))
        stack = packet_socket(STACK)
        ours.send(b"linked")
        expect(ours, b"serving")
    except OSError as error:
        raise HostError(error.strerror or str(error)) from None
    datapath = role.build(wire)
    networks = [network.name for network in datapath.networks]
    return supervise(datapath, Loop(datapath, wire_socket, stack), ours, agent, networks, alteration)


# The agent's process -------------------------------------------------------------------------------------------------


def _agent_process(configuration: Configuration, role: Role, control: socket.socket, daemon: int) -> int:
    die_with_parent(daemon)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # the daemon decides; unlike SIG_IGN this is not inherited
    try:
        unshare_network()
        control.send(b"namespace")
        if control.recv(MESSAGE) != b"linked":
            return 1
        settle_in(role.networks, role.further_addresses())
        asyncio.run(_serve(configuration, role, control))
    except OSError as error:
        log(error.strerror or str(error))
        return 1
    return 0


async def _serve(configuration: Configuration, role: Role, control: socket.socket) -> None:
    dual_stack = any(network.is_ipv6 for network in role.networks)
    agent = Agent(dual_stack, asker(control), role.own_address())
    if configuration.echo_port is not None:
        await agent.listen(configuration.echo_port, "echo")
    control.send(b"serving")
    if control.recv(MESSAGE) != b"go":
        raise OSError("the daemon went away")
    agent_process = os.getpid()
    for argv in configuration.applications:
        subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            preexec_fn=lambda: die_with_parent(agent_process),
        )
    say({"ready": True, "name": NAME, "version": VERSION})
    await agent.serve()
