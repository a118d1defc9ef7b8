# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of a NAT: mappings of inside endpoints to outside ports, and the flows that each has.

A mapping is for every destination (RFC 4787, REQ-1) and lasts as long as one of its flows, or as long as it is held.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol

Endpoint = tuple[int, int]
"""Address, and port or identifier."""

_PORTS = 0xFFFF
"""Of a protocol; where there are that many mappings nobody looks for a free one."""

_ASKED_AFTER_S = 60.0
"""How often a carrier is asked for what it carries."""

ANY_PORT = -1
"""Of a remote endpoint: whatever port the address speaks from."""


class Flow:
    """What a mapping exchanges with one remote endpoint. `seen` is what a tracker remembers of it."""

    __slots__ = ("expires", "seen")

    def __init__(self, expires: float, seen: int = 0) -> None:
        self.expires, self.seen = expires, seen


class Mapping:
    """An inside endpoint and what it appears as on the outside."""

    __slots__ = ("_outside", "_port", "flows", "held_until", "inside", "protocol")

    def __init__(self, protocol: int, inside: Endpoint, outside: Endpoint) -> None:
        self.protocol, self.inside = protocol, inside
        self._outside, self._port = outside
        self.flows: dict[Endpoint, Flow] = {}
        self.held_until = 0.0

    @property
    def outside(self) -> Endpoint:
        """What the inside endpoint appears as."""
        return self._outside, self._port

    def flow(self, remote: Endpoint, now: float) -> Flow | None:
        """The flow with a remote endpoint, while it lasts."""
        flow = self.flows.get(remote)
        return flow if flow is not None and flow.expires > now else None

    def is_alive(self, now: float) -> bool:
        """Whether it is held, or one of its flows lasts."""
        return self.held_until > now or any(flow.expires > now for flow in self.flows.values())

    def remotes(self, now: float) -> Iterator[Endpoint]:
        """The remote endpoints of its flows."""
        return (remote for remote, flow in self.flows.items() if flow.expires > now)


class Carrier(Protocol):
    """Who carries flows so that nothing of them is seen here; such a flow has no end in time (`expires`)."""

    def is_carried(self, flow: Flow) -> bool:
        """Whether it still carries a flow."""

    def ended(self, flow: Flow) -> None:
        """A flow has ended."""


