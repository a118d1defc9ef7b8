# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers inside that hosts outside reach at a port of the router's outside address (section 5: destination NAT).

Readings. What hosts outside have opened is kept by their address and port. A Migrate of one of them goes to the server
that has the first of its connections; its fields are the server's to judge and pass as they are, and so does the
answer, which comes from the address that was asked. What the server says has migrated goes on at the new address and
port; the rest is where it was. One that names another host than its sender, or no connection that is known, is dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reference.middlebox.nat.mappings import Endpoint, Mapping
from reference.middlebox.nat.translation import Translation, is_call
from reference.middlebox.packet import TCP, UDP, BoxNetwork, Packet
from reference.mops.message import Entry, Migrate
from reference.mops.nat.requests import Request, Requests
from reference.system.addresses import ipff_from_text, ipv4_from_text
from reference.system.configuration import Table

_FOR_EVER = 1e9  # seconds of a clock that begins when the machine does
_READINGS = {"ipff": ipff_from_text, "ipv4": ipv4_from_text}
_LARGEST_PORT = 0xFFFF


@dataclass(frozen=True)
class Forward:
    """A port of the outside address, and the server inside that it leads to."""

    network: str
    port: int
    server: Endpoint


def read_forwards(table: Table) -> tuple[Forward, ...]:
    """The list `nat_forwards`: `{"network": "ipv4", "port": 8080, "address": "10.0.0.11", "server_port": 80}`."""
    entries = table.value.get("nat_forwards", [])
    if not isinstance(entries, list):
        raise table.wrong("nat_forwards", "a list of tables")
    return tuple(_forward(Table(entry, f"{table.path}nat_forwards.")) for entry in entries)


def _forward(table: Table) -> Forward:
    network = table.choice("network", tuple(_READINGS))
    port, server_port = (table.integer(key, 1, _LARGEST_PORT) for key in ("port", "server_port"))
    return Forward(network, port, (table.address("address", _READINGS[network]), server_port))


class Destinations:
    """The servers of one network."""

    role = "NAT router"

    def __init__(
        self, network: BoxNetwork, translation: Translation, requests: Requests, forwards: Sequence[Forward]
    ) -> None:
        self._network, self._translation, self.requests = network, translation, requests
        self.mappings = [
            mapping
            for one in forwards
            if one.network == network.name
            for protocol in (TCP, UDP)
            if (mapping := self._made(protocol, one)) is not None
        ]

    def _made(self, protocol: int, one: Forward) -> Mapping | None:
        mappings = self._translation.mappings
        mapping = mappings.make(protocol, one.server, lambda _, is_free: one.port if is_free(one.port) else None, 0.0)
        if mapping is not None:
            mappings.hold(mapping, _FOR_EVER)
        return mapping

    def let_in(self, packet: Packet, now: float) -> None:
        """A packet has come to the outside address: where it opens something with a server it comes in."""
        mapping = self._translation.target(packet)
        ends = self._translation.endpoints.read(packet)
        if mapping in self.mappings and ends is not None and self.opens(packet) and not mapping.flow(ends[0], now):
            self._translation.mappings.open(mapping, ends[0], now + self._translation.tracker.transitory_s)

    def opens(self, packet: Packet) -> bool:
        """Whether a packet opens a flow with a server."""
        return packet.protocol == UDP or is_call(packet)

    def of(self, request: Migrate, now: float) -> list[Mapping | None]:
        """Of each entry the mapping of its server: by where the connection was, or is already."""
        return [self.mapping_of(request, entry, now) for entry in request.entries]

    def mapping_of(self, request: Migrate, entry: Entry, now: float) -> Mapping | None:
        """The mapping of the server that has the connection of an entry."""
        ends = (request.previous, entry.previous_port), (request.migrated, entry.migrated_port)
        return next(
            (
                mapping
                for address, port in ends
                for mapping in self.mappings
                if mapping.protocol == request.protocol and mapping.flow((self._own(address), port), now) is not None
            ),
            None,
        )

    def asked(self, request: Migrate, address: int, now: float) -> int | None:
        """The server that a Migrate to the outside address is for; None where it is for nobody."""
        found = self.of(request, now)
        server = self.server_of(found)
        if server is None:
            return None
        nobody = Mapping(request.protocol, (0, 0), (0, 0))
        mappings = [one if one is not None else nobody for one in found]
        return server if self.requests.remember(server, request, address, mappings, now) else None

    def server_of(self, mappings: Sequence[Mapping | None]) -> int | None:
        """The server that has the first connection of a Migrate."""
        return next((one.inside[0] for one in mappings if one is not None), None)

    def answered(self, reply: Migrate, server: int, now: float) -> bool:
        """Whether a server's reply answers what it was asked; what has migrated goes on elsewhere then."""
        request = self.requests.answered_by(server, reply, now)
        if request is None:
            return False
        self.take_effect(request, reply, now)
        return True

    def take_effect(self, request: Request, reply: Migrate, now: float) -> None:
        """Have what has migrated go on where the reply says, once for each request."""
        migrated = [] if request.is_answered else request.migrated(reply)
        request.is_answered = True
        for entry, mapping in migrated:
            self.remap(mapping, reply, entry, now)

    def remap(self, mapping: Mapping, reply: Migrate, entry: Entry, now: float) -> None:
        """A connection is elsewhere from now on."""
        old = self._own(reply.previous), entry.previous_port
        new = self._own(reply.migrated), entry.migrated_port
        flow = mapping.flow(old, now)
        if flow is not None:
            lasts = self._translation.tracker.established_s
            self._translation.mappings.end_flow(mapping, old)
            self._translation.mappings.open(mapping, new, now + lasts, flow.seen)

    def _own(self, address: int) -> int:
        """An address as the network has it; what it cannot have is nobody's."""
        found = self._network.from_ipff(address)
        return -1 if found is None else found
