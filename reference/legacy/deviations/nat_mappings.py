# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT in its mappings, their ports and how long they last (RFC 4787; RFC 5382 and 5508, REQ-1)."""

from collections.abc import Callable, Iterator
from typing import ClassVar

from reference.middlebox.nat.mappings import Endpoint, Mapping
from reference.middlebox.nat.ports import Ports
from reference.middlebox.nat.translation import Translation, is_call
from reference.middlebox.packet import ICMP, TCP, UDP, Packet
from reference.system.alterations import deviation

_INDEPENDENT = "A NAT MUST have an Endpoint-Independent Mapping behavior."
_SAME_IDENTIFIER = "An identifier is translated to the same for every destination."
_SOME = 3


class _PerDestination(Translation):
    """Maps an endpoint anew for every address that it sends to."""

    protocol: ClassVar[int] = UDP

    def _mapping_of(self, packet: Packet, source: Endpoint) -> Mapping | None:
        found = super()._mapping_of(packet, source)
        if found is None or packet.protocol != self.protocol or not self.is_another(found, packet):
            return found
        known: dict[tuple[Endpoint, int], Mapping] = self.__dict__.setdefault("_known", {})
        key = source, self.destination(packet)
        mapping = known.get(key)
        if mapping is None or not mapping.is_alive(self.now()):
            mapping = known[key] = self._another(found) or found
        return mapping

    def is_another(self, found: Mapping, packet: Packet) -> bool:
        """Whether the packet goes to another destination than the first."""
        remotes = list(found.flows)
        return bool(remotes) and (remotes[0][0], 0) != (packet.destination, 0)

    def destination(self, packet: Packet) -> int:
        """What of the destination gets a mapping of its own."""
        return packet.destination

    def _another(self, found: Mapping) -> Mapping | None:
        made = self.mappings.make(found.protocol, found.inside, self._choose(found.protocol), self.now())
        if made is not None:
            self.mappings.prefer(found)
        return made


@deviation("nat-mapping-per-address", "4787", _INDEPENDENT, "each destination address gets a mapping of its own")
class _PerAddress(_PerDestination):
    pass


@deviation("nat-tcp-mapping-per-address", "5382", _INDEPENDENT, "the same for TCP alone")
class _PerAddressOfTcp(_PerDestination):
    protocol = TCP

    def makes_a_mapping(self, packet: Packet) -> bool:
        return packet.protocol != TCP or is_call(packet)


@deviation("nat-query-mapping-per-address", "5508", _SAME_IDENTIFIER, "the same for echo requests alone")
class _PerAddressOfQueries(_PerDestination):
    protocol = ICMP


@deviation("nat-mapping-per-port", "4787", _INDEPENDENT, "each destination port gets a mapping of its own")
class _PerPort(_PerDestination):
    def is_another(self, found: Mapping, packet: Packet) -> bool:
        remotes, ports = list(found.flows), packet.ports()
        return bool(remotes) and ports is not None and remotes[0][1] != ports[1]

    def destination(self, packet: Packet) -> int:
        ports = packet.ports()
        return ports[1] if ports else 0


@deviation("nat-taken-port-per-address", "4787", _INDEPENDENT, "an endpoint that has not kept its port is mapped anew")
class _TakenPerAddress(_PerDestination):
    def is_another(self, found: Mapping, packet: Packet) -> bool:
        return found.outside[1] != found.inside[1] and super().is_another(found, packet)


@deviation(
    "nat-later-endpoints-per-address",
    "4787",
    "A NAT MUST have deterministic behavior.",
    "from the fourth endpoint of a host on",
)
class _LaterPerAddress(_PerDestination):
    def is_another(self, found: Mapping, packet: Packet) -> bool:
        ports: dict[int, list[int]] = self.__dict__.setdefault("_ports_of_hosts", {})
        known = ports.setdefault(found.inside[0], [])
        if found.inside[1] not in known:
            known.append(found.inside[1])
        return known.index(found.inside[1]) >= _SOME and super().is_another(found, packet)


@deviation("nat-port-overloaded", "4787", "A NAT MUST NOT have Port overloading.", "hosts with one port get one port")
class _Overloaded(Ports):
    def choose(self, port: int, highest: int, is_free: Callable[[int], bool]) -> int | None:
        return port


@deviation("nat-high-port-for-low", "4787", "Ports of 0 to 1023 stay in that range.", "a low port becomes a high one")
class _HighForLow(Ports):
    def candidates(self, port: int, highest: int) -> Iterator[int]:
        return super().candidates(port + 2048 if port < 1024 else port, highest)


@deviation("nat-high-port-for-taken-low", "4787", "Ports of 0 to 1023 stay in that range.", "where it is taken")
class _HighForTaken(Ports):
    def range_of(self, port: int, highest: int) -> tuple[int, int]:
        return 1024, highest


@deviation("nat-half-timer", "4787", "A mapping lasts as long as its timer is set to.", "it lasts half as long")
class _HalfTimer(Translation):
    def _lifetime(self, mapping: Mapping, remote: Endpoint, flags: int, *, is_outward: bool) -> float:
        return super()._lifetime(mapping, remote, flags, is_outward=is_outward) / (2 if mapping.protocol == UDP else 1)


@deviation("nat-no-refresh", "4787", "Outbound datagrams refresh a mapping.", "the first one alone counts")
class _NoRefresh(Translation):
    def note_outward(self, mapping: Mapping, remote: Endpoint, flags: int) -> None:
        if mapping.protocol != UDP or mapping.flow(remote, self.now()) is None:
            super().note_outward(mapping, remote, flags)
