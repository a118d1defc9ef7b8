# SPDX-License-Identifier: GPL-2.0-or-later
"""Lets unmodified programs survive moves: `python -m reference.msocks.client PROXY serve`, `run` or `to`.

`serve` is a SOCKS5 server on this host, for programs that know one; `run` starts a program with such a server in its
environment (`ALL_PROXY`, which curl and many others obey); `to` connects standard input and output, for `ProxyCommand`
of ssh. Addresses of this host that come and go are noticed.
"""

import argparse
import os
import socket
import subprocess
import sys
import threading

from reference.msocks.client.local import LocalServer
from reference.msocks.client.node import MobileNode
from reference.msocks.client.watch import watch
from reference.msocks.settings import NodeSettings

_CHUNK = 65536


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m reference.msocks.client", description=__doc__)
    parser.add_argument("proxy", help="address of the proxy, with its port: 10.0.0.1:1080")
    parser.add_argument("--user", help="name and password: alice:secret")
    parser.add_argument("--reconnect", type=int, default=0x80, help="number of the command RECONNECT")
    parser.add_argument("--give-up", type=float, default=60.0, metavar="SECONDS", help="that a loss may last")
    ways = parser.add_subparsers(dest="way", required=True)
    serve = ways.add_parser("serve", help="be a SOCKS5 server on this host")
    serve.add_argument("--listen", type=int, default=1080, metavar="PORT")
    run = ways.add_parser("run", help="run a program with such a server in its environment")
    run.add_argument("program", nargs="+")
    to = ways.add_parser("to", help="connect standard input and output to a host")
    to.add_argument("host")
    to.add_argument("port", type=int)
    chosen = parser.parse_args()
    address, _, port = chosen.proxy.partition(":")
    user = None
    if chosen.user is not None:
        name, _, password = chosen.user.partition(":")
        user = name.encode(), password.encode()
    node = MobileNode(NodeSettings(address, int(port or 1080), chosen.reconnect, user), chosen.give_up)
    threading.Thread(target=watch, args=(node.lacks_address_of,), daemon=True).start()
    try:
        if chosen.way == "to":
            return _connect(node, chosen.host, chosen.port)
        server = LocalServer(node, chosen.listen if chosen.way == "serve" else 0)
        if chosen.way == "serve":
            server.run()
            return 0
        threading.Thread(target=server.run, daemon=True).start()
        environment = {**os.environ, "ALL_PROXY": f"socks5h://127.0.0.1:{server.port}"}
        return subprocess.run(chosen.program, env=environment, check=False).returncode
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}\n")
        return 1


def _connect(node: MobileNode, host: str, port: int) -> int:
    """Standard input to the host, what it sends to standard output; 0 when it has sent all, OSError when it is lost."""
    connection = node.connect(host, port)

    def send() -> None:
        while data := os.read(0, _CHUNK):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    threading.Thread(target=send, daemon=True).start()
    while data := connection.recv(_CHUNK):
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(1, rest) :]
    return 0


if __name__ == "__main__":
    sys.exit(main())
