# SPDX-License-Identifier: GPL-2.0-or-later
"""The other side of a mobile node, crafted with struct alone: TCP and UDP peers, replies, acknowledgements."""

import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.lab.host import Lab
from tests.lab.ipff import DRAFT
from tests.lab.wire import (
    ACK,
    DUT,
    DUT_MAC,
    ETHERTYPE,
    FIN,
    ICMP_PROTOCOL,
    OWN_MAC,
    PSH,
    SYN,
    TCP,
    UDP,
    UDP_HEADER,
    Seen,
    heard_payload,
    internet_checksum,
    network_packet,
    number,
    pseudo_header,
    udp_datagram,
)  # fmt: skip
from tests.mops.messages import with_checksum

MASK = (1 << 50) - 1


@dataclass
class Heard(Seen):
    """A packet of the node, and when it came."""

    at: float = 0.0

    @property
    def data(self) -> bytes:
        return self.payload[UDP_HEADER[self.network] :] if self.protocol == UDP else super().data


@dataclass
class Request:
    """A Migrate of the node."""

    heard: Heard
    code: int
    protocol: int
    previous: int
    migrated: int
    entries: list[tuple[int, int, int]]
    raw: bytes


class Surroundings:
    """Everything on the wire; answers ARP for all addresses but the node's."""

    def __init__(self, lab: Lab, network: str) -> None:
        self.raw, self.lab, self.network = lab.wire.raw, lab, network
        self.seen: list[Heard] = []
        self.announced: list[bytes] = []
        self.resolved: list[bytes] = []
        self.node = DUT[network]
        self.servers: list[Server] = []
        self.left_over: set[int] = set()

    def move(self, address: str) -> None:
        self.node = address
        self.lab.call("move", address=address)

    def send(self, source: str, protocol: int, payload: bytes) -> None:
        packet = network_packet(self.network, source, self.node, protocol, payload)
        self.raw.send(DUT_MAC + OWN_MAC + ETHERTYPE[self.network].to_bytes(2, "big") + packet)

    def message(self, source: str, payload: bytes) -> None:
        self.send(source, ICMP_PROTOCOL[self.network], payload)

    def take(self, wanted: Callable[[Heard], bool], timeout: float = 1.0) -> Heard | None:
        deadline = time.monotonic() + timeout
        while True:
            for index, heard in enumerate(self.seen):
                if wanted(heard):
                    return self.seen.pop(index)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if select.select([self.raw], [], [], left)[0]:
                self._hear(self.raw.recv(65536))

    def quiet(self, seconds: float) -> list[Heard]:
        """What is heard in this time."""
        self.take(lambda _: False, seconds)
        return self.seen

    def request(self, timeout: float = 1.0) -> Request | None:
        """The next Migrate, but for those of connections that an earlier test has left."""
        heard = self.take(self._is_a_migrate, timeout)
        if heard is None:
            return None
        raw = heard.payload
        kind, _, version, code, reserved, word1, word2 = struct.unpack_from("!HHBBHQQ", raw)
        assert (kind, version, reserved, internet_checksum(raw)) == (100, 1, 0, 0)
        entries = list(struct.iter_unpack("!HHI", raw[24:]))
        assert word2 >> 50 == len(entries) > 0
        return Request(heard, code, word1 >> 50, word1 & MASK, word2 & MASK, entries, raw)

    def _is_a_migrate(self, heard: Heard) -> bool:
        is_one = heard.protocol == ICMP_PROTOCOL[heard.network]
        return is_one and not {one[0] for one in struct.iter_unpack("!HHI", heard.payload[24:])} <= self.left_over

    def forget_what_moves(self) -> None:
        """What has been announced by now is of an earlier test: a reset that came at a bad time has not ended it."""
        while request := self.request(0.01):
            self.left_over |= {previous for previous, _, _ in request.entries}
        self.seen.clear()

    def reply(self, request: Request, code: int = 2, **changes: Any) -> None:
        """Answer a request: `source`, `entries` and the fields of the message can be changed."""
        source = changes.pop("source", None) or self.text(request.heard.destination)
        spoil, extra = changes.pop("spoil", 0), changes.pop("extra", b"")
        fields = {"version": 1, "reserved": 0, **vars(replace(request)), "code": code, **changes}
        count = fields.get("count", len(fields["entries"]))
        body = struct.pack(
            "!HHBBHQQ", 100, 0, fields["version"], code, fields["reserved"],
            fields["protocol"] << 50 | fields["previous"], count << 50 | fields["migrated"],
        ) + b"".join(struct.pack("!HHI", *entry) for entry in fields["entries"]) + extra  # fmt: skip
        self.message(source, with_checksum(body, spoil))

    def resolves(self, address: str) -> bool:
        """Whether anybody answers an ARP request for an address."""
        asked = struct.pack(
            "!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, OWN_MAC, bytes(4), bytes(6), socket.inet_aton(address)
        )
        self.resolved.clear()
        self.raw.send(b"\xff" * 6 + OWN_MAC + b"\x08\x06" + asked)
        self.take(lambda _: bool(self.resolved), 0.05)
        return socket.inet_aton(address) in self.resolved

    def text(self, address: int) -> str:
        shifts, mask = ((40, 30, 20, 10, 0), 0x3FF) if self.network == "ipff" else ((24, 16, 8, 0), 0xFF)
        return ".".join(str(address >> shift & mask) for shift in shifts)

    def _hear(self, frame: bytes) -> None:
        ethertype, now = int.from_bytes(frame[12:14], "big"), time.monotonic()
        if ethertype == 0x0806:
            self._arp(frame)
        elif ethertype == 0x0800:
            length, protocol = struct.unpack_from("!2xH5xB", frame, 14)
            assert internet_checksum(frame[14:34]) == 0
            source, destination = struct.unpack_from("!II", frame, 26)
            self._keep(Heard("ipv4", destination, protocol, frame[34 : 14 + length], source, now))
        elif ethertype == 0x88B5:
            packet = DRAFT.read(frame[14:])
            self._keep(Heard("ipff", packet.destination, packet.protocol, heard_payload(packet), packet.source, now))

    def _keep(self, heard: Heard) -> None:
        if heard.network != self.network:
            return
        if heard.protocol in (TCP, UDP) and heard.network == "ipv4":
            total = heard.source + heard.destination + heard.protocol + len(heard.payload)
            padded = heard.payload + b"\0" * (len(heard.payload) % 2)
            assert (total + int.from_bytes(padded, "big")) % 0xFFFF == 0, "checksum"
        self.seen.append(heard)

    def _arp(self, frame: bytes) -> None:
        operation, sender_mac, sender, _, target = struct.unpack_from("!H6s4s6s4s", frame, 20)
        if operation == 2:
            self.resolved.append(sender)
        elif sender == target:
            self.announced.append(target)
        elif operation == 1 and target != socket.inet_aton(self.node):
            reply = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, OWN_MAC, target, sender_mac, sender)
            self.raw.send(sender_mac + OWN_MAC + b"\x08\x06" + reply)


