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
from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from reference import NAME, VERSION
from reference.addresses import ipff_text, ipv4_text
from reference.configuration import HOST, LEGACY_HOST, MOBILE_NODE, Configuration
from reference.datapath import Datapath
from reference.host_namespace import MTU_MARGIN, STACK, make_pair, settle_in
from reference.legacy_datapath import LegacyDatapath
from reference.linux import die_with_parent, interface_facts, packet_socket, unshare_network
from reference.log import log
from reference.mops_datapath import MopsDatapath
from reference.network import Network
from reference.network_ipff import IpffNetwork
from reference.network_ipv4 import Ipv4Network
from reference.own_address import OwnAddress, OwnAddresses
from reference.parts import Parts
from reference.rehash_datapath import RehashDatapath

_MESSAGE = 65536


class HostError(Exception):
    """The host cannot start or go on: one line that says why."""


class StopServing(BaseException):
    """The loop is to end: the agent has ended or a signal has come."""


def run_host(configuration: Configuration, parts: Parts, deviation: str | None) -> int:
    """Run until standard input ends (0) or something breaks (1)."""
    wire_name = configuration.wires[0]
    try:
        wire_mac, wire_mtu = interface_facts(wire_name)
        wire = packet_socket(wire_name)
    except OSError as error:
        raise HostError(f"interface {wire_name}: {error.strerror}") from None
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    daemon = os.getpid()
    agent = os.fork()
    if agent == 0:
        ours.close()
        wire.close()
        os._exit(_agent_process(configuration, parts, theirs, daemon))
    theirs.close()
    try:
        _expect(ours, b"namespace")
        unshare_network()
        make_pair(agent, wire_mtu if configuration.role == LEGACY_HOST else wire_mtu - MTU_MARGIN)
        stack = packet_socket(STACK)
        ours.send(b"linked")
        _expect(ours, b"serving")
    except OSError as error:
        raise HostError(error.strerror or str(error)) from None
    networks: list[Network] = []
    if configuration.ipff is not None:
        networks.append(IpffNetwork(configuration.ipff, parts.flows()))
    if configuration.ipv4 is not None:
        networks.append(Ipv4Network(configuration.ipv4, parts.flows()))
    make = {HOST: _rehash_host, LEGACY_HOST: _legacy_host}.get(configuration.role, _mops_host)
    datapath, counters = make(configuration, parts, networks, (wire, wire_mac, stack), wire_mtu)
    return _supervise(datapath, counters, ours, agent, deviation)


Counters = Mapping[str, int]
_Interfaces = tuple[socket.socket, bytes, socket.socket]


def _mops_host(
    configuration: Configuration, parts: Parts, networks: list[Network], interfaces: _Interfaces, wire_mtu: int
) -> tuple[Datapath, Counters]:
    neighbour_mac = configuration.ipff.neighbour_mac if configuration.ipff is not None else None
    datapath = MopsDatapath(*interfaces, networks, neighbour_mac)
    choices = parts.choices()
    datapath.begin(choices, parts.mobile_capable(configuration.mobile_capable))
    server = datapath.server = parts.mops_server(
        parts.rate_limit(configuration.rate_limit_s),
        configuration.migrate_seq == "exact",
        datapath.settle,
        datapath.send,
        choices,
    )
    if configuration.role != MOBILE_NODE:
        return datapath, server.counters
    datapath.node = parts.mobile_node(
        configuration.retry_interval_s, configuration.retries, choices, parts.nat_table(), parts.anycast(), datapath
    )
    return datapath, ChainMap(datapath.node.counters, server.counters)


def _rehash_host(
    configuration: Configuration, parts: Parts, networks: list[Network], interfaces: _Interfaces, wire_mtu: int
) -> tuple[Datapath, Counters]:
    (network,) = networks
    assert isinstance(network, Ipv4Network)
    datapath = RehashDatapath(*interfaces, network, configuration.rehash, parts)
    datapath.rehash.segment_limit = wire_mtu - MTU_MARGIN - 40
    return datapath, datapath.rehash.counters


def _legacy_host(
    configuration: Configuration, parts: Parts, networks: list[Network], interfaces: _Interfaces, wire_mtu: int
) -> tuple[Datapath, Counters]:
    (network,) = networks
    assert isinstance(network, Ipv4Network)
    return LegacyDatapath(*interfaces, network, parts), {}


def _expect(control: socket.socket, word: bytes) -> None:
    if control.recv(_MESSAGE) != word:
        raise HostError("the agent could not start")


def _supervise(
    datapath: Datapath, counters: Counters, control: socket.socket, agent: int, deviation: str | None
) -> int:
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
        answer = datapath.asked(question, words)
        control.send(json.dumps(_status(datapath, counters, deviation) if answer is None else answer).encode())

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log(
        f"{NAME} {VERSION} serves {', '.join(network.name for network in datapath.networks)}"
        + (f", deviation {deviation}" if deviation else "")
    )
    gc.freeze()
    try:
        control.send(b"go")
        datapath.run({watched: ended, control.fileno(): asked})
    except StopServing:
        pass
    if stopping:
        signal.pidfd_send_signal(watched, signal.SIGKILL)
    status = os.waitpid(agent, 0)[1]
    if stopping or status == 0:
        return 0
    raise HostError(f"the agent ended unexpectedly ({os.waitstatus_to_exitcode(status)})")


def _status(datapath: Datapath, counters: Counters, deviation: str | None) -> dict[str, Any]:
    return {
        "name": NAME,
        "version": VERSION,
        "deviation": deviation,
        "connections": {network.name: len(network.flows) for network in datapath.networks},
        "migrated": {network.name: len(list(network.flows.moved())) for network in datapath.networks},
        **counters,
        **datapath.counters,
    }


# The agent's process -------------------------------------------------------------------------------------------------


def _agent_process(configuration: Configuration, parts: Parts, control: socket.socket, daemon: int) -> int:
    die_with_parent(daemon)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # the daemon decides; unlike SIG_IGN this is not inherited
    try:
        unshare_network()
        control.send(b"namespace")
        if control.recv(_MESSAGE) != b"linked":
            return 1
        settle_in(configuration)
        asyncio.run(_serve(configuration, parts, control))
    except OSError as error:
        log(error.strerror or str(error))
        return 1
    return 0


async def _serve(configuration: Configuration, parts: Parts, control: socket.socket) -> None:
    from reference.agent import Agent, say

    def ask(question: str) -> dict[str, Any]:
        control.send(question.encode())
        return dict(json.loads(control.recv(_MESSAGE)))

    own: OwnAddress | None = None
    if configuration.role == HOST and configuration.ipv4 is not None:
        own = parts.own_address(ipv4_text(configuration.ipv4.address))
    elif configuration.role == MOBILE_NODE:
        own = OwnAddresses(
            ipff_text(configuration.ipff.address) if configuration.ipff is not None else None,
            ipv4_text(configuration.ipv4.address) if configuration.ipv4 is not None else None,
        )
    agent = Agent(configuration.ipff is not None, ask, own)
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
