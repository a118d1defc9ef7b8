# SPDX-License-Identifier: GPL-2.0-or-later
"""What a change is not about suffers from it: ICMP errors, echo, options."""

from typing import Any

from reference.bump.flows import Flow
from reference.bump.forgetful import GapNeverFilled, StampsHaveToGrow
from reference.sacip.datapath import SacipDatapath
from reference.sacip.knowing import Changed, Erring, Watching, reset_for_kernel
from reference.system.alterations import deviation

PROTOCOL, PORT = 2, 3
SOFT = (0, 1, 5)


@deviation("host-unreachable-ends", "front", "A soft error ends nothing.", "host unreachable ends a connection")
class _HostUnreachableEnds(Erring):
    def error(self, code: int, addresses: int, port: int, own_port: int) -> None:
        flow = self._ipv4.flows.by_wire.get((addresses, port, own_port))
        if flow is not None and code == SOFT[1]:
            reset_for_kernel(self, flow)


@deviation(
    "soft-error-after-change-ends", "front", "A soft error ends nothing.", "after a change any ends the connection"
)
class _SoftAfterChangeEnds(Erring):
    def error(self, code: int, addresses: int, port: int, own_port: int) -> None:
        flow = self._ipv4.flows.by_wire.get((addresses, port, own_port))
        if flow is not None and code in SOFT and flow.wire_address != flow.kernel_address:
            reset_for_kernel(self, flow)


@deviation("error-about-old-tuple-ends", "front", "An error about an old tuple is nobody's.", "it ends the connection")
class _OldTupleEnds(Erring):
    def error(self, code: int, addresses: int, port: int, own_port: int) -> None:
        flow = self._ipv4.flows.by_kernel.get((addresses, port, own_port))
        if flow is not None and code in (PROTOCOL, PORT) and flow.wire_address != addresses:
            reset_for_kernel(self, flow)


@deviation("echo-of-old-address-unanswered", "front", "Other traffic is as before.", "who has left gets no echo reply")
class _EchoUnanswered(Watching):
    def changed(self, flow: Flow) -> None:
        known: Changed = flow.contexts[Changed]
        self.left = {*getattr(self, "left", ()), known.before}

    def _icmp_from_wire(self, network: Any, packet: Any) -> None:
        if packet.peer not in getattr(self, "left", ()) or self._from_wire[packet.start] != 8:
            super()._icmp_from_wire(network, packet)


@deviation(
    "gap-never-filled-after-change", "front", "The stream goes on.", "data ahead of its turn is dropped after a change"
)
class _GapNeverFilled(GapNeverFilled, SacipDatapath):
    pass


@deviation("stamps-have-to-grow-at-change", "front", "The stream goes on.", "the last timestamp has to be exceeded")
class _StampsGrow(StampsHaveToGrow, SacipDatapath):
    pass
