# SPDX-License-Identifier: GPL-2.0-or-later
"""The local side tells the wrong ones, at the wrong time, or too few."""

from typing import Any

from reference.bump.flows import Flow
from reference.bump.tcp import FIN, State
from reference.sacip.addresses import Addresses
from reference.sacip.datapath import SacipDatapath
from reference.sacip.flows import SacipFlows, ends
from reference.sacip.knowing import Telling
from reference.sacip.local_side import LocalSide
from reference.system.alterations import deviation

BURST, LARGER_BURST = 50, 200
IDLE_S = 0.4
LATE_S = 0.05


@deviation("one-notification-per-peer-and-port", "local", "Each socket is told.", "each peer is, once")
class _OncePerPeer(Telling):
    def told(self, flows: list[Flow]) -> list[Flow]:
        return list({ends(flow.wire_address)[1]: flow for flow in flows}.values())


@deviation("fifty-notifications-at-most", "idea", "Every peer is told.", "the limit on ICMP holds: fifty are")
class _FiftyAtMost(Telling):
    def told(self, flows: list[Flow]) -> list[Flow]:
        return flows[:BURST]


@deviation("two-hundred-notifications-at-most", "idea", "Every peer is told.", "two hundred are")
class _TwoHundredAtMost(Telling):
    def told(self, flows: list[Flow]) -> list[Flow]:
        return flows[:LARGER_BURST]


@deviation(
    "second-of-two-peers-told", "idea", "Every peer is told.", "of several, the one of the oldest connection is not"
)
class _OldestNotTold(Telling):
    def told(self, flows: list[Flow]) -> list[Flow]:
        peers = dict.fromkeys(ends(flow.wire_address)[1] for flow in flows)
        return (
            flows
            if len(peers) not in (2, 3)
            else [one for one in flows if ends(one.wire_address)[1] != next(iter(peers))]
        )


class _Opened:
    """This host has opened the connection."""


@deviation(
    "opened-connections-not-told", "idea", "Every peer is told.", "not that of a connection that the host has opened"
)
class _OpenedNotTold(SacipFlows):
    role = "mobile node"

    def outbound(self, address: int, port: int, local_port: int, now: float, flags: int = 0x10) -> Flow | None:
        known = self.by_kernel.get((address, port, local_port))
        flow = super().outbound(address, port, local_port, now, flags)
        if flow is not None and flow is not known:
            flow.contexts[_Opened] = True
        return flow

    def of(self, *, own: int | None = None, peer: int | None = None) -> list[Flow]:
        return [flow for flow in super().of(own=own, peer=peer) if own is None or _Opened not in flow.contexts]


@deviation("second-change-not-told", "local", "Each change is told.", "the first one alone is")
class _FirstTold(Telling):
    changes = 0

    def told(self, flows: list[Flow]) -> list[Flow]:
        self.changes += bool(flows)
        return flows if self.changes < 2 else []


@deviation("sixth-change-not-told", "front", "Each change is told.", "five are, and the connections stay then")
class _FiveTold(LocalSide):
    changes = 0

    def affected(self, old: int) -> list[Flow]:
        found = super().affected(old)
        self.changes += bool(found)
        return found if self.changes < 6 else []


@deviation("return-not-told", "local", "Each change is told.", "not one that leads back to the first address")
class _ReturnNotTold(Telling):
    def change(self, old: int, new: int) -> None:
        self.is_return = new == self.network.kernel_own
        super().change(old, new)

    def told(self, flows: list[Flow]) -> list[Flow]:
        return [] if self.is_return else flows


@deviation("change-without-traffic-not-told", "local", "Each change is told.", "not one that no segment precedes")
class _WithoutTrafficNotTold(Telling):
    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.last: dict[Flow, float] = {}

    def told(self, flows: list[Flow]) -> list[Flow]:
        heard = [flow for flow in flows if self.last.get(flow) != flow.seen]
        self.last |= {flow: flow.seen for flow in flows}
        return heard


@deviation(
    "notification-after-segments", "local", "Nothing leaves the new address before.", "the notification is 50 ms late"
)
class _Late(SacipDatapath):
    role = "mobile node"

    def send_message(self, source: int, peer: int, message: bytes) -> None:
        self.after(LATE_S, lambda: super(_Late, self).send_message(source, peer, message))


