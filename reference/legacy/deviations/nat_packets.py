# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT in what becomes of packets: hairpinning, payloads, sizes, fragments, hops, checksums."""

import struct

from reference.bump.checksum import words_sum
from reference.middlebox.messages import Trouble
from reference.middlebox.nat.endpoints import Endpoints
from reference.middlebox.nat.mappings import Endpoint
from reference.middlebox.nat.nat import Nat
from reference.middlebox.packet import ICMP, TCP, UDP, Packet, shift
from reference.middlebox.side import Side
from reference.system.alterations import deviation

_HAIRPINNING = "A NAT MUST support Hairpinning."
_NO_ALG = "ALGs are off."
_TTL, _HEADER_CHECKSUM = 8, 10
_UDP_CHECKSUM = 6
_TCP_CHECKSUM, _TCP_OFFSET = 16, 12
_FRAGMENT = 6
_MANY = 200


class _NoHairpin(Nat):
    protocol = UDP

    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        if side is out and packet.protocol == self.protocol:
            return False
        return super().passes(side, packet, out)


@deviation("nat-no-hairpin", "4787", _HAIRPINNING, "no datagram comes from one inside host to another")
class _NoUdpHairpin(_NoHairpin):
    pass


@deviation("nat-no-tcp-hairpin", "5382", _HAIRPINNING, "no connection comes from one inside host to another")
class _NoTcpHairpin(_NoHairpin):
    protocol = TCP


@deviation(
    "nat-hairpin-from-inside", "4787", "Hairpinning is with the external source.", "the source is the inside one"
)
class _HairpinFromInside(Nat):
    def passes(self, side: Side, packet: Packet, out: Side) -> bool:
        endpoints = self.translations[packet.network].endpoints
        ends = endpoints.read(packet) if packet.protocol == UDP else None
        passed = super().passes(side, packet, out)
        if passed and side is out and ends is not None:
            endpoints.change_source(packet, ends[0])
        return passed


class _Gateway(Nat):
    """Rewrites the sender's address where the data of an application names it."""

    protocol = UDP

    def passes_outward(self, side: Side, packet: Packet) -> bool:
        own = packet.network.text(packet.source).encode()
        passed = super().passes_outward(side, packet)
        if passed and packet.protocol == self.protocol:
            self.rewrite(packet, own, packet.network.text(packet.source).encode())
        return passed

    def rewrite(self, packet: Packet, own: bytes, outside: bytes) -> None:
        """Put the outside address in the place of the sender's, as far as it fits."""
        data, checksum = packet.start + 8, _UDP_CHECKSUM
        if packet.protocol == TCP:
            data, checksum = packet.start + (packet.buffer[packet.start + _TCP_OFFSET] >> 2 & 0x3C), _TCP_CHECKSUM
        content = bytes(packet.buffer[data : packet.end])
        if own not in content:
            return
        changed = content.replace(own, outside[: len(own)].ljust(len(own), b" "))
        delta = words_sum(changed) - words_sum(content)
        packet.buffer[data : packet.end] = changed
        shift(packet.buffer, packet.start + checksum, delta)


@deviation("nat-gateway-for-datagrams", "4787", _NO_ALG, "an address in a datagram is rewritten")
class _UdpGateway(_Gateway):
    pass


@deviation("nat-gateway-for-connections", "5382", _NO_ALG, "an address in the data of a connection is rewritten")
class _TcpGateway(_Gateway):
    protocol = TCP


@deviation("nat-too-large-unsaid", "4787", "What is too large with DF draws Fragmentation Needed.", "it is dropped")
class _TooLargeUnsaid(Nat):
    def tell(self, side: Side, packet: Packet, trouble: Trouble, mtu: int = 0) -> None:
        if trouble is not Trouble.SIZE:
            super().tell(side, packet, trouble, mtu)


@deviation("nat-too-large-dropped", "4787", "What is too large without DF is fragmented.", "it is dropped")
class _TooLargeDropped(Nat):
    def emit(self, out: Side, packet: Packet) -> None:
        if len(packet) <= out.mtu:
            super().emit(out, packet)


