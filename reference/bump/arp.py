# SPDX-License-Identifier: GPL-2.0-or-later
"""Address resolution for the IPv4 network (RFC 826): answers, asks, learns, and keeps packets while it waits."""

import struct
from collections.abc import Callable

_MESSAGE = struct.Struct("!HHBBH6sI6sI")
_HEAD = (1, 0x0800, 6, 4)
REQUEST, REPLY = 1, 2
ETHERTYPE = 0x0806
BROADCAST = b"\xff" * 6

RETRY_S, TRIES = 0.3, 5
REFRESH_S, FORGET_S = 30.0, 60.0
WAITING_ADDRESSES, WAITING_PACKETS = 1024, 512


class _Waiting:
    """Packets for one address that is being asked for."""

    __slots__ = ("asked", "next", "packets")

    def __init__(self, now: float) -> None:
        self.packets: list[bytes] = []
        self.asked = 1
        self.next = now + RETRY_S


class _Known:
    """The Ethernet address of one neighbour."""

    __slots__ = ("asked", "header", "learnt")

    def __init__(self, header: bytes, now: float) -> None:
        self.header, self.learnt, self.asked = header, now, 0.0


class Arp:
    """Neighbours on the wire."""

    def __init__(self, send: Callable[[bytes], None], own: int, own_mac: bytes) -> None:
        self._send, self._own, self._own_mac = send, own, own_mac
        self.also_answers_for: set[int] = set()
        self._known: dict[int, _Known] = {}
        self._waiting: dict[int, _Waiting] = {}

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def header_for(self, address: int, now: float) -> bytes | None:
        """The Ethernet header towards a neighbour, None while it is not known."""
        known = self._known.get(address)
        if known is None:
            return None
        if now - known.learnt > REFRESH_S and now - known.asked > RETRY_S:
            known.asked = now
            self._ask(address, known.header[:6])
        return known.header

    def keep(self, address: int, packet: bytes, now: float) -> None:
        """Keep a packet until its neighbour is known, and ask for it."""
        waiting = self._waiting.get(address)
        if waiting is None:
            if len(self._waiting) >= WAITING_ADDRESSES:
                return
            waiting = self._waiting[address] = _Waiting(now)
            self._ask(address, BROADCAST)
        if len(waiting.packets) < WAITING_PACKETS:
            waiting.packets.append(packet)

    def receive(self, message: bytes, now: float) -> None:
        """Take an ARP message: learn its sender where it concerns us, answer when it asks for us."""
        if len(message) < _MESSAGE.size:
            return
        *head, operation, sender_mac, sender, _, target = _MESSAGE.unpack_from(message)
        if tuple(head) != _HEAD or operation not in (REQUEST, REPLY) or self._is_own(sender):
            return
        if sender and (self._is_own(target) or sender in self._known or sender in self._waiting):
            self._learn(sender, sender_mac, now)
        if operation == REQUEST and self._is_own(target):
            self._say(REPLY, sender_mac, sender_mac, sender, target)

    def move(self, own: int) -> None:
        """Leave the own address for another, and tell everybody (a gratuitous request, RFC 5944, section 4.6)."""
        self.use(own)
        self._say(REQUEST, BROADCAST, bytes(6), own)

    def use(self, own: int) -> None:
        """Ask as another own address from now on."""
        self._own = own

    def tick(self, now: float) -> None:
        """Ask again, give up, forget."""
        for address, waiting in list(self._waiting.items()):
            if now < waiting.next:
                continue
            if waiting.asked >= TRIES:
                del self._waiting[address]
                continue
            waiting.asked += 1
            waiting.next = now + RETRY_S
            self._ask(address, BROADCAST)
        for address in [address for address, known in self._known.items() if now - known.learnt > FORGET_S]:
            del self._known[address]

    def _is_own(self, address: int) -> bool:
        return address == self._own or address in self.also_answers_for

    def _learn(self, address: int, mac: bytes, now: float) -> None:
        header = mac + self._own_mac + b"\x08\x00"
        self._known[address] = _Known(header, now)
        waiting = self._waiting.pop(address, None)
        for packet in waiting.packets if waiting else ():
            self._send(header + packet)

    def _ask(self, address: int, to: bytes) -> None:
        self._say(REQUEST, to, bytes(6), address)

    def _say(self, operation: int, to: bytes, target_mac: bytes, target: int, sender: int | None = None) -> None:
        own = self._own if sender is None else sender
        message = _MESSAGE.pack(*_HEAD, operation, self._own_mac, own, target_mac, target)
        self._send(to + self._own_mac + ETHERTYPE.to_bytes(2, "big") + message)
