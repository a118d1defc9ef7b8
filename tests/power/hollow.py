# SPDX-License-Identifier: GPL-2.0-or-later
"""Hollow devices: ordinary TCP works, and of the protocol there is nothing, or half. No must may pass by an absence.

`python -m tests.power.hollow KIND`, started like the reference: `deaf` ignores every message and option, and says
none; `mute` obeys and never says anything; `refusing` answers, and does nothing of what it is asked for. With
`--fork-server` in place of KIND it forks such hosts on request.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

from reference.__main__ import WARM
from reference.between import run_middlebox
from reference.bump.role import Role
from reference.daemon import run_host
from reference.middlebox.packet import Packet
from reference.middlebox.role import MiddleboxRole
from reference.mops.capable import MobileCapable
from reference.mops.firewall.firewall import Firewall
from reference.mops.firewall.moves import Moves
from reference.mops.mobile_node import MobileNode
from reference.mops.server import Command, Outcome, Server
from reference.rehash.datapath import RehashDatapath
from reference.rehash.host import Host
from reference.roles import role_of
from reference.system.configuration import read_configuration
from reference.system.fork_server import serve

KINDS = ("deaf", "mute", "refusing")


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
    ("mops", "firewall"): {"deaf": (DeafFirewall,), "mute": (MuteFirewall,), "refusing": (RefusingMoves,)},
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
    assert isinstance(role, Role)
    return run_host(configuration, role, kind)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
