# SPDX-License-Identifier: GPL-2.0-or-later
"""A MOPS host without a wire and without a kernel: both are played, packet by packet, in virtual time."""

import socket
import struct
from typing import Any

from reference.system.addresses import KERNEL_PREFIX, ipff_text
from reference.mops.choices import Choice
from reference.system.configuration import IpffSettings
from reference.mops.capable import CapableSettings
from reference.mops.datapath import MopsDatapath
from reference.bump.network import HOST_MAC, STACK_MAC
from reference.bump.ipff import IpffNetwork
from reference.parts import Parts
from tests.reference.server import with_checksum
from tests.reference.wire import ACK, DUT_MAC, OWN_MAC, RST, SYN

HOME, AWAY, FAR, SERVER, OTHER, UNICAST = 0xA1, 0xA2, 0xA3, 0x51, 0x52, 0x53
OUTER, OUTERMOST = 0xE1, 0xE2
TCP, UDP, ICMP = 6, 17, 1
INTERVAL_S, RETRIES = 2.0, 3
MASK = (1 << 50) - 1
OPTION = bytes.fromhex("fe044d4f")


def transport(protocol: int, source: int, destination: int, payload: bytes) -> bytes:
    """TCP or UDP with its checksum; zero in its place before."""
    at = 16 if protocol == TCP else 6
    total = source + destination + protocol + len(payload) + int.from_bytes(payload + b"\0" * (len(payload) % 2), "big")
    return payload[:at] + struct.pack("!H", 0xFFFF - (total % 0xFFFF or 0xFFFF)) + payload[at + 2 :]


class Conversation:
    """A TCP connection that the node has opened, or a UDP one."""

    def __init__(self, bench: "Bench", server: int, port: int, local: int, protocol: int) -> None:
        self.bench, self.server, self.port, self.local, self.protocol = bench, server, port, local, protocol
        self.at, self.here = server, local  # on the wire
        self.kernel_nxt, self.nxt = 5000 + local * 10, 900

    def kernel(self, data: bytes = b"", flags: int = ACK, options: bytes = b"") -> None:
        """The kernel sends."""
        if self.protocol == TCP:
            numbers = self.kernel_nxt, self.nxt if flags & ACK else 0
            payload = struct.pack(
                "!HHIIBBHI", self.local, self.port, *numbers, (20 + len(options)) << 2, flags, 9999, 0
            )
            payload += options + data
            self.kernel_nxt += len(data) + bool(flags & SYN) + (flags & 1)
        else:
            payload = struct.pack("!HHHH", self.local, self.port, 8 + len(data), 0) + data
        self.bench.from_kernel(self.server, self.protocol, transport(self.protocol, HOME, self.server, payload))

    def peer(self, data: bytes = b"", flags: int = ACK, options: bytes = b"") -> None:
        """The server sends."""
        if self.protocol == TCP:
            ports, offset = (self.port, self.here), (20 + len(options)) << 2
            payload = struct.pack("!HHIIBBHI", *ports, self.nxt, self.kernel_nxt, offset, flags, 9999, 0)
            payload += options + data
            self.nxt += len(data) + bool(flags & SYN)
        else:
            payload = struct.pack("!HHHH", self.port, self.here, 8 + len(data), 0) + data
        payload = transport(self.protocol, self.at, self.bench.own, payload)
        self.bench.from_wire(self.at, self.protocol, payload)


