# SPDX-License-Identifier: GPL-2.0-or-later
"""Hollow devices: ordinary TCP works, and of the protocol there is nothing, or half. No must may pass by an absence.

`python -m tests.power.hollow KIND`, started like the reference: `deaf` ignores every message and option, and says
none; `mute` obeys and never says anything; `refusing` answers, and does nothing of what it is asked for. With
`--fork-server` in place of KIND it forks such hosts on request.
"""

import os
import socket
import sys
from collections.abc import Sequence
from typing import Any

from reference.__main__ import WARM
from reference.between import run_middlebox, run_on_kernel
from reference.bump.role import Role
from reference.daemon import run_host
from reference.middlebox.kernel import KernelRole
from reference.middlebox.packet import Packet
from reference.middlebox.role import MiddleboxRole
from reference.migrate.datapath import MigrateDatapath
from reference.migrate.host import FixedHost
from reference.mops.anycast_server import Acknowledger, AnycastServer
from reference.mops.capable import MobileCapable
from reference.mops.firewall.firewall import Firewall
from reference.mops.firewall.moves import Moves
from reference.mops.mobile_node import MobileNode
from reference.mops.server import Command, Outcome, Server
from reference.msocks.client.carrier import Carrier
from reference.msocks.client.node import Ends, ordinary_pair
from reference.msocks.client.node import MobileNode as MsocksNode
from reference.msocks.messages import GENERAL_FAILURE, End, Request
from reference.msocks.negotiation import Negotiation
from reference.rehash.datapath import RehashDatapath
from reference.rehash.host import Host
from reference.roles import role_of
from reference.sacip.local_side import LocalSide
from reference.sacip.remote_side import RemoteSide
from reference.system.configuration import read_configuration
from reference.system.fork_server import serve
from reference.system.role import RunningRole


class SilentCapable(MobileCapable):
    def is_due(self, *_: Any) -> bool:
        return False


class DeafServer(Server):
    def receive(self, *_: Any) -> None:
        pass


class MuteServer(Server):
    def reply(self, *_: Any) -> None:
        pass


class RefusingServer(Server):
    def migrate(self, command: Command, entry: Any) -> Outcome:
        return Outcome(entry, "refused, whatever it is")


class DeafAnycastServer(AnycastServer):
    def receive(self, *_: Any) -> None:
        pass


class MuteAnycastServer(AnycastServer):
    def reply(self, *_: Any) -> None:
        pass


class RefusingAnycastServer(AnycastServer):
    def migrate(self, command: Command, entry: Any) -> Outcome:
        return Outcome(entry, "refused, whatever it is")


class SilentAcknowledger(Acknowledger):
    def acknowledge(self, *_: Any) -> None:
        pass


class DeafNode(MobileNode):
    def is_movable(self, *_: Any) -> bool:
        return False

    def nat_received(self, *_: Any) -> None:
        pass

    def anycast_received(self, *_: Any) -> None:
        pass


class MuteNode(MobileNode):
    def _transmit(self, *_: Any) -> None:
        pass


class RefusingNode(MobileNode):
    """Asks, and takes no answer."""

    def reply_received(self, *_: Any) -> None:
        pass

    def nat_received(self, *_: Any) -> None:
        pass

    def anycast_received(self, *_: Any) -> None:
        pass


class DeafHost(Host):
    def read(self, *_: Any) -> None:
        return None

    def insert(self, *_: Any) -> None:
        return None


class MuteHost(Host):
    def insert(self, *_: Any) -> None:
        return None


class MuteDatapath(RehashDatapath):
    def acknowledge(self, *_: Any) -> None:
        pass


class RefusingHost(Host):
    """Says REHASH-INIT, and knows no connection that a REHASH-ADDR is about."""

    def find(self, *_: Any) -> None:
        return None

    def is_movable(self, *_: Any) -> bool:
        return False


class DeafRemoteSide(RemoteSide):
    def is_taken(self, *_: Any) -> bool:
        return False


class DeafLocalSide(LocalSide):
    def change(self, *_: Any) -> None:
        pass


class MuteLocalSide(LocalSide):
    """Changes its connections, and tells nobody."""

    def send(self, *_: Any) -> None:
        pass


class DeafFirewall(Firewall):
    """An ordinary stateful firewall: messages that it does not know pass outwards alone."""

    def passes_mops(self, packet: Packet, *, is_inward: bool) -> bool:
        return not is_inward