class Mappings:
    """Mappings of one network, found from both sides, forgotten when they have had their time."""

    role = "NAT"

    def __init__(self, outside: int, most: int) -> None:
        self.outside, self._most = outside, most
        self._by_inside: dict[tuple[int, Endpoint], Mapping] = {}
        self._by_outside: dict[int, Mapping] = {}
        self._ports_of: Counter[int] = Counter()
        self._due: dict[int, list[Mapping]] = {}
        self._swept = 0
        self.carrier: Carrier | None = None

    def __len__(self) -> int:
        return len(self._by_inside)

    def all(self) -> list[Mapping]:
        """Every mapping, those that have ended and were not looked at since too."""
        return list(self._by_inside.values())

    def of_inside(self, protocol: int, inside: Endpoint, now: float) -> Mapping | None:
        """The mapping of an inside endpoint, while it lasts."""
        return self._alive(self._by_inside.get((protocol, inside)), now)

    def of_outside(self, protocol: int, port: int, now: float) -> Mapping | None:
        """The mapping of an outside port, while it lasts."""
        return self._alive(self._by_outside.get(_key(protocol, port)), now)

    def make(
        self, protocol: int, inside: Endpoint, choose: Callable[[int, Callable[[int], bool]], int | None], now: float
    ) -> Mapping | None:
        """A new mapping of an inside endpoint, to a port that `choose` takes; None where there is no room for it.

        It lasts for no time until it is held, or has a flow, and `watch` has been called.
        """
        if len(self._by_inside) >= self._most or self._ports_of[protocol] >= _PORTS:
            return None
        port = choose(inside[1], lambda one: self.of_outside(protocol, one, now) is None)
        if port is None:
            return None
        mapping = Mapping(protocol, inside, (self.outside, port))
        self._ports_of[protocol] += 1
        self._by_inside[protocol, inside] = self._by_outside[_key(protocol, port)] = mapping
        return mapping

    def hold(self, mapping: Mapping, until: float) -> None:
        """Keep a mapping, flows or not."""
        mapping.held_until = max(mapping.held_until, until)
        self._watch(mapping, until)

    def open(self, mapping: Mapping, remote: Endpoint, expires: float, seen: int = 0) -> Flow:
        """A flow with a remote endpoint; one that has ended starts anew."""
        flow = mapping.flows[remote] = Flow(expires, seen)
        self._watch(mapping, expires)
        return flow

    def prolong(self, mapping: Mapping, flow: Flow, expires: float) -> None:
        """Have a flow last until then, whether that is sooner or later than before."""
        if expires < flow.expires or flow.expires <= self._swept:
            self._watch(mapping, expires)
        flow.expires = expires

    def end_flow(self, mapping: Mapping, remote: Endpoint) -> None:
        """A flow with a remote endpoint ends."""
        self._end(mapping.flows.pop(remote))

    def leave_to_carrier(self, mapping: Mapping, flow: Flow, now: float) -> None:
        """Have a flow last as long as its carrier says."""
        flow.expires = math.inf
        self._watch(mapping, now + _ASKED_AFTER_S)

    def remove(self, mapping: Mapping) -> None:
        """End a mapping."""
        for flow in mapping.flows.values():
            self._end(flow)
        self.set_aside(mapping)
        port = _key(mapping.protocol, mapping.outside[1])
        if self._by_outside.get(port) is mapping:
            del self._by_outside[port]
            self._ports_of[mapping.protocol] -= 1

    def set_aside(self, mapping: Mapping) -> None:
        """Use a mapping for what comes in alone: its inside endpoint has none any more."""
        if self._by_inside.get((mapping.protocol, mapping.inside)) is mapping:
            del self._by_inside[mapping.protocol, mapping.inside]

    def prefer(self, mapping: Mapping) -> None:
        """Of several mappings of an inside endpoint, use this one for what goes out."""
        self._by_inside[mapping.protocol, mapping.inside] = mapping

    def expire(self, now: float) -> None:
        """Forget what has had its time, in about a second of it."""
        while self._swept < now - 1:
            self._swept += 1
            for mapping in self._due.pop(self._swept, ()):
                self._look_at(mapping, now)

    def _look_at(self, mapping: Mapping, now: float) -> None:
        flows = mapping.flows
        for remote in [remote for remote, flow in flows.items() if self._has_ended(flow, now)]:
            self._end(flows.pop(remote))
        expiries = [min(flow.expires, now + _ASKED_AFTER_S) for flow in flows.values()]
        if mapping.held_until > now:
            expiries.append(mapping.held_until)
        if expiries:
            self._watch(mapping, min(expiries))
        else:
            self.remove(mapping)

    def _has_ended(self, flow: Flow, now: float) -> bool:
        if flow.expires < math.inf:
            return flow.expires <= now
        return self.carrier is None or not self.carrier.is_carried(flow)

    def _end(self, flow: Flow) -> None:
        if self.carrier is not None:
            self.carrier.ended(flow)

    def _watch(self, mapping: Mapping, until: float) -> None:
        """Look at a mapping again when something of it may have ended."""
        second = max(math.ceil(until), self._swept + 1)
        due = self._due.setdefault(second, [])
        if not due or due[-1] is not mapping:
            due.append(mapping)

    def _alive(self, mapping: Mapping | None, now: float) -> Mapping | None:
        if mapping is None or mapping.is_alive(now):
            return mapping
        self.remove(mapping)
        return None


def _key(protocol: int, port: int) -> int:
    """A number that stands for a port of a protocol; a tuple would take twice the memory."""
    return protocol << 32 | port
