# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of the local side: how often, when and of what it tells."""

from typing import Any

from reference.bump.datapath import Fields
from reference.bump.flows import Flow
from reference.bump.tcp import State
from reference.sacip.datapath import SacipDatapath
from reference.sacip.flows import ends
from reference.sacip.knowing import Changed, Straggling, Telling
from reference.sacip.local_side import LocalSide
from reference.sacip.notification import Notification
from reference.system.addresses import ipv4_from_text
from reference.system.alterations import variant

STRAGGLING_S = 0.03
AGAIN_S = 0.02


@variant(
    "big-endian-machine", "local", "The captured order is that of a little-endian CPU.", "network order, both ways"
)
class _BigEndian(Notification):
    role = "server"

    def ordered(self, address: int) -> int:
        return address


@variant("all-told-first", "local", "Each is told before it goes: all of them may be.", "all are told, then all change")
class _AllToldFirst(Telling):
    pass


@variant("each-told-once", "local", "The receiver goes by the address.", "a peer of several sockets is told once")
class _EachOnce(Telling):
    def told(self, flows: list[Flow]) -> list[Flow]:
        return list({ends(flow.wire_address)[1]: flow for flow in flows}.values())


@variant(
    "told-twice",
    "limits",
    "A lost notification is not repeated by the author: who repeats it does better.",
    "20 ms later each is told again",
)
class _ToldTwice(SacipDatapath):
    role = "mobile node"

    def send_message(self, source: int, peer: int, message: bytes) -> None:
        super().send_message(source, peer, message)
        self.after(AGAIN_S, lambda: super(_ToldTwice, self).send_message(source, peer, message))


@variant("time-wait-told", "activation", "TIME-WAIT may be searched as well.", "its peers are told")
class _TimeWaitTold(LocalSide):
    def is_searched(self, flow: Flow) -> bool:
        return super().is_searched(flow) or flow.tcp.state is State.TIME_WAIT


@variant(
    "stragglers-of-30-ms",
    "local",
    "What was queued may leave from the old address, as captured.",
    "data does for 30 ms",
)
class _Stragglers(Straggling):
    def goes_wrong(self, known: Changed, fields: Fields, length: int) -> bool:
        return self.now - known.since < STRAGGLING_S and length > 0


@variant(
    "renewal-refused",
    "minimal",
    "Linux gives an address that it has once more only where it is told to replace it.",
    "an address that the host has is refused",
)
class _RenewalRefused(SacipDatapath):
    role = "mobile node"

    def add_address(self, text: str, prefix_length: str = "") -> str:
        if ipv4_from_text(text) in self.addresses:
            return f"{text} is an address of this host already"
        return super().add_address(text, prefix_length)


@variant("arp-announces", "minimal", "RFC 5227 has hosts announce an address.", "the new address is announced by ARP")
class _ArpAnnounces(SacipDatapath):
    role = "mobile node"

    def add_address(self, text: str, prefix_length: str = "") -> str:
        wrong = super().add_address(text, prefix_length)
        if not wrong and self._arp is not None:
            self._arp.move(self.addresses.assigned[-1].address)
            self._arp.use(self.addresses.primary)
        return wrong


@variant(
    "redirect-obeyed",
    "examples",
    "RFC 792: a host takes the route that a Redirect names.",
    "the peer is asked for itself",
)
class _RedirectObeyed(SacipDatapath):
    role = "mobile node"

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.on_link: set[int] = set()

    def _icmp_from_wire(self, network: Any, packet: Any) -> None:
        message = bytes(self._wire_view[packet.start : packet.end])
        if message[0] == 5 and len(message) >= 28:
            self.on_link.add(int.from_bytes(message[4:8], "big"))
        super()._icmp_from_wire(network, packet)

    def _neighbour(self, network: Any, destination: int, packet: Any) -> bytes | None:
        peer = ends(destination)[1]
        if peer not in self.on_link or self._arp is None:
            return super()._neighbour(network, destination, packet)
        header = self._arp.header_for(peer, self.now)
        if header is None:
            self._arp.keep(peer, bytes(packet), self.now)
        return header