class Server:
    """One connection that the node has opened, seen from its other end."""

    def __init__(
        self, surroundings: Surroundings, address: str, port: int = 80, options: bytes = b"", **choice: Any
    ) -> None:
        self.surroundings, self.address, self.port = surroundings, address, port
        surroundings.servers.append(self)
        lab = surroundings.lab
        opening = lab.start("connect", address=address, port=port, timeout_s=3, **choice)
        self.ack = None
        while self.ack is None:  # a SYN that comes again is answered again
            syn = surroundings.take(lambda heard: self._is_for_me(heard) and heard.flags == SYN, 2.0)
            assert syn is not None, "no SYN"
            self.syn, self.node_port = syn, syn.ports[0]
            self.nxt, self.rcv_nxt = 5_000_000, (syn.sequence + 1) % 2**32
            self.segment(SYN | ACK, sequence=self.nxt, options=bytes.fromhex("020405b4") + options)
            self.nxt += 1
            self.ack = self.hears(ACK)
        self.connection = lab.result(opening)["connection"]

    def _is_for_me(self, heard: Heard) -> bool:
        if heard.protocol != TCP or heard.destination != number(self.address):
            return False
        return heard.ports[1] == self.port

    def is_mine(self, heard: Heard) -> bool:
        here = heard.source == number(self.surroundings.node)
        return self._is_for_me(heard) and here and heard.ports[0] == self.node_port

    def segment(self, flags: int, data: bytes = b"", sequence: int | None = None, options: bytes = b"") -> None:
        sequence = self.nxt if sequence is None else sequence
        ports = self.port, self.node_port
        segment = struct.pack(
            "!HHIIBBHHH", *ports, sequence, self.rcv_nxt, (20 + len(options)) << 2, flags, 0xFFFF, 0, 0
        )
        segment += options + data
        self.surroundings.send(self.address, TCP, checksummed(self.surroundings, self.address, TCP, segment, 16))

    def hears(self, flags: int = 0, timeout: float = 1.0) -> Heard | None:
        return self.surroundings.take(lambda heard: self.is_mine(heard) and heard.flags & flags == flags, timeout)

    def send(self, data: bytes) -> None:
        self.segment(ACK | PSH, data)
        self.nxt = (self.nxt + len(data)) % 2**32

    def receive(self, length: int, timeout: float = 2.0, acknowledge: bool = True) -> bytes:
        data = b""
        while len(data) < length:
            heard = self.surroundings.take(lambda one: self.is_mine(one) and bool(one.data or one.flags & FIN), timeout)
            assert heard is not None, f"only {data!r}"
            if heard.sequence == self.rcv_nxt:
                data += heard.data
                if acknowledge:
                    self.rcv_nxt = (self.rcv_nxt + len(heard.data)) % 2**32
            if acknowledge:
                self.segment(ACK)
        return data

    def says(self, data: bytes) -> None:
        """Have the node's application send."""
        self.surroundings.lab.call("send", connection=self.connection, data=data.hex())

    def gets(self, length: int = 1000, timeout: float = 2.0) -> bytes:
        """What the node's application receives."""
        result = self.surroundings.lab.call("receive", connection=self.connection, length=length, timeout_s=timeout)
        return bytes.fromhex(result["data"])

    def works(self) -> bool:
        """Data in both directions."""
        self.says(b"from the node")
        there = self.receive(13)
        self.send(b"from the server")
        return there == b"from the node" and self.gets() == b"from the server"

    def moved(self, request: Request, at: int = 0) -> None:
        """The connection is where an entry says."""
        self.node_port = request.entries[at][1]


class Caller(Server):
    """One connection that the node has accepted."""

    def __init__(self, surroundings: Surroundings, address: str, port: int, service: int, options: bytes = b"") -> None:
        self.surroundings, self.address, self.port, self.node_port = surroundings, address, port, service
        surroundings.servers.append(self)
        self.nxt, self.rcv_nxt = 9_000_000, 0
        self.segment(SYN, options=options)
        answer = self.hears(SYN | ACK)
        assert answer is not None, "no SYN-ACK"
        self.answer = answer
        self.nxt, self.rcv_nxt = self.nxt + 1, (answer.sequence + 1) % 2**32
        self.segment(ACK)


def checksummed(surroundings: Surroundings, source: str, protocol: int, payload: bytes, at: int) -> bytes:
    pseudo = pseudo_header(surroundings.network, source, surroundings.node, len(payload), protocol)
    return payload[:at] + struct.pack("!H", internet_checksum(pseudo + payload)) + payload[at + 2 :]


def datagram(surroundings: Surroundings, source: str, port: int, node_port: int, data: bytes) -> None:
    """Send a UDP datagram to the node."""
    ends = source, surroundings.node
    surroundings.send(source, UDP, udp_datagram(surroundings.network, ends, (port, node_port), data))
