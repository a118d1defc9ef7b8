# SPDX-License-Identifier: GPL-2.0-or-later
"""SOCKS servers that nobody here wrote, between two wires: what a proxy is without RECONNECT."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference.agent.agent import Agent
from reference.agent.streams import say
from reference.middlebox.kernel import read_sides, settle_between
from reference.middlebox.role import SIDES
from reference.msocks.settings import ProxySettings
from reference.supervision import HostError
from reference.system.configuration import Configuration, ConfigurationError
from reference.system.linux import die_with_parent
from reference.system.log import log
from reference.system.rtnetlink import Rtnetlink

_START_S, _AGAIN_S = 10.0, 0.02
_DANTED = """\
logoutput: stderr
errorlog: stderr
internal: {inside} port = {port}
external: {outside}
clientmethod: none
socksmethod: none
client pass {{
    from: 0.0.0.0/0 to: 0.0.0.0/0
    log: error
}}
socks pass {{
    from: 0.0.0.0/0 to: 0.0.0.0/0
    command: bind connect bindreply
    log: error
}}
"""

Command = Callable[[Path, str, str, ProxySettings], list[str]]


def danted(folder: Path, inside: str, outside: str, settings: ProxySettings) -> list[str]:
    """Dante's server, which takes everybody."""
    path = folder / "danted.conf"
    path.write_text(_DANTED.format(inside=inside, outside=outside, port=settings.port))
    return ["danted", "-f", str(path), "-p", str(folder / "pid")]


def microsocks(folder: Path, inside: str, outside: str, settings: ProxySettings) -> list[str]:
    """microsocks, which knows one user at the most."""
    del folder
    user = next(iter(settings.users.items()), None)
    words = [] if user is None else ["-u", user[0].decode(), "-P", user[1].decode()]
    return ["microsocks", "-i", inside, "-p", str(settings.port), "-b", outside, *words]


SERVERS: dict[str, Command] = {"danted": danted, "microsocks": microsocks}


def run_stock(name: str, configuration: Configuration) -> int:
    """Run a server until standard input ends (0) or something breaks (1)."""
    if len(configuration.wires) != len(SIDES):
        raise ConfigurationError("DUT_WIRES must name exactly two interfaces for a proxy")
    settings = ProxySettings.read(configuration.of_protocol("msocks"))
    inside, outside = read_sides(configuration)
    program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise HostError(f"{name} is not installed")
    with tempfile.TemporaryDirectory() as folder:
        words = SERVERS[name](Path(folder), inside.text, outside.text, settings)
        try:
            with Rtnetlink() as netlink:
                netlink.set_up("lo")  # over which it is asked whether it listens
            settle_between(configuration.wires, (inside, outside), {})
            parent = os.getpid()
            server = subprocess.Popen(
                [program, *words[1:]],
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                stderr=sys.stderr,
                preexec_fn=lambda: die_with_parent(parent),
            )
            _wait_for(name, server, inside.text, settings.port)
            asyncio.run(_serve(name, program))
        except OSError as error:
            log(error.strerror or str(error))
            return 1
        server.kill()
        server.wait()
    return 0


def _wait_for(name: str, server: "subprocess.Popen[bytes]", address: str, port: int) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + _START_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((address, port), timeout=1.0).close()
        except OSError:
            time.sleep(_AGAIN_S)
        else:
            return
    raise HostError(f"{name} does not listen")


async def _serve(name: str, program: str) -> None:
    facts = {"name": name, "program": program}

    def answer(question: str) -> dict[str, Any]:
        return facts if question == "status" else {"error": f"{name} knows no {question}"}

    agent = Agent(dual_stack=False, ask=answer)
    say({"ready": True, "name": name, "version": _version(program)})
    await agent.serve()


def _version(program: str) -> str:
    """What the package of a program says; nothing where there is none."""
    asked = [
        "dpkg-query",
        "-W",
        "-f",
        "${Version}",
        {"danted": "dante-server"}.get(Path(program).name, Path(program).name),
    ]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout or "unknown"
    except OSError:
        return "unknown"