class Bench:
    """The host, its wire and its kernel."""

    def __init__(self, parts: Parts) -> None:
        self.now = 0.0
        self.far, wire = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.below, stack = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.interfaces = wire, stack
        for one in (self.far, self.below, *self.interfaces):
            one.setblocking(False)
        self.network = IpffNetwork(IpffSettings(HOME, 0x88B5, ICMP, OWN_MAC), parts.flows())
        self.choices = parts.choices()
        self.host = host = MopsDatapath(wire, DUT_MAC, stack, [self.network], OWN_MAC)
        host.clock = lambda: self.now
        host.begin(self.choices, parts.mobile_capable(CapableSettings()))
        limit = parts.rate_limit(0.0)
        host.server = parts.mops_server(limit, False, host.settle, host.send, self.choices)
        host.node = parts.mobile_node(INTERVAL_S, RETRIES, self.choices, parts.nat_table(), parts.anycast(), host)
        self.talks: list[Conversation] = []

    def close(self) -> None:
        for one in (self.far, self.below, *self.interfaces):
            one.close()

    @property
    def own(self) -> int:
        return self.network.own

    # Playing wire and kernel -------------------------------------------------------------------------------------

    def turn(self) -> None:
        wire, stack = self.interfaces
        self.host._now = self.now
        self.host._read(wire, self.host._wire_view[16:], self.host._frame_from_wire)
        self.host._read(stack, self.host._kernel_view, self.host._frame_from_kernel)
        self.host._after_turn()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now = round(self.now + 0.1, 1)
            self.turn()

    def from_wire(self, source: int, protocol: int, payload: bytes, to: int | None = None) -> None:
        to = self.own if to is None else to
        packet = struct.pack("!IHBBQQ", 5 << 28, len(payload), 64, 0, protocol << 50 | source, to) + payload
        self.far.send(DUT_MAC + OWN_MAC + b"\x88\xb5" + packet)
        self.turn()

    def from_kernel(self, peer: int, protocol: int, payload: bytes) -> None:
        header = struct.pack(
            "!IHBB8sQ8sQ", 6 << 28, len(payload), protocol, 64, KERNEL_PREFIX, HOME, KERNEL_PREFIX, peer
        )
        self.below.send(STACK_MAC + HOST_MAC + b"\x86\xdd" + header + payload)
        self.turn()

    def move(self, address: int) -> None:
        self.host.move_to(ipff_text(address))
        self.turn()

    def wire(self) -> list[Any]:
        """What has gone out since the last time, in short."""
        heard: list[Any] = []
        while True:
            try:
                frame = self.far.recv(3000)
            except BlockingIOError:
                return heard
            length, word1, word2 = *struct.unpack_from("!H", frame, 18), *struct.unpack_from("!QQ", frame, 22)
            heard.append(self._short(word1 & MASK, word2 & MASK, word1 >> 50, frame[38 : 38 + length]))

    def _short(self, source: int, destination: int, protocol: int, payload: bytes) -> Any:
        if protocol == ICMP:
            return ("icmp", source, destination, payload)
        total = source + destination + protocol + len(payload)
        right = (total + int.from_bytes(payload + b"\0" * (len(payload) % 2), "big")) % 0xFFFF == 0
        ports = struct.unpack_from("!HH", payload)
        if protocol == UDP:
            return ("udp" if right else "spoilt", source, destination, *ports, payload[8:])
        offset, flags = payload[12] >> 4 << 2, payload[13]
        kind = ("tcp" if right else "spoilt") + ("+" if OPTION in payload[20:offset] else "")
        return (kind, source, destination, *ports, flags, payload[offset:])

    def kernel_sees(self) -> list[Any]:
        """What has come to the kernel: protocol, flags and data of TCP."""
        seen: list[Any] = []
        while True:
            try:
                packet = self.below.recv(3000)[14:]
            except BlockingIOError:
                return seen
            protocol, payload = packet[6], packet[40:]
            seen.append((protocol, payload[13], payload[payload[12] >> 4 << 2 :]) if protocol == TCP else (protocol,))

    # Conversations -----------------------------------------------------------------------------------------------

    def open(self, server: int = SERVER, port: int = 80, local: int = 1027, answer: bytes = b"", **choice: Any) -> Any:
        """A connection that the node opens."""
        self.choices._by_port[TCP, local] = Choice(**choice)
        talk = Conversation(self, server, port, local, TCP)
        talk.kernel(flags=SYN)
        talk.peer(flags=SYN | ACK, options=answer)
        talk.kernel()
        return self._kept(talk)

    def speak(self, server: int = SERVER, local: int = 4000, **choice: Any) -> Conversation:
        """A UDP socket of the node that has said something."""
        self.choices._by_port[UDP, local] = Choice(**choice)
        talk = Conversation(self, server, 53, local, UDP)
        talk.kernel(b"first")
        return self._kept(talk)

    def _kept(self, talk: Conversation) -> Conversation:
        self.talks.append(talk)
        self.wire()
        self.kernel_sees()
        return talk

    # Messages ----------------------------------------------------------------------------------------------------

    def requests(self) -> list[bytes]:
        """The Migrates sent since the last time; everything else is forgotten."""
        return [one[3] for one in self.wire() if one[0] == "icmp"]

    def asks(self) -> list[Any]:
        """The Migrates sent since the last time: source and destination of the packet, and what is in it."""
        return [(*one[1:3], *read(one[3])) for one in self.wire() if one[0] == "icmp"]

    def say(self, message: bytes, source: int = SERVER) -> None:
        self.from_wire(source, ICMP, message)

    def agree(self, source: int = SERVER) -> None:
        """The server serves what has been asked."""
        for request in self.requests():
            self.say(reply(request), source)
            for old, new, _ in struct.iter_unpack("!HHI", request[24:]):
                for talk in self.talks:
                    if talk.here == old and talk.protocol == request[8] << 6 | request[9] >> 2:
                        talk.here = new
        self.wire()

    def goes_on(self, talk: Conversation) -> Any:
        """Data in both directions: where it came from and went to, and what the kernel got."""
        self.wire()
        self.kernel_sees()
        talk.kernel(b"up")
        talk.peer(b"down")
        return self.wire(), self.kernel_sees()


