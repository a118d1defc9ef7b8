# SPDX-License-Identifier: GPL-2.0-or-later
"""The translation of one network: what goes out gets the outside endpoint of its mapping, what comes in the inside's.

Readings. Of TCP a SYN makes a mapping, and no other segment does: one in mid-stream that has none is of a connection
that this router has never seen. A packet between two inside hosts, by their outside endpoints, is translated at both
ends (RFC 4787, REQ-9), and is filtered as one from the outside.
"""

from collections.abc import Callable
from dataclasses import dataclass

from reference.bump.tcp import ACK, RST, SYN
from reference.middlebox.nat.endpoints import Endpoints
from reference.middlebox.nat.filtering import Filtering
from reference.middlebox.nat.mappings import ANY_PORT, Endpoint, Flow, Mapping, Mappings
from reference.middlebox.nat.ports import Ports
from reference.middlebox.nat.settings import NatSettings
from reference.middlebox.nat.tracking import IN_MID_STREAM, Tracker
from reference.middlebox.packet import TCP, UDP, BoxNetwork, Packet

_FLAGS_AT = 13


@dataclass(frozen=True)
class Tools:
    """What a translation is made of."""

    endpoints: Endpoints
    mappings: Mappings
    ports: Ports
    filtering: Filtering
    tracker: Tracker


