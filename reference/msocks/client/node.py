# SPDX-License-Identifier: GPL-2.0-or-later
"""The mobile node: connections through the proxy, each with an ordinary socket for the application.

    node = MobileNode(NodeSettings(proxy="10.0.0.1", port=1080, reconnect_command=0x80, user=None))
    connection = node.connect("server.example", 80)   # a socket like any other
    node.moved()                                      # or let `watch` find out

An application that is told nothing sees one connection through all moves; a RECONNECT that is refused, or a proxy that
is not found for `give_up_s` seconds, is for it a connection that was reset.
"""

import errno
import os
import socket
import threading
from dataclasses import dataclass

from reference.msocks.client.carrier import Carrier
from reference.msocks.client.dialogue import Dialogue, RefusedError
from reference.msocks.messages import CONNECT, End, command
from reference.msocks.settings import NodeSettings

__all__ = ["Ends", "MobileNode", "RefusedError"]


@dataclass(frozen=True)
class Ends:
    """A connection as the correspondent sees it."""

    local: End  # the proxy's end: the connection identifier
    peer: End


class MobileNode:
    """Connections through one proxy."""

    def __init__(self, settings: NodeSettings, give_up_s: float = 60.0, carrier: type[Carrier] = Carrier) -> None:
        self.settings, self.give_up_s, self._kind = settings, give_up_s, carrier
        self._carriers: set[Carrier] = set()
        self._lock = threading.Lock()

    def connect(self, host: str, port: int, timeout_s: float = 10.0) -> socket.socket:
        """Connect to a host by address or name; OSError as of a kernel, RefusedError where the proxy says no."""
        return self.connect_with_ends(host, port, timeout_s)[0]

    def connect_with_ends(self, host: str, port: int, timeout_s: float = 10.0) -> tuple[socket.socket, Ends]:
        """The same, with the ends that the correspondent sees."""
        dialogue = Dialogue(self.settings, timeout_s)
        try:
            identifier = dialogue.ask(command(CONNECT, End(host, port)))
            application, ours = ordinary_pair()
        except BaseException:
            dialogue.socket.close()
            raise
        carrier = self._kind(self.settings, self.give_up_s, identifier, dialogue.socket, ours)
        with self._lock:
            self._carriers.add(carrier)
        threading.Thread(target=self._run, args=(carrier,), daemon=True).start()
        return application, Ends(identifier, End(host, port))

    def moved(self) -> None:
        """The host has another address: every connection goes on from there."""
        with self._lock:
            for carrier in self._carriers:
                carrier.moved()

    def lacks_address_of(self, addresses: set[str]) -> None:
        """The host has these addresses now: connections whose own is not among them go on from another."""
        with self._lock:
            for carrier in self._carriers:
                if carrier.local_address() not in addresses:
                    carrier.moved()

    def _run(self, carrier: Carrier) -> None:
        try:
            carrier.run()
        finally:
            with self._lock:
                self._carriers.discard(carrier)
            carrier.close()


def ordinary_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a TCP connection within this host: one for an application, which needs nothing but sockets."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listening:
        one = socket.create_connection(listening.getsockname())
        other, address = listening.accept()
    if address != one.getsockname():
        raise OSError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))
    for end in (one, other):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one, other
