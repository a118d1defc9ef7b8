# SPDX-License-Identifier: GPL-2.0-or-later
"""The near end of the wire for tests of the reference: crafted segments and messages, with struct alone."""

import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.ipff import DRAFT, Ipff, Received, internet_checksum

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP, UDP = 6, 17
SYNS = 4
PATIENCE_S = 4.0
"""How long an answer may take: it comes at once unless the machine has other things to do."""

UDP_HEADER = {"ipff": 6, "ipv4": 8}
OWN_MAC, DUT_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
NETWORKS = ("ipff", "ipv4")
DUT = {"ipff": "8.8.8.8.8", "ipv4": "198.18.0.1"}
ICMP_PROTOCOL = {"ipff": 1, "ipv4": 254}
ETHERTYPE = {"ipff": 0x88B5, "ipv4": 0x0800}


def number(address: str) -> int:
    fields = [int(field) for field in address.split(".")]
    width = 10 if len(fields) == 5 else 8
    return sum(field << width * index for index, field in enumerate(reversed(fields)))


def mops_number(address: str) -> int:
    return number(address if address.count(".") == 4 else f"0.{address}")


def host_address(network: str, host: int) -> str:
    """The address of the tester's host number `host`."""
    return f"525.8.78.{host >> 8}.{host & 0xFF}" if network == "ipff" else f"198.19.{host >> 8}.{host & 0xFF}"


def pseudo_header(
    network: str, source: str, destination: str, length: int, protocol: int = TCP, reading: Ipff = DRAFT
) -> bytes:
    if network == "ipff":
        return reading.pseudo_header(number(source), number(destination), protocol, length)
    return struct.pack("!IIBBH", number(source), number(destination), 0, protocol, length)


def udp_datagram(network: str, ends: tuple[str, str], ports: tuple[int, int], data: bytes) -> bytes:
    """A datagram from one address to the other, with the header that UDP has on this network."""
    head = struct.pack("!HH", *ports)
    if network != "ipff":
        head += struct.pack("!H", 8 + len(data))
    pseudo = pseudo_header(network, *ends, len(head) + 2 + len(data), UDP)
    checksum = internet_checksum(pseudo + head + bytes(2) + data)
    return head + struct.pack("!H", checksum or 0xFFFF) + data


def network_packet(
    network: str, source: str, destination: str, protocol: int, payload: bytes, reading: Ipff = DRAFT
) -> bytes:
    """A packet; the checksum of a message of ICMPv5, given without pseudo-header, becomes that of the network."""
    near, far = number(source), number(destination)
    if network == "ipff":
        if protocol == ICMP_PROTOCOL[network]:
            payload = reading.message(near, far, payload)
        return reading.packet(near, far, protocol, payload)
    header = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(payload), 7, 0, 64, protocol, 0, near, far)
    return header[:10] + struct.pack("!H", internet_checksum(header)) + header[12:] + payload


def heard_payload(packet: Received, reading: Ipff = DRAFT) -> bytes:
    """What an IPFF packet carries, its checksum found right; a message as it would be without pseudo-header."""
    if packet.protocol == ICMP_PROTOCOL["ipff"]:
        return reading.plain(packet)
    assert packet.protocol not in (TCP, UDP) or reading.is_intact(packet), "checksum"
    return packet.payload


@dataclass
class Seen:
    """One packet of the device: its network, destination, protocol and payload."""

    network: str
    destination: int
    protocol: int
    payload: bytes
    source: int = 0

    @property
    def ports(self) -> tuple[int, int]:
        return struct.unpack_from("!HH", self.payload)

    @property
    def sequence(self) -> int:
        return struct.unpack_from("!I", self.payload, 4)[0]

    @property
    def acknowledgement(self) -> int:
        return struct.unpack_from("!I", self.payload, 8)[0]

    @property
    def flags(self) -> int:
        return self.payload[13]

    @property
    def window(self) -> int:
        return struct.unpack_from("!H", self.payload, 14)[0]

    @property
    def options(self) -> bytes:
        return self.payload[20 : self.payload[12] >> 4 << 2]

    @property
    def data(self) -> bytes:
        return self.payload[self.payload[12] >> 4 << 2 :]