class Translation:
    """Mappings and flows of one network, and the packets that they are for."""

    role = "NAT"

    def __init__(self, network: BoxNetwork, outside: int, settings: NatSettings, tools: Tools) -> None:
        self.network, self.outside, self._settings = network, outside, settings
        self.endpoints, self.mappings = tools.endpoints, tools.mappings
        self._ports, self.filtering, self.tracker = tools.ports, tools.filtering, tools.tracker
        self.now: Callable[[], float] = lambda: 0.0
        #: Told of each packet of an open flow; whether somebody else carries the flow from now on.
        self.passed: Callable[[Mapping, Endpoint, Flow], bool] = lambda *_: False

    # Mappings ----------------------------------------------------------------------------------------------------

    def mapping_for(self, protocol: int, inside: Endpoint) -> Mapping | None:
        """The mapping of an inside endpoint, made where there is none; None where there is no room."""
        now = self.now()
        found = self.mappings.of_inside(protocol, inside, now)
        return found or self.mappings.make(protocol, inside, self._choose(protocol), now)

    def _choose(self, protocol: int) -> Callable[[int, Callable[[int], bool]], int | None]:
        highest = self.endpoints.highest(protocol)
        return lambda port, is_free: self._ports.choose(port, highest, is_free)

    def mapping_at(self, protocol: int, port: int) -> Mapping | None:
        """The mapping of an outside port."""
        return self.mappings.of_outside(protocol, port, self.now())

    # Sessions ----------------------------------------------------------------------------------------------------

    def note_outward(self, mapping: Mapping, remote: Endpoint, flags: int) -> None:
        """A packet goes out to a remote endpoint: its flow lasts from now on."""
        now = self.now()
        flow = mapping.flow(remote, now)
        if flow is None:
            seen = self._from_anywhere(mapping, remote, now)
            flow = self.mappings.open(mapping, remote, now, seen)
        self._prolong(mapping, remote, self._lifetime(mapping, remote, flags, is_outward=True))

    def note_inward(self, mapping: Mapping, remote: Endpoint, flags: int) -> None:
        """A packet comes in from a remote endpoint."""
        now = self.now()
        if mapping.flow(remote, now) is None:
            if mapping.protocol != TCP:
                return
            flow = mapping.flow((remote[0], ANY_PORT), now)
            self.mappings.open(mapping, remote, now, flow.seen if flow else 0)
        if mapping.protocol == TCP or self._settings.inbound_refreshes:
            self._prolong(mapping, remote, self._lifetime(mapping, remote, flags, is_outward=False))

    def expect_from(self, mapping: Mapping, address: int) -> None:
        """Let an address in from whatever port it speaks, in mid-stream, until the inside speaks to it."""
        lifetime = self.tracker.established_s if mapping.protocol == TCP else self._settings.udp_s
        self.mappings.open(mapping, (address, ANY_PORT), self.now() + lifetime, IN_MID_STREAM)

    def _from_anywhere(self, mapping: Mapping, remote: Endpoint, now: float) -> int:
        """What is remembered of an address that is expected from any port; it is expected from this one alone now."""
        expected = mapping.flow((remote[0], ANY_PORT), now)
        if expected is None:
            return 0
        del mapping.flows[remote[0], ANY_PORT]
        return expected.seen

    def _lifetime(self, mapping: Mapping, remote: Endpoint, flags: int, *, is_outward: bool) -> float:
        if mapping.protocol == TCP:
            return self.tracker.segment(mapping.flows[remote], flags, is_outward=is_outward)
        return self._settings.udp_s if mapping.protocol == UDP else self._settings.query_s

    def _prolong(self, mapping: Mapping, remote: Endpoint, lifetime: float) -> None:
        flow = mapping.flows[remote]
        is_open = mapping.protocol == UDP or (mapping.protocol == TCP and self.tracker.is_established(flow.seen))
        if is_open and remote[0] != self.outside and self.passed(mapping, remote, flow):
            self.mappings.leave_to_carrier(mapping, flow, self.now())
        else:
            self.mappings.prolong(mapping, flow, self.now() + lifetime)

    # Packets -----------------------------------------------------------------------------------------------------

    def target(self, packet: Packet) -> Mapping | None:
        """The mapping of the outside endpoint that a packet goes to."""
        ends = self.endpoints.read(packet)
        return None if ends is None else self.mapping_at(packet.protocol, ends[1][1])

    def outward(self, packet: Packet) -> Mapping | None:
        """Have a packet from the inside come from its outside endpoint; None where it may not go out."""
        ends = self.endpoints.read(packet)
        if ends is None or not self.endpoints.may_begin(packet):
            return None
        source, destination = ends
        flags = flags_of(packet)
        mapping = self._mapping_of(packet, source)
        if mapping is None:
            return None
        self.note_outward(mapping, destination, flags)
        self.endpoints.change_source(packet, mapping.outside)
        return mapping

    def _mapping_of(self, packet: Packet, source: Endpoint) -> Mapping | None:
        if self.makes_a_mapping(packet):
            return self.mapping_for(packet.protocol, source)
        return self.mappings.of_inside(packet.protocol, source, self.now())

    def makes_a_mapping(self, packet: Packet) -> bool:
        """Whether a packet from the inside gets a mapping where it has none."""
        return packet.protocol != TCP or is_call(packet)

    def carried(self, packet: Packet, *, is_outward: bool) -> None:
        """A packet has been carried by somebody else: its flow is in another state now."""
        ends = self.endpoints.read(packet)
        if ends is None:
            return
        source, destination = ends
        if is_outward:
            mapping, remote = self.mappings.of_inside(packet.protocol, source, self.now()), destination
        else:
            mapping, remote = self.mapping_at(packet.protocol, destination[1]), source
        if mapping is not None and mapping.flow(remote, self.now()) is not None:
            note = self.note_outward if is_outward else self.note_inward
            note(mapping, remote, flags_of(packet))

    def inward(self, packet: Packet) -> bool:
        """Have a packet to an outside endpoint go to its inside one; whether it comes in."""
        ends = self.endpoints.read(packet)
        if ends is None:
            return False
        source, destination = ends
        if packet.protocol in (TCP, UDP) and packet.ports() is None:
            return False
        mapping = self.mapping_at(packet.protocol, destination[1])
        if mapping is None or not self.filtering.lets_in(mapping, source, self.now()):
            return False
        self.note_inward(mapping, source, flags_of(packet))
        self.endpoints.change_destination(packet, mapping.inside)
        return True


def flags_of(packet: Packet) -> int:
    """The flags of a TCP segment; 0 of other packets."""
    is_segment = packet.protocol == TCP and packet.end - packet.start > _FLAGS_AT
    return packet.buffer[packet.start + _FLAGS_AT] if is_segment else 0


def is_call(packet: Packet) -> bool:
    """Whether a packet is a SYN that opens a connection."""
    return flags_of(packet) & (SYN | ACK | RST) == SYN
