# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what happens to tuples after a migration."""

from reference.bump.flows import Flow, Tuple
from reference.bump.tcp import ACK, SYN
from reference.mops.context import MopsFlows
from reference.system.alterations import deviation


def shadow_of(flow: Flow, wire: Tuple) -> Flow:
    """The same connection of the kernel, seen at another wire tuple."""
    shadow = Flow(wire, flow.kernel, flow.seen, flow.own_delta)
    shadow.tcp = flow.tcp
    return shadow


@deviation(
    "listens-at-old-tuple",
    "4.1",
    "After success data from the old tuple does not reach the connection.",
    "the old tuple is still taken for the migrated connection",
)
class ListensAtOldTuple(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self.old: dict[Tuple, Flow] = {}

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        wire = flow.wire
        super().migrate(flow, address, port)
        self.old[wire] = shadow_of(flow, wire)

    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        wire = (address, port, local_port)
        if wire not in self.by_wire and not flags & SYN and wire in self.old:
            return self.old[wire]
        return super().inbound(address, port, local_port, flags, now)


@deviation(
    "sends-to-old-tuple",
    "4.1",
    "After success the server sends to the migrated address and port.",
    "the server still sends to the old tuple",
)
class SendsToOldTuple(MopsFlows):
    def migrate(self, flow: Flow, address: int, port: int) -> None:
        wire = flow.wire
        super().migrate(flow, address, port)
        if wire != flow.wire:
            self.by_kernel[flow.kernel] = shadow_of(flow, wire)


@deviation(
    "newcomer-not-kept-apart",
    "4.1",
    "A new connection on the old tuple is a connection of its own and is served.",
    "a SYN from the old tuple is given to the migrated connection",
)
class NewcomerNotKeptApart(MopsFlows):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        wire = (address, port, local_port)
        migrated = self.by_kernel.get(wire)
        if flags & (SYN | ACK) == SYN and wire not in self.by_wire and migrated is not None:
            return shadow_of(migrated, wire)
        return super().inbound(address, port, local_port, flags, now)


@deviation(
    "checksum-of-old-tuple",
    "4.1",
    "After success the connection continues on the migrated tuple.",
    "segments to the migrated tuple carry the TCP checksum of the old one",
)
class ChecksumOfOldTuple(MopsFlows):
    def migrate(self, flow: Flow, address: int, port: int) -> None:
        out_delta = flow.out_delta
        super().migrate(flow, address, port)
        flow.out_delta = out_delta


@deviation(
    "newcomer-spoils-the-migrated-connection",
    "4.1",
    "A new connection at the old tuple does not disturb the migrated one.",
    "the migrated connection goes silent when a new one comes to its old tuple",
)
class NewcomerSpoilsTheMigratedConnection(MopsFlows):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        wire = (address, port, local_port)
        migrated = self.by_kernel.get(wire)
        if flags & (SYN | ACK) == SYN and wire not in self.by_wire and migrated is not None:
            migrated.out_delta = (migrated.out_delta + 1) % 0xFFFF
        return super().inbound(address, port, local_port, flags, now)