def read(message: bytes) -> tuple[Any, ...]:
    """Code, protocol, previous address, migrated address, entries."""
    word1, word2 = struct.unpack_from("!QQ", message, 8)
    entries = list(struct.iter_unpack("!HHI", message[24:]))
    return message[5], word1 >> 50, word1 & MASK, word2 & MASK, entries


def reply(request: bytes, code: int = 2, entries: list[int] | None = None, spoil: int = 0, **fields: int) -> bytes:
    """The reply to a request; only these of its entries, with these fields changed."""
    word1, word2 = struct.unpack_from("!QQ", request, 8)
    count = (len(request) - 24) // 8
    listed = range(count) if entries is None else entries
    rows = [list(struct.unpack_from("!HHI", request, 24 + 8 * index)) for index in listed]
    for row in rows:
        row[0] += fields.get("previous_port", 0)
        row[1] += fields.get("migrated_port", 0)
        row[2] += fields.get("identifier", 0)
    protocol, previous = fields.get("protocol", word1 >> 50), fields.get("previous", word1 & MASK)
    migrated, count = fields.get("migrated", word2 & MASK), fields.get("count", len(rows))
    version, reserved = fields.get("version", 1), fields.get("reserved", 0)
    words = protocol << 50 | previous, count << 50 | migrated
    body = struct.pack("!HHBBHQQ", 100, 0, version, code, reserved, *words)
    return with_checksum(body + b"".join(struct.pack("!HHI", *row) for row in rows), spoil)


def translated(level: int, original: int, ports: Any, to: int, protocol: int = TCP, **fields: int) -> bytes:
    """A NAT acknowledgement; `ports` are pairs of original and translated."""
    count, version, code = fields.get("count", len(ports)), fields.get("version", 1), fields.get("code", 0)
    reserved = fields.get("reserved", 0)
    words = protocol << 50 | original, count << 50 | to
    body = struct.pack("!HHBBBBQQ", 102, 0, version, code, level, reserved, *words)
    return with_checksum(body + b"".join(struct.pack("!HH", *pair) for pair in ports), fields.get("spoil", 0))


def anycast(ports: tuple[int, int], unicast: int = UNICAST, address: int = SERVER, **fields: int) -> bytes:
    """An anycast acknowledgement; `ports` are the node's and the server's."""
    version, code, reserved = fields.get("version", 1), fields.get("code", 0), fields.get("reserved", 0)
    words = fields.get("protocol", TCP) << 50 | address, reserved >> 2 << 50 | unicast
    body = struct.pack("!HHBBHQQHH", 101, 0, version, code, reserved, *words, *ports)
    return with_checksum(body + bytes(fields.get("longer", 0)), fields.get("spoil", 0))


RESET = (TCP, RST | ACK, b"")
