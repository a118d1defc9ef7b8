# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts from a warm process: everything is imported once, and a host is a fork (docs/dut-contract.md, Fork server).

A host is cloned as a sibling (CLONE_PARENT, clone(2)): the tester's supervisor is its parent, waits for it and takes it
along.
"""

import ctypes
import gc
import importlib
import json
import os
import platform
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from reference.system.configuration import ConfigurationError
from reference.system.linux import die_with_parent, enter_network
from reference.system.log import start_over

_CLONE_PARENT = 0x8000
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_MESSAGE = 1 << 18
_MOST_FDS = 4
_STREAMS = 3

# PyDLL: the interpreter's lock is held all the time, as os.fork holds it.
_python = ctypes.PyDLL(None, use_errno=True)


def serve(run: Callable[[list[str]], int], prepare: Callable[[list[str]], None], warm: Iterable[str]) -> int:
    """Clone a host, which does `run`, for each request until the supervisor hangs up; exit code 0.

    `warm` are modules to import before the first, `prepare` is called in this process for the arguments of each.
    ConfigurationError where the environment names no socket or the processor is unknown.
    """
    number = os.environ.get("DUT_FORK_SERVER", "")
    if not number.isdecimal() or platform.machine() not in _SYS_CLONE:
        raise ConfigurationError("--fork-server: DUT_FORK_SERVER must name a socket, on x86_64 or aarch64")
    for module in warm:
        importlib.import_module(module)
    supervisor = os.getppid()
    _freeze()
    with socket.socket(fileno=int(number)) as control:
        while True:
            message, fds, _, _ = socket.recv_fds(control, _MESSAGE, _MOST_FDS)
            if not message:
                return 0
            request = json.loads(message)
            prepare(request["arguments"])
            try:
                pid = _clone()
            except OSError as error:
                reply: dict[str, Any] = {"error": error.strerror or str(error)}
            else:
                if pid == 0:
                    control.close()
                    _become_host(run, request, fds, supervisor)
                reply = {"pid": pid}
            for fd in fds:
                os.close(fd)
            control.send(json.dumps(reply).encode())


def _freeze() -> None:
    """Keep the collector off what is there: a host's collection would copy all of its memory."""
    gc.collect()
    gc.freeze()


def _clone() -> int:
    """fork(2) whose child is a sibling of the caller."""
    _python.PyOS_BeforeFork()
    pid = int(_python.syscall(_SYS_CLONE[platform.machine()], _CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0))
    if pid == 0:
        _python.PyOS_AfterFork_Child()
        return 0
    number = ctypes.get_errno()
    _python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(number, os.strerror(number))
    return pid


def _become_host(run: Callable[[list[str]], int], request: dict[str, Any], fds: list[int], supervisor: int) -> NoReturn:
    """Take over streams, namespace and environment, run the host and end."""
    code = 1
    try:
        die_with_parent(supervisor)
        os.setsid()
        if len(fds) > _STREAMS:
            enter_network(fds[_STREAMS])
        for target, fd in enumerate(fds[:_STREAMS]):
            os.dup2(fd, target)
        for fd in fds:
            os.close(fd)
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
        start_over()
        code = run(request["arguments"])
        sys.stdout.flush()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)
