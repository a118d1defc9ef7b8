# SPDX-License-Identifier: GPL-2.0-or-later
"""The remote side is right the first time, and wrong when there has been something before, or later."""

import functools
from typing import Any

from reference.bump.flows import Flow
from reference.sacip.datapath import SacipDatapath
from reference.sacip.flows import ends
from reference.sacip.knowing import Changed, Watching
from reference.sacip.remote_side import RemoteSide
from reference.system.alterations import deviation

LIMIT = 3
LATER_S = 0.4


class _Former:
    """The addresses that a connection's peer has had."""


class Remembering(RemoteSide):
    """Knows the former addresses of each peer."""

    def former(self, flow: Flow) -> list[int]:
        """Those of a connection's peer, the first one first."""
        known: list[int] = flow.contexts.setdefault(_Former, [])
        return known

    def update(self, flow: Flow, new: int) -> None:
        self.former(flow).append(ends(flow.wire_address)[1])
        super().update(flow, new)


@deviation("repeat-changes-back", "remote", "A repeat changes nothing more.", "each repeat turns to the other address")
class _ChangesBack(Remembering):
    def affected(self, old: int, own: int) -> list[Flow]:
        found = super().affected(old, own)
        return found or [flow for flow in self.flows.of() if self.former(flow)[-1:] == [old] and self.is_searched(flow)]

    def update(self, flow: Flow, new: int) -> None:
        there = ends(flow.wire_address)[1] == new
        super().update(flow, self.former(flow)[-1] if there and self.former(flow) else new)


@deviation(
    "former-address-still-counts", "remote", "A late repeat changes nothing.", "former addresses are the peer's too"
)
class _FormerCounts(Remembering):
    def affected(self, old: int, own: int) -> list[Flow]:
        found = super().affected(old, own)
        others = [flow for flow in self.flows.of() if old in self.former(flow) and flow not in found]
        return found + others


@deviation("second-change-of-peer-ignored", "remote", "A later change is followed.", "the first one alone is")
class _FirstChangeOnly(Remembering):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) and not self.former(flow)


@deviation(
    "fourth-change-of-peer-ignored", "remote", "A later change is followed.", "there is room for three addresses"
)
class _ThreeChanges(Remembering):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) and len(self.former(flow)) < LIMIT


@deviation("return-of-peer-ignored", "remote", "A change back is followed.", "a former address is not taken again")
class _ReturnIgnored(Remembering):
    def update(self, flow: Flow, new: int) -> None:
        if new not in self.former(flow):
            super().update(flow, new)


@deviation(
    "second-change-without-traffic-ignored", "remote", "Each change is followed.", "one that no segment precedes is not"
)
class _WithoutTraffic(RemoteSide):
    last: dict[Flow, float]

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.last = {}

    def update(self, flow: Flow, new: int) -> None:
        if flow.seen - self.last.get(flow, -1.0) > 0:
            self.last[flow] = flow.seen
            super().update(flow, new)


@deviation(
    "good-one-after-bad-ones-ignored", "remote", "A notification is followed.", "not that of who has sent bad ones"
)
class _Distrusting(RemoteSide):
    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.distrusted: set[int] = set()

    def receive(self, source: int, message: bytes, own: int) -> None:
        if not self.is_taken(message):
            self.distrusted.add(source)
        elif source not in self.distrusted:
            super().receive(source, message, own)


@deviation("update-forgotten-later", "remote", "The update stays.", "0.4 s later the old address is the peer's again")
class _ForgottenLater(Watching):
    def changed(self, flow: Flow) -> None:
        known: Changed = flow.contexts[Changed]
        self.after(LATER_S, functools.partial(self._back, flow, known.before))

    def _back(self, flow: Flow, address: int) -> None:
        if flow.is_live:
            self._ipv4.flows.rebind(flow, address, flow.wire_port)


@deviation(
    "strangers-notification-kept", "remote", "A stranger's message changes nothing.", "it waits for a connection"
)
class _Kept(SacipDatapath):
    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.kept: dict[int, int] = {}

    def _icmp_from_wire(self, network: Any, packet: Any) -> None:
        message = bytes(self._wire_view[packet.start : packet.end])
        _, peer = ends(packet.peer)
        if self.remote_side.is_taken(message) and not self._ipv4.flows.of(peer=peer):
            self.kept[peer] = self.remote_side.new_address(message)
        super()._icmp_from_wire(network, packet)

    def _segment_from_wire(self, network: Any, packet: Any) -> Flow | None:
        flow = super()._segment_from_wire(network, packet)
        new = self.kept.get(ends(packet.peer)[1])
        if flow is not None and new is not None and self.remote_side.is_searched(flow):
            self.remote_side.update(flow, new)
        return flow
