# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of what is beside a migration: ICMP errors, echo, many peers, SYNs that hold more than an option."""

import struct

from reference.bump.flows import Flow
from reference.bump.network import ETHERNET
from reference.bump.segment import addresses, payload
from reference.bump.shaping import Shaped
from reference.bump.tcp import FIN, RST
from reference.migrate.context import Context, Segment, context_of
from reference.migrate.datapath import MigrateDatapath
from reference.migrate.host import FixedHost
from reference.migrate.migrating_host import MigratingHost
from reference.migrate.option import Migrate
from reference.system.alterations import deviation

_ICMP, _ECHO_REQUEST, _UNREACHABLE = 1, 8, 3
_SOFT, _HARD = (0, 1, 5), (2, 3)
_MANY, _MOST = 60, 250


class _Errors(Shaped, MigrateDatapath):
    """Looks at ICMP before the kernel does."""

    def arrives(self, frame: bytes) -> None:
        packet = frame[ETHERNET:]
        message = payload(packet, _ICMP) if frame[12:14] == b"\x08\x00" and len(packet) >= 20 else None
        if message is None or self.icmp(addresses(packet)[0], message):
            super().arrives(frame)

    def icmp(self, source: int, message: bytes) -> bool:
        """Whether an ICMP message goes on to the kernel."""
        if len(message) >= 36 and message[0] == _UNREACHABLE:
            own, peer = struct.unpack_from("!II", message, 20)
            own_port, port = struct.unpack_from("!HH", message, 28)
            flow = self.ended_by(message[1], own, (peer, port, own_port))
            context = None if flow is None else context_of(flow)
            if flow is not None and context is not None:
                self.host.close(flow, context)
        return True

    def ended_by(self, code: int, own: int, quoted: tuple[int, int, int]) -> Flow | None:
        """The connection that an error ends."""
        return None


@deviation(
    "migrate-soft-error-ends",
    "2",
    "A soft ICMP error aborts nothing.",
    "it ends the connection that it quotes",
)
class _SoftErrorEnds(_Errors):
    def ended_by(self, code: int, own: int, quoted: tuple[int, int, int]) -> Flow | None:
        return self._ipv4.flows.by_wire.get(quoted) if code in _SOFT and own == self._ipv4.own else None


@deviation(
    "migrate-soft-error-after-a-migration-ends",
    "2",
    "A soft ICMP error aborts nothing.",
    "it ends the connection that it quotes where that is not where it began",
)
class _SoftErrorAfterAMigrationEnds(_SoftErrorEnds):
    def ended_by(self, code: int, own: int, quoted: tuple[int, int, int]) -> Flow | None:
        flow = super().ended_by(code, own, quoted)
        has_moved = flow is not None and (flow.wire_address != flow.kernel_address or own != self._ipv4.kernel_own)
        return flow if has_moved else None


@deviation(
    "migrate-error-about-a-left-tuple-ends",
    "2",
    "An ICMP error that quotes the tuple that was left touches nothing.",
    "it ends the connection that has left it",
)
class _ErrorAboutALeftTupleEnds(_Errors):
    def ended_by(self, code: int, own: int, quoted: tuple[int, int, int]) -> Flow | None:
        flow = self._ipv4.flows.by_kernel.get(quoted)
        is_left = flow is not None and (flow.wire_address != quoted[0] or own != self._ipv4.own)
        return flow if is_left and code in _HARD else None


@deviation(
    "migrate-echo-of-a-migrated-peer-unanswered",
    "2",
    "Other traffic of the peer's addresses is as before.",
    "echo requests from where a connection has gone get no reply",
)
class _EchoUnanswered(_Errors):
    def icmp(self, source: int, message: bytes) -> bool:
        flows = self._ipv4.flows.by_wire.values()
        has_moved = self._ipv4.own != self._ipv4.kernel_own or any(
            flow.wire_address == source != flow.kernel_address for flow in flows
        )
        return not (message[0] == _ECHO_REQUEST and has_moved)


@deviation(
    "migrate-many-connections-do-not-follow",
    "2",
    "The connections of all peers migrate.",
    "where many have, no further one does",
)
class _ManyConnectionsDoNotFollow(FixedHost):
    def find(self, option: Migrate, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        contexts = [context_of(one) for one in self.flows.by_wire.values() if one.is_live]
        followed = [one for one in contexts if one is not None and one.peer_reqno is not None]
        return None if len(followed) >= _MOST else flow


@deviation(
    "migrate-sixty-connections-asked-for",
    "2",
    "The connections of all peers migrate.",
    "at a move sixty are asked for at most",
)
class _SixtyConnectionsAskedFor(MigratingHost):
    def request(self, flow: Flow, context: Context, now: float) -> None:
        if len(self.moving) < _MANY:
            super().request(flow, context, now)


@deviation(
    "migrate-syn-with-more-ends-the-connection",
    "processing",
    "Data or a FIN on a Migrate SYN is taken once or not at all.",
    "it ends the connection",
)
class _SynWithMoreEndsTheConnection(FixedHost):
    def peer_moved(self, flow: Flow, context: Context, segment: Segment) -> None:
        super().peer_moved(flow, context, segment)
        if segment.length or segment.flags & FIN:
            self.mechanics.tell_kernel(flow, RST)