@deviation(
    "nat-fragments-backwards", "4787", "The fragments of what is too large go out in order.", "the last one first"
)
class _Backwards(Nat):
    def emit(self, out: Side, packet: Packet) -> None:
        if len(packet) <= out.mtu:
            super().emit(out, packet)
            return
        for piece in reversed(packet.network.pieces(packet, out.mtu)):
            out.send_packet(packet.network, packet.destination, piece, self.now)


class _Reassembling(Nat):
    def _reassembled(self, side: Side, fragment: Packet) -> Packet | None:
        return super()._reassembled(side, fragment) if self.takes(fragment) else None

    def takes(self, fragment: Packet) -> bool:
        """Whether a fragment is looked at."""
        return True

    @staticmethod
    def offset(fragment: Packet) -> int:
        """Where in its packet a fragment stands, in eight bytes."""
        return int(struct.unpack_from("!H", fragment.buffer, fragment.at + _FRAGMENT)[0]) & 0x1FFF


@deviation("nat-no-fragments", "4787", "Fragments pass in every order.", "no fragment passes")
class _NoFragments(_Reassembling):
    def takes(self, fragment: Packet) -> bool:
        return False


@deviation(
    "nat-fragments-in-order", "4787", "Fragments pass in every order.", "those that come before the first one are lost"
)
class _InOrder(_Reassembling):
    def takes(self, fragment: Packet) -> bool:
        begun: set[bytes] = self.__dict__.setdefault("_begun", set())
        key = bytes(
            fragment.buffer[fragment.at + 4 : fragment.at + 6] + fragment.buffer[fragment.at + 12 : fragment.at + 20]
        )
        if self.offset(fragment) == 0:
            begun.add(key)
        return key in begun


@deviation(
    "nat-fragments-fill-it", "4787", "Unfinished fragments harm no others.", "after two hundred of them none is taken"
)
class _Filled(_Reassembling):
    def takes(self, fragment: Packet) -> bool:
        self.unfinished = getattr(self, "unfinished", 0) + 1
        return self.unfinished < _MANY

    def _reassembled(self, side: Side, fragment: Packet) -> Packet | None:
        whole = super()._reassembled(side, fragment)
        if whole is not None:
            self.unfinished = max(0, self.unfinished - 3)
        return whole


@deviation("nat-hop-not-taken", "1812", "A router takes a hop.", "the Time to Live stays")
class _HopNotTaken(Nat):
    def emit(self, out: Side, packet: Packet) -> None:
        packet.buffer[packet.at + _TTL] += 1
        shift(packet.buffer, packet.at + _HEADER_CHECKSUM, 0x100)
        super().emit(out, packet)


@deviation("nat-inward-hop-not-taken", "1812", "A router takes a hop.", "the Time to Live of what comes in stays")
class _InwardHopNotTaken(_HopNotTaken):
    def emit(self, out: Side, packet: Packet) -> None:
        if out is self.inside:
            super().emit(out, packet)
        else:
            Nat.emit(self, out, packet)


@deviation("nat-last-hop-unsaid", "1812", "The last hop is told to the sender.", "it is dropped in silence")
class _LastHopUnsaid(Nat):
    def tell(self, side: Side, packet: Packet, trouble: Trouble, mtu: int = 0) -> None:
        if trouble is not Trouble.HOPS:
            super().tell(side, packet, trouble, mtu)


@deviation("nat-no-checksum-adjusted", "768", "A UDP checksum of zero is not changed.", "it is adjusted like any other")
class _ZeroAdjusted(Endpoints):
    def change_source(self, packet: Packet, endpoint: Endpoint) -> None:
        where = packet.start + _UDP_CHECKSUM
        is_none = packet.protocol == UDP and not any(packet.buffer[where : where + 2])
        delta = endpoint[0] + endpoint[1] - sum(self.read(packet)[0]) if is_none else 0  # type: ignore[index]
        super().change_source(packet, endpoint)
        if is_none:
            shift(packet.buffer, where, delta)


@deviation("nat-no-replies", "5508", "Echo replies come in.", "they do not")
class _NoReplies(Nat):
    def passes_inward(self, side: Side, packet: Packet) -> bool:
        return packet.protocol != ICMP and super().passes_inward(side, packet)