@deviation("addition-told", "minimal", "The deletion is told.", "so is the addition, when it comes")
class _AdditionTold(LocalSide):
    def added(self, address: int) -> None:
        super().added(address)
        for flow in self.affected(self.network.addresses.primary):
            self.notify(flow, self.network.addresses.primary, address)


@deviation("renewal-told", "minimal", "The deletion is told.", "an address that is given again is told to the peers")
class _RenewalTold(LocalSide):
    def renewed(self, address: int) -> None:
        for flow in self.affected(address):
            self.notify(flow, address, address)


@deviation(
    "renewal-after-a-change-told", "minimal", "The deletion is told.", "given again after a change the address is told"
)
class _RenewalAfterAChangeTold(LocalSide):
    has_changed = False

    def change(self, old: int, new: int) -> None:
        self.has_changed = True
        super().change(old, new)

    def renewed(self, address: int) -> None:
        for flow in self.affected(address) if self.has_changed else []:
            self.notify(flow, address, address)


@deviation("closing-told", "minimal", "The deletion is told.", "a peer that closes is told of the address")
class _ClosingTold(SacipDatapath):
    role = "mobile node"

    def segment_from_kernel(self, network: Any, packet: Any, flow: Flow, fields: Any, data: int) -> Flow | None:
        if fields[5] & FIN and flow.tcp.peer_closed:
            own, _ = ends(flow.wire_address)
            self.local_side.notify(flow, own, own)
        return super().segment_from_kernel(network, packet, flow, fields, data)


@deviation(
    "idle-connections-told", "minimal", "The deletion is told.", "0.4 s after it has opened a connection is told of it"
)
class _IdleTold(SacipDatapath):
    role = "mobile node"

    def _segment_from_wire(self, network: Any, packet: Any) -> Flow | None:
        flow = super()._segment_from_wire(network, packet)
        if flow is not None and flow.tcp.state is State.ESTABLISHED and _Opened not in flow.contexts:
            flow.contexts[_Opened] = True
            self.after(IDLE_S, lambda: self._tell(flow))
        return flow

    def _tell(self, flow: Flow) -> None:
        own, _ = ends(flow.wire_address)
        if flow.is_live and own in self.addresses:
            self.local_side.notify(flow, own, own)


@deviation(
    "secondary-told", "minimal", "Deleting a secondary is told to nobody.", "it is told to the peers of the primary"
)
class _SecondaryTold(LocalSide):
    def deleted(self, address: int, promoted: int | None) -> None:
        super().deleted(address, promoted)
        if promoted is None:
            for flow in self.affected(self.network.addresses.primary):
                self.notify(flow, address, self.network.addresses.primary)


@deviation("peers-of-secondary-told", "minimal", "Deleting a secondary is told to nobody.", "its own peers are told")
class _PeersOfSecondaryTold(LocalSide):
    def deleted(self, address: int, promoted: int | None) -> None:
        super().deleted(address, self.network.addresses.primary if promoted is None else promoted)


@deviation(
    "youngest-promoted", "minimal", "The secondary that becomes primary is named.", "the youngest is, and is used"
)
class _YoungestPromoted(Addresses):
    def chosen(self, candidates: list[int]) -> int:
        return candidates[-1]


@deviation(
    "youngest-named", "minimal", "The secondary that becomes primary is named.", "the youngest is, another is used"
)
class _YoungestNamed(LocalSide):
    def notify(self, flow: Flow, old: int, new: int) -> None:
        super().notify(flow, old, self.network.addresses.assigned[-1].address)


@deviation("others-told", "local", "Connections of other addresses are not told.", "they are, though they stay")
class _OthersTold(LocalSide):
    def change(self, old: int, new: int) -> None:
        others = [flow for flow in self.flows.of() if ends(flow.wire_address)[0] != old and self.is_searched(flow)]
        super().change(old, new)
        for flow in others:
            self.notify(flow, old, new)


@deviation("echo-askers-told", "local", "The peers of connections are told.", "so is who has sent an echo request")
class _AskersTold(LocalSide):
    def change(self, old: int, new: int) -> None:
        super().change(old, new)
        for peer in self.network.asked_at:
            self.send(old, peer, self.notification.encode(new))


@deviation("ended-connections-told", "local", "The peers of connections are told.", "so is that of one that was reset")
class _EndedTold(LocalSide):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) or flow.tcp.state is State.CLOSED
