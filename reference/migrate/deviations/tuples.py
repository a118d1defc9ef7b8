# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in which a tuple that was left leads to the connection."""

from dataclasses import replace

from reference.bump.flows import Flow
from reference.bump.shaping import Shaped, segment_in, with_segment
from reference.migrate.context import context_of
from reference.migrate.datapath import MigrateDatapath
from reference.system.alterations import deviation


class _OldTuples(Shaped, MigrateDatapath):
    """Segments from a tuple that a connection has left are taken for its own."""

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._had: dict[tuple[int, int, int], Flow] = {}

    def is_taken(self, flow: Flow) -> bool:
        return True

    def arrives(self, frame: bytes) -> None:
        segment = segment_in(frame)
        if segment is not None:
            key = segment.source, segment.port, segment.to_port
            flow = self._ipv4.flows.by_wire.get(key)
            if flow is not None:
                self._had[key] = flow
            elif key in self._had and self.is_taken(self._had[key]) and not segment.is_syn():
                flow = self._had[key]
                frame = with_segment(frame, replace(segment, source=flow.wire_address, port=flow.wire_port))
        super().arrives(frame)


@deviation(
    "migrate-old-tuple-still-taken",
    "2",
    "Segments from the old tuple do not reach the connection.",
    "they do",
)
class OldTupleStillTaken(_OldTuples):
    pass


@deviation(
    "migrate-first-tuple-taken-again",
    "2",
    "Segments from the old tuple do not reach the connection.",
    "after a second migration they do",
)
class FirstTupleTakenAgain(_OldTuples):
    def is_taken(self, flow: Flow) -> bool:
        context = context_of(flow)
        return context is not None and (context.peer_reqno or 0) > 1
