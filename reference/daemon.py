# SPDX-License-Identifier: GPL-2.0-or-later
"""A host: the daemon on the wire and, in a process of its own, the agent with the applications.

The daemon takes a raw socket on the wire and moves on to a namespace of its own, where its end of the pair lives: in
the namespace of the wire nothing is made or changed. When one process ends, everything does.
"""

import asyncio
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

from reference import NAME, VERSION
from reference.agent.agent import Agent
from reference.agent.streams import say
from reference.bump.datapath import Datapath
from reference.bump.loop import Loop
from reference.bump.namespaces import STACK, make_pair, settle_in
from reference.bump.role import Role, Wire
from reference.system.configuration import Configuration
from reference.system.linux import (
    as_many_descriptors_as_allowed,
    die_with_parent,
    interface_facts,
    packet_socket,
    unshare_network,
)
from reference.system.log import log

_MESSAGE = 65536


class HostError(Exception):
    """The host cannot start or go on: one line that says why."""


class StopServing(BaseException):
    """The loop is to end: the agent has ended or a signal has come."""


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
        _expect(ours, b"namespace")
        unshare_network()
        make_pair(agent, role.kernel_mtu(wire))
        stack = packet_socket(STACK)
        ours.send(b"linked")
        _expect(ours, b"serving")
    except OSError as error:
        raise HostError(error.strerror or str(error)) from None
    datapath = role.build(wire)
    return _supervise(datapath, Loop(datapath, wire_socket, stack), ours, agent, alteration)


def _expect(control: socket.socket, word: bytes) -> None:
    if control.recv(_MESSAGE) != word:
        raise HostError("the agent could not start")


def _supervise(datapath: Datapath, loop: Loop, control: socket.socket, agent: int, alteration: str | None) -> int:
    """Run the datapath; answer the agent's questions; end with the agent or on a signal."""
    watched = os.pidfd_open(agent)
    stopping = False

    def ended() -> None:
        raise StopServing

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        raise StopServing

    def asked() -> None:
        question, _, words = control.recv(_MESSAGE).decode().partition(" ")
        if question == "":
            raise StopServing
        if question == "status":
            answer = {"name": NAME, "version": VERSION, "alteration": alteration, **datapath.status()}
        else:
            answer = datapath.asked(question, words)
        control.send(json.dumps(answer).encode())

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log(
        f"{NAME} {VERSION} serves {', '.join(network.name for network in datapath.networks)}"
        + (f", altered: {alteration}" if alteration else "")
    )
    gc.freeze()
    try:
        control.send(b"go")
        loop.run({watched: ended, control.fileno(): asked})
    except StopServing:
        pass
    if stopping:
        signal.pidfd_send_signal(watched, signal.SIGKILL)
    status = os.waitpid(agent, 0)[1]
    if stopping or status == 0:
        return 0
    raise HostError(f"the agent ended unexpectedly ({os.waitstatus_to_exitcode(status)})")


# The agent's process -------------------------------------------------------------------------------------------------


def _agent_process(configuration: Configuration, role: Role, control: socket.socket, daemon: int) -> int:
    die_with_parent(daemon)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # the daemon decides; unlike SIG_IGN this is not inherited
    try:
        unshare_network()
        control.send(b"namespace")
        if control.recv(_MESSAGE) != b"linked":
            return 1
        settle_in(role.networks, role.further_addresses())
        asyncio.run(_serve(configuration, role, control))
    except OSError as error:
        log(error.strerror or str(error))
        return 1
    return 0


async def _serve(configuration: Configuration, role: Role, control: socket.socket) -> None:
    def ask(question: str) -> dict[str, Any]:
        control.send(question.encode())
        return dict(json.loads(control.recv(_MESSAGE)))

    dual_stack = any(network.is_ipv6 for network in role.networks)
    agent = Agent(dual_stack, ask, role.own_address())
    if configuration.echo_port is not None:
        await agent.listen(configuration.echo_port, "echo")
    control.send(b"serving")
    if control.recv(_MESSAGE) != b"go":
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