class MuteFirewall(Firewall):
    """No message passes."""

    def passes_mops(self, packet: Packet, *, is_inward: bool) -> bool:
        return False


class RefusingMoves(Moves):
    """Messages pass, and open nothing."""

    def open(self, *_: Any) -> None:
        pass


class DeafFixedHost(FixedHost):
    def permitted(self, *_: Any) -> None:
        return None

    def migrate(self, *_: Any) -> None:
        return None

    def offer(self, *_: Any) -> None:
        return None


class MuteMigrateDatapath(MigrateDatapath):
    def permit(self, *_: Any) -> None:
        return None

    def originate(self, *_: Any) -> None:
        pass

    def refuse(self, *_: Any) -> None:
        pass


class RefusingFixedHost(FixedHost):
    """Permits migration, and knows no connection that a Migrate SYN is about."""

    def find(self, *_: Any) -> None:
        return None

    def is_migrateable(self, *_: Any) -> bool:
        return False


class DeafNegotiation(Negotiation):
    """Takes connections, and hears nothing."""

    def _ready(self, _: int) -> None:
        self.held.socket.recv(65536)


class RefusingNegotiation(Negotiation):
    """Agrees on a method, and refuses whatever is asked for then."""

    def carry_out(self, request: Request) -> None:
        self.refuse(GENERAL_FAILURE)


class DeafMsocksNode(MsocksNode):
    """Knows no proxy: its connections go nowhere."""

    def connect_with_ends(self, host: str, port: int, timeout_s: float = 10.0) -> tuple[socket.socket, Ends]:
        application, _ = ordinary_pair()
        return application, Ends(End("0.0.0.0", 0), End(host, port))


class StayingCarrier(Carrier):
    """Never comes back."""

    def reconnect(self) -> None:
        raise OSError


MIGRATE: dict[str, tuple[type[Any], ...]] = {
    "deaf": (DeafFixedHost,),
    "mute": (MuteMigrateDatapath,),
    "refusing": (RefusingFixedHost,),
}

PARTS: dict[tuple[str, str], dict[str, tuple[type[Any], ...]]] = {
    ("mops", "server"): {
        "deaf": (SilentCapable, DeafServer),
        "mute": (SilentCapable, MuteServer),
        "refusing": (RefusingServer,),
    },
    ("mops", "mobile node"): {
        "deaf": (SilentCapable, DeafServer, DeafNode),
        "mute": (SilentCapable, MuteServer, MuteNode),
        "refusing": (RefusingServer, RefusingNode),
    },
    ("mops", "anycast server"): {
        "deaf": (SilentCapable, DeafAnycastServer, SilentAcknowledger),
        "mute": (SilentCapable, MuteAnycastServer, SilentAcknowledger),
        "refusing": (RefusingAnycastServer,),
    },
    ("mops", "firewall"): {"deaf": (DeafFirewall,), "mute": (MuteFirewall,), "refusing": (RefusingMoves,)},
    ("sacip", "server"): {"deaf": (DeafRemoteSide,)},
    ("sacip", "mobile node"): {"deaf": (DeafRemoteSide, DeafLocalSide), "mute": (MuteLocalSide,)},
    ("migrate", "server"): MIGRATE,
    ("migrate", "mobile node"): MIGRATE,
    ("msocks", "proxy"): {"deaf": (DeafNegotiation,), "refusing": (RefusingNegotiation,)},
    ("msocks", "mobile node"): {"deaf": (DeafMsocksNode,), "refusing": (StayingCarrier,)},
    ("rehash", "host"): {"deaf": (DeafHost,), "mute": (MuteHost, MuteDatapath), "refusing": (RefusingHost,)},
}


def main(arguments: Sequence[str]) -> int:
    """Be such a host until standard input ends, or fork such hosts until the supervisor hangs up."""
    (kind,) = arguments
    if kind == "--fork-server":
        return serve(main, lambda _: None, WARM)
    configuration = read_configuration(os.environ)
    role = role_of(configuration)(configuration)
    for part in PARTS[role.protocol, role.name][kind]:
        role.alter(part)
    if isinstance(role, MiddleboxRole):
        return run_middlebox(configuration, role, kind)
    if isinstance(role, KernelRole):
        return run_on_kernel(configuration, role, kind)
    if isinstance(role, RunningRole):
        return role.run(kind)
    assert isinstance(role, Role)
    return run_host(configuration, role, kind)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