class Wire:
    """Frames in and out; answers ARP for every address but the device's."""

    def __init__(self, raw: socket.socket, reading: Ipff = DRAFT) -> None:
        self.raw, self.reading = raw, reading
        self.seen: list[Seen] = []
        self.answers_arp = True
        self.dut = dict(DUT)  # where the device is at the moment

    def put(self, network: str, packet: bytes, source_mac: bytes = OWN_MAC) -> None:
        self.raw.send(DUT_MAC + source_mac + ETHERTYPE[network].to_bytes(2, "big") + packet)

    def send(self, network: str, source: str, protocol: int, payload: bytes) -> None:
        self.put(network, network_packet(network, source, self.dut[network], protocol, payload, self.reading))

    def take(self, wanted: Callable[[Seen], bool], timeout: float = PATIENCE_S) -> Seen | None:
        """The first packet that is wanted, taken out of what was seen."""
        deadline = time.monotonic() + timeout
        while True:
            for index, packet in enumerate(self.seen):
                if wanted(packet):
                    return self.seen.pop(index)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if select.select([self.raw], [], [], left)[0]:
                self._hear(self.raw.recv(65536))

    def _hear(self, frame: bytes) -> None:
        ethertype = int.from_bytes(frame[12:14], "big")
        if ethertype == 0x0806:
            self._arp(frame)
        elif ethertype == 0x0800:
            length, protocol, source, destination = struct.unpack_from("!2xH5xB2xII", frame, 14)
            assert internet_checksum(frame[14:34]) == 0
            self._keep("ipv4", source, destination, protocol, frame[34 : 14 + length])
        elif ethertype == 0x88B5:
            packet = self.reading.read(frame[14:])
            assert packet.source == number(DUT["ipff"])
            self._keep("ipff", packet.source, packet.destination, packet.protocol, heard_payload(packet, self.reading))

    def _keep(self, network: str, source: int, destination: int, protocol: int, payload: bytes) -> None:
        if protocol == TCP and network == "ipv4":
            near = source + destination + TCP + len(payload)
            assert (near + int.from_bytes(payload + b"\0" * (len(payload) % 2), "big")) % 0xFFFF == 0, "TCP checksum"
        self.seen.append(Seen(network, destination, protocol, payload, source))

    def _arp(self, frame: bytes) -> None:
        operation, sender_mac, sender, _, target = struct.unpack_from("!H6s4s6s4s", frame, 20)
        if operation == 1 and self.answers_arp and target[:2] == socket.inet_aton("198.19.0.0")[:2]:
            reply = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, OWN_MAC, target, sender_mac, sender)
            self.raw.send(sender_mac + OWN_MAC + b"\x08\x06" + reply)


class Peer:
    """One end of a TCP connection, segment by segment; it may change its address and port at will."""

    def __init__(self, wire: Wire, network: str, address: str, port: int, service: int = 7) -> None:
        self.wire, self.network, self.address, self.port, self.service = wire, network, address, port, service
        self.nxt = 1_000_000
        self.rcv_nxt = 0

    def segment(
        self, flags: int, data: bytes = b"", sequence: int | None = None, options: bytes = b"", spoil: int = 0
    ) -> None:
        sequence = self.nxt if sequence is None else sequence
        offset = (20 + len(options)) << 2
        header = struct.pack("!HHIIBBHHH", self.port, self.service, sequence, self.rcv_nxt, offset, flags, 0xFFFF, 0, 0)
        segment = header + options + data
        ends = self.address, self.wire.dut[self.network]
        pseudo = pseudo_header(self.network, *ends, len(segment), reading=self.wire.reading)
        checksum = internet_checksum(pseudo + segment) ^ spoil
        self.wire.send(self.network, self.address, TCP, segment[:16] + struct.pack("!H", checksum) + segment[18:])

    def is_mine(self, seen: Seen) -> bool:
        return (
            seen.network == self.network
            and seen.protocol == TCP
            and seen.destination == number(self.address)
            and seen.ports == (self.service, self.port)
        )

    def hears(self, flags: int = 0, timeout: float = PATIENCE_S) -> Seen | None:
        """The next segment to this tuple that has all of `flags`."""
        return self.wire.take(lambda seen: self.is_mine(seen) and seen.flags & flags == flags, timeout)

    def connect(self) -> "Peer":
        options = bytes.fromhex("020405b4 0402 0103030a".replace(" ", "")) + b"\1\1"
        answer = None
        for _ in range(SYNS):  # a link that has just come up may lose the first one
            self.segment(SYN, options=options)
            if answer := self.hears(SYN | ACK, 1.0):
                break
        assert answer is not None, "no SYN-ACK"
        self.nxt += 1
        assert answer.acknowledgement == self.nxt
        self.rcv_nxt = (answer.sequence + 1) % 2**32
        self.segment(ACK)
        return self

    def send(self, data: bytes) -> None:
        self.segment(ACK | PSH, data)
        self.nxt = (self.nxt + len(data)) % 2**32

    def receive(self, length: int, timeout: float = PATIENCE_S) -> bytes:
        """In-order data, acknowledged; what comes a second time is left out."""
        data = b""
        while len(data) < length:
            seen = self.wire.take(lambda seen: self.is_mine(seen) and bool(seen.data or seen.flags & FIN), timeout)
            assert seen is not None, f"only {data!r}"
            if seen.sequence == self.rcv_nxt:
                data += seen.data
                self.rcv_nxt = (self.rcv_nxt + len(seen.data) + (seen.flags & FIN)) % 2**32
            self.segment(ACK)
            if seen.flags & FIN:
                break
        return data

    def echo(self, data: bytes, timeout: float = PATIENCE_S) -> bool:
        """Whether the echo service answers."""
        self.send(data)
        return self.receive(len(data), timeout) == data
