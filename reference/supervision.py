# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon beside the process of its agent: it serves the wires, answers the agent's questions, and ends with it."""

import gc
import json
import os
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from reference import NAME, VERSION
from reference.system.log import log

MESSAGE = 65536
"""The longest message between the two, in bytes."""


class HostError(Exception):
    """The device cannot start or go on: one line that says why."""


class StopServing(BaseException):
    """The loop is to end: the agent has ended or a signal has come."""


class Served(Protocol):
    """What the agent asks."""

    def asked(self, question: str, words: str) -> dict[str, Any]: ...
    def status(self) -> dict[str, Any]: ...


class Loop(Protocol):
    """What serves the wires, and handlers by file descriptor."""

    def run(self, events: dict[int, Callable[[], None]]) -> None: ...


def asker(control: socket.socket) -> Callable[[str], dict[str, Any]]:
    """How the agent asks the daemon."""

    def ask(question: str) -> dict[str, Any]:
        control.send(question.encode())
        return dict(json.loads(control.recv(MESSAGE)))

    return ask


def expect(control: socket.socket, word: bytes) -> None:
    """Wait for a word of the agent; HostError when it says something else."""
    if control.recv(MESSAGE) != word:
        raise HostError("the agent could not start")


def supervise(
    served: Served, loop: Loop, control: socket.socket, agent: int, networks: Sequence[str], alteration: str | None
) -> int:
    """Run the loop; answer the agent's questions; end with the agent or on a signal."""
    watched = os.pidfd_open(agent)
    stopping = False

    def ended() -> None:
        raise StopServing

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        raise StopServing

    def asked() -> None:
        question, _, words = control.recv(MESSAGE).decode().partition(" ")
        if question == "":
            raise StopServing
        if question == "status":
            answer = {"name": NAME, "version": VERSION, "alteration": alteration, **served.status()}
        else:
            answer = served.asked(question, words)
        control.send(json.dumps(answer).encode())

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log(f"{NAME} {VERSION} serves {', '.join(networks)}" + (f", altered: {alteration}" if alteration else ""))
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
