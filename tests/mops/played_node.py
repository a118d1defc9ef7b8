# SPDX-License-Identifier: GPL-2.0-or-later
"""A MOPS host without a wire and without a kernel: both are played, packet by packet, in virtual time."""

import struct
from typing import Any

from reference.mops.choices import Choice
from reference.mops.datapath import MopsDatapath
from reference.mops.roles import MobileNodeRole
from reference.system.addresses import KERNEL_PREFIX, ipff_text
from tests.lab.ipff import DRAFT, Ipff, Received, internet_checksum
from tests.lab.played import Played
from tests.lab.wire import ACK, OWN_MAC, RST, SYN
from tests.mops.messages import with_checksum

HOME, AWAY, FAR, SERVER, OTHER, UNICAST = 0xA1, 0xA2, 0xA3, 0x51, 0x52, 0x53
OUTER, OUTERMOST = 0xE1, 0xE2
TCP, UDP, ICMP = 6, 17, 1
INTERVAL_S, RETRIES = 2.0, 3
MASK = (1 << 50) - 1
OPTION = bytes.fromhex("fe044d4f")


def transport(protocol: int, source: int, destination: int, payload: bytes) -> bytes:
    """TCP or UDP of the kernel with its checksum, that of IPv6; zero in its place before."""
    at = 16 if protocol == TCP else 6
    total = source + destination + protocol + len(payload) + int.from_bytes(payload + b"\0" * (len(payload) % 2), "big")
    return payload[:at] + struct.pack("!H", 0xFFFF - (total % 0xFFFF or 0xFFFF)) + payload[at + 2 :]


def on_the_wire(reading: Ipff, protocol: int, source: int, destination: int, payload: bytes) -> bytes:
    """TCP, or UDP that has no Length yet, with its checksum; zero in its place before."""
    at = 16
    if protocol == UDP:
        at = 4 if reading.udp == "v5" else 6
        payload = payload[:4] + (b"" if at == 4 else struct.pack("!H", len(payload) + 2)) + payload[4:]
    pseudo = reading.pseudo_header(source, destination, protocol, len(payload))
    return payload[:at] + struct.pack("!H", internet_checksum(pseudo + payload)) + payload[at + 2 :]


class Conversation:
    """A TCP connection that the node has opened, or a UDP one."""

    def __init__(self, host: "PlayedNode", server: int, port: int, local: int, protocol: int) -> None:
        self.host, self.server, self.port, self.local, self.protocol = host, server, port, local, protocol
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
        self.host.from_kernel(self.server, self.protocol, transport(self.protocol, HOME, self.server, payload))

    def peer(self, data: bytes = b"", flags: int = ACK, options: bytes = b"") -> None:
        """The server sends."""
        if self.protocol == TCP:
            ports, offset = (self.port, self.here), (20 + len(options)) << 2
            payload = struct.pack("!HHIIBBHI", *ports, self.nxt, self.kernel_nxt, offset, flags, 9999, 0)
            payload += options + data
            self.nxt += len(data) + bool(flags & SYN)
        else:
            payload = struct.pack("!HHH", self.port, self.here, 0) + data
        payload = on_the_wire(self.host.reading, self.protocol, self.at, self.host.own, payload)
        self.host.from_wire(self.at, self.protocol, payload)


class PlayedNode(Played):
    """The host, its wire and its kernel."""

    datapath: MopsDatapath

    def __init__(self, part: type | None = None, reading: Ipff = DRAFT) -> None:
        self.reading = reading
        mops = {
            "rate_limit_s": 0.0,
            "retry_interval_s": INTERVAL_S,
            "retries": RETRIES,
            "mobile_capable": {"kind": 254, "exid": 0x4D4F},
        }
        ipff = {
            "address": ipff_text(HOME),
            "icmp_protocol": ICMP,
            "neighbour_mac": OWN_MAC.hex(),
            "header": reading.header,
            "icmp_checksum": "plain" if reading.icmp is None else "pseudo-header",
            "icmp_pseudo_protocol": reading.icmp or 1,
            "udp": reading.udp,
        }
        super().__init__(MobileNodeRole, {"networks": {"ipff": ipff}, "mops": mops}, part)
        self.talks: list[Conversation] = []

    # Playing wire and kernel -------------------------------------------------------------------------------------

    def from_wire(self, source: int, protocol: int, payload: bytes, to: int | None = None) -> None:
        to = self.own if to is None else to
        if protocol == ICMP:
            payload = self.reading.message(source, to, payload)
        self.frame_from_wire(0x88B5, self.reading.packet(source, to, protocol, payload))

    def from_kernel(self, peer: int, protocol: int, payload: bytes) -> None:
        header = struct.pack(
            "!IHBB8sQ8sQ", 6 << 28, len(payload), protocol, 64, KERNEL_PREFIX, HOME, KERNEL_PREFIX, peer
        )
        self.frame_from_kernel(0x86DD, header + payload)

    def move(self, address: int) -> None:
        self.move_to(ipff_text(address))

    def wire(self) -> list[Any]:
        """What has gone out since the last time, in short."""
        heard: list[Any] = []
        for frame in self.datapath.frames_for_wire():
            heard.append(self._short(self.reading.read(frame[14:])))
        return heard

    def _short(self, packet: Received) -> Any:
        source, destination, payload = packet.source, packet.destination, packet.payload
        if packet.protocol == ICMP:
            return ("icmp", source, destination, self.reading.plain(packet))
        right = self.reading.is_intact(packet)
        ports = struct.unpack_from("!HH", payload)
        if packet.protocol == UDP:
            data = payload[6 if self.reading.udp == "v5" else 8 :]
            return ("udp" if right else "spoilt", source, destination, *ports, data)
        offset, flags = payload[12] >> 4 << 2, payload[13]
        kind = ("tcp" if right else "spoilt") + ("+" if OPTION in payload[20:offset] else "")
        return (kind, source, destination, *ports, flags, payload[offset:])

    def kernel_sees(self) -> list[Any]:
        """What has come to the kernel: protocol, flags and data of TCP."""
        seen: list[Any] = []
        for frame in self.datapath.frames_for_kernel():
            protocol, payload = frame[20], frame[54:]
            seen.append((protocol, payload[13], payload[payload[12] >> 4 << 2 :]) if protocol == TCP else (protocol,))
        return seen

    # Conversations -----------------------------------------------------------------------------------------------

    def chooses(self, protocol: int, port: int, **choice: Any) -> None:
        """The application that has a port chooses."""
        self.datapath.choices.choose(protocol, port, Choice(**choice))

    def open(self, server: int = SERVER, port: int = 80, local: int = 1027, answer: bytes = b"", **choice: Any) -> Any:
        """A connection that the node opens."""
        self.chooses(TCP, local, **choice)
        talk = Conversation(self, server, port, local, TCP)
        talk.kernel(flags=SYN)
        talk.peer(flags=SYN | ACK, options=answer)
        talk.kernel()
        return self._kept(talk)

    def speak(self, server: int = SERVER, local: int = 4000, **choice: Any) -> Conversation:
        """A UDP socket of the node that has said something."""
        self.chooses(UDP, local, **choice)
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
