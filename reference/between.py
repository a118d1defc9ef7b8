# SPDX-License-Identifier: GPL-2.0-or-later
"""A device between two links: a daemon and, in a process of its own, the agent, which knows `status`.

The daemon of a middlebox serves both wires itself: the kernel has no address there and takes no part. Where connections
end in the kernel, the daemon is a program on its sockets.
"""

import asyncio
import os
import signal
import socket

from reference import NAME, VERSION
from reference.agent.agent import Agent
from reference.agent.streams import say
from reference.middlebox.kernel import KernelRole, settle_between
from reference.middlebox.loop import WiresLoop
from reference.middlebox.role import MiddleboxRole
from reference.supervision import MESSAGE, HostError, asker, expect, supervise
from reference.system.configuration import Configuration
from reference.system.linux import (
    as_many_descriptors_as_allowed,
    die_with_parent,
    interface_facts,
    packet_socket,
)
from reference.system.log import log
from reference.system.role import Wire

_VERBS = frozenset({"status"})


def run_middlebox(configuration: Configuration, role: MiddleboxRole, alteration: str | None) -> int:
    """Run until standard input ends (0) or something breaks (1)."""
    facts, sockets = [], []
    for name in configuration.wires:
        try:
            facts.append(Wire(*interface_facts(name)))
            sockets.append(packet_socket(name))
        except OSError as error:
            raise HostError(f"interface {name}: {error.strerror}") from None
    control, agent = _start_agent(sockets)
    box = role.build(facts)
    loop = WiresLoop(box, sockets, box.handlers(configuration.wires, sockets))
    return supervise(box, loop, control, agent, [one.name for one in box.networks], alteration)


def run_on_kernel(configuration: Configuration, role: KernelRole, alteration: str | None) -> int:
    """Run until standard input ends (0) or something breaks (1)."""
    as_many_descriptors_as_allowed()
    control, agent = _start_agent([])
    try:
        interfaces = role.interfaces(configuration.wires)
        settle_between(interfaces, (role.inside, role.outside), role.sysctls, quickack=role.quickack)
        program = role.build()
    except OSError as error:
        raise HostError(error.strerror or str(error)) from None
    return supervise(program, program, control, agent, [role.inside.name], alteration)


def _start_agent(sockets: list[socket.socket]) -> tuple[socket.socket, int]:
    """The agent's process, which closes these, and the socket to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    daemon = os.getpid()
    agent = os.fork()
    if agent == 0:
        for one in (ours, *sockets):
            one.close()
        os._exit(_agent_process(theirs, daemon))
    theirs.close()
    expect(ours, b"serving")
    return ours, agent


def _agent_process(control: socket.socket, daemon: int) -> int:
    die_with_parent(daemon)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # the daemon decides
    try:
        asyncio.run(_serve(control))
    except OSError as error:
        log(error.strerror or str(error))
        return 1
    return 0


async def _serve(control: socket.socket) -> None:
    agent = Agent(dual_stack=False, ask=asker(control), verbs=_VERBS)
    control.send(b"serving")
    if control.recv(MESSAGE) != b"go":
        raise OSError("the daemon went away")
    say({"ready": True, "name": NAME, "version": VERSION})
    await agent.serve()
