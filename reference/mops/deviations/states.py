# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations that show in the states of TCP between establishment and end."""

from reference.bump.flows import Flow, Tuple
from reference.bump.tcp import ACK, FIN, State
from reference.mops.context import MopsFlows
from reference.mops.deviations.bindings import shadow_of
from reference.mops.server import Server
from reference.system.alterations import deviation

TIME_WAIT_S = 2.0


@deviation(
    "close-wait-stays",
    "4.1",
    "A connection that the node has closed on its side migrates.",
    "it does not",
)
class CloseWaitStays(Server):
    def is_migratable(self, flow: Flow) -> bool:
        return not (flow.tcp.peer_closed and flow.tcp.our_fin is None) and super().is_migratable(flow)


@deviation(
    "fin-wait-stays",
    "4.1",
    "A connection that the server has closed for sending migrates.",
    "it does not",
)
class FinWaitStays(Server):
    def is_migratable(self, flow: Flow) -> bool:
        return not (flow.tcp.our_fin is not None and not flow.tcp.peer_closed) and super().is_migratable(flow)


@deviation(
    "last-segments-stay",
    "4.1",
    "A connection of which one FIN is not acknowledged migrates.",
    "it does not when both sides have closed",
)
class LastSegmentsStay(Server):
    def is_migratable(self, flow: Flow) -> bool:
        return not (flow.tcp.our_fin is not None and flow.tcp.peer_closed) and super().is_migratable(flow)


@deviation(
    "fin-to-the-old-tuple",
    "4.1",
    "A FIN comes to the new tuple.",
    "a FIN goes to the tuple that the connection had first",
)
class FinToTheOldTuple(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self.first: dict[Tuple, Tuple] = {}

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        self.first.setdefault(flow.kernel, flow.wire)
        super().migrate(flow, address, port)

    def outbound(self, address: int, port: int, local_port: int, now: float, flags: int = ACK) -> Flow | None:
        flow = super().outbound(address, port, local_port, now, flags)
        if flow is None or not flags & FIN or flow.kernel not in self.first:
            return flow
        return shadow_of(flow, self.first[flow.kernel])


def _rests(flow: Flow) -> bool:
    """Whether a session that has migrated is in TIME-WAIT."""
    return flow.tcp.state is State.TIME_WAIT and flow.is_rewritten


@deviation(
    "time-wait-forgotten",
    "4.1",
    "A migrated session that the server has closed first is in TIME-WAIT at its new tuple.",
    "it is forgotten as soon as both sides are closed",
)
class TimeWaitForgotten(MopsFlows):
    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        flow = self.by_wire.get((address, port, local_port))
        if flow is not None and _rests(flow):
            self.free(flow)
        return super().inbound(address, port, local_port, flags, now)


@deviation(
    "time-wait-short",
    "4.1",
    "A migrated session stays in TIME-WAIT for as long as one that has not migrated.",
    "it is forgotten after two seconds",
)
class TimeWaitShort(MopsFlows):
    def expire(self, now: float) -> None:
        super().expire(now)
        for flow in list(self.by_kernel.values()):
            if _rests(flow) and now - flow.seen > TIME_WAIT_S:
                self.free(flow)
