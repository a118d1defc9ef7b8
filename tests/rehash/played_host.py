# SPDX-License-Identifier: GPL-2.0-or-later
"""A Rehash host without a wire and without a kernel: both are played, segment by segment, in virtual time."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reference.rehash.roles import HostRole
from tests.lab.played import Played
from tests.lab.wire import ACK, FIN, OWN_MAC, RST, SYN, internet_checksum
from tests.rehash.peer import ADDR, INIT, KIND, packed

HOME, AWAY, FURTHER = 0xC6120001, 0xC6120002, 0xC6120003
PEER, MOVED, AGAIN, OTHER = 0xC6130001, 0xC6130002, 0xC6130003, 0xC6130004
NONCE = 0x5EED0001
TIMESTAMPS = bytes.fromhex("0101080a0000000500000007")
SACK = bytes.fromhex("0101051a") + bytes(24)
_NAMES = ((SYN, "S"), (FIN, "F"), (RST, "R"), (ACK, "A"))


def packet(source: int, destination: int, segment: bytes) -> bytes:
    header = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(segment), 7, 0, 64, 6, 0, source, destination)
    return header[:10] + struct.pack("!H", internet_checksum(header)) + header[12:] + segment


def tcp(source: int, destination: int, ports: tuple[int, int], numbers: tuple[int, int], flags: int, rest: bytes,
        options: bytes) -> bytes:  # fmt: skip
    offset = (20 + len(options)) << 2
    segment = struct.pack("!HHIIBBHHH", *ports, *numbers, offset, flags, 0xFFFF, 0, 0) + options + rest
    pseudo = struct.pack("!IIHH", source, destination, 6, len(segment))
    checksum = internet_checksum(pseudo + segment)
    return packet(source, destination, segment[:16] + struct.pack("!H", checksum) + segment[18:])


@dataclass
class Heard:
    """A segment that came out of the host, at either end."""

    source: int
    destination: int
    ports: tuple[int, int]
    sequence: int
    acknowledgement: int
    flags: int
    options: bytes
    data: bytes
    intact: bool

    @property
    def option(self) -> tuple[int, ...] | None:
        """The Rehash option; the whole options when they are not well-formed."""
        left, found = self.options, None
        while left and left[0]:
            length = 1 if left[0] == 1 else left[1] if len(left) > 1 else 0
            if not 1 <= length <= len(left) or (left[0] == 5 and length % 8 != 2):
                return tuple(self.options)
            if left[0] == KIND:
                found = struct.unpack("!HIII", left[2:16])
            left = left[length:]
        return found

    @property
    def kind(self) -> str:
        return "".join(letter for bit, letter in _NAMES if self.flags & bit)


def read(frame: bytes) -> Heard:
    source, destination = struct.unpack_from("!II", frame, 26)
    (length,) = struct.unpack_from("!H", frame, 16)
    segment = frame[34 : 14 + length]
    ports, numbers = struct.unpack_from("!HH", segment), struct.unpack_from("!II", segment, 4)
    offset = segment[12] >> 4 << 2
    pseudo = struct.pack("!IIHH", source, destination, 6, len(segment))
    intact = internet_checksum(pseudo + segment) == 0 == internet_checksum(frame[14:34])
    return Heard(source, destination, ports, *numbers, segment[13], segment[20:offset], segment[offset:], intact)


class Conversation:
    """One connection: what the peer says and what the kernel says."""

    def __init__(self, host: "PlayedHost", address: int, port: int, local_port: int) -> None:
        self.host, self.address, self.port, self.local_port = host, address, port, local_port
        self.kernel_tuple = (address, port)
        self.nxt, self.kernel_nxt = 1000, 5000
        self.nonce, self.dut_nonce = NONCE + port, 0
        self.dut = host.own

    def init(self) -> bytes:
        return packed(INIT, self.nonce, 0, self.address)

    def addr(self, new: int, nonce: int | None = None, old: int | None = None, control: int = ADDR) -> bytes:
        return packed(control, self.dut_nonce if nonce is None else nonce, self.address if old is None else old, new)

    def says(self, flags: int = ACK, data: bytes = b"", options: bytes = b"", source: int | None = None,
             sequence: int | None = None, to: int | None = None) -> None:  # fmt: skip
        """The peer sends a segment."""
        source = self.address if source is None else source
        numbers = (self.nxt if sequence is None else sequence, self.kernel_nxt if flags & ACK else 0)
        to = self.host.own if to is None else to
        self.host.from_wire(tcp(source, to, (self.port, self.local_port), numbers, flags, data, options))
        if sequence is None:
            self.nxt += len(data) + bool(flags & SYN) + bool(flags & FIN)

    def kernel(self, flags: int = ACK, data: bytes = b"", options: bytes = b"", sequence: int | None = None) -> None:
        """The kernel sends a segment."""
        numbers = (self.kernel_nxt if sequence is None else sequence, self.nxt if flags & ACK else 0)
        address, port = self.kernel_tuple
        self.host.from_kernel(tcp(HOME, address, (self.local_port, port), numbers, flags, data, options))
        if sequence is None:
            self.kernel_nxt += len(data) + bool(flags & SYN) + bool(flags & FIN)

    def moves(self, new: int, data: bytes = b"", flags: int = ACK, **fields: int) -> None:
        """The peer moves and says so."""
        option = self.addr(new, **fields)
        self.address = new
        self.says(flags, data, option)

    def stale(self, number: int) -> str:
        """A sequence number for people."""
        return f"{number - 1000:+d}" if abs(number - 1000) < 2000 else f"k{number - 5000:+d}"


class PlayedHost(Played):
    """The host, its wire and its kernel."""

    role: HostRole

    def __init__(self, part: type | None = None, **settings: int) -> None:
        ipv4 = {"address": "198.18.0.1", "prefix_length": 15, "icmp_protocol": 254}
        super().__init__(HostRole, {"networks": {"ipv4": ipv4}, "rehash": settings}, part)
        self.arp: list[bytes] = []
        for address in (PEER, MOVED, AGAIN, OTHER):
            asking = struct.pack("!HHBBH6sI6sI", 1, 0x800, 6, 4, 1, OWN_MAC, address, bytes(6), HOME)
            self.frame_from_wire(0x0806, asking)
        self.wire()

    def wait(self, seconds: float, step: float = 0.01) -> None:
        super().wait(seconds, step)

    def move(self, address: int) -> None:
        self.move_to(".".join(str(byte) for byte in address.to_bytes(4, "big")))

    def from_wire(self, data: bytes) -> None:
        self.frame_from_wire(0x0800, data)

    def from_kernel(self, data: bytes) -> None:
        self.frame_from_kernel(0x0800, data)

    @staticmethod
    def _heard(frames: list[bytes], arp: list[bytes]) -> list[Heard]:
        heard = []
        for frame in frames:
            if frame[12:14] == b"\x08\x00":
                heard.append(read(frame))
            else:
                arp.append(frame)
        return heard

    def wire(self) -> list[Heard]:
        """What has gone out on the wire since the last time."""
        return self._heard(self.datapath.frames_for_wire(), self.arp)

    def kernels(self) -> list[Heard]:
        """What the kernel has been given since the last time."""
        return self._heard(self.datapath.frames_for_kernel(), [])

    def quiet(self) -> None:
        self.wire()
        self.kernels()

    # Connections -------------------------------------------------------------------------------------------------

    def accepts(self, rehash: bool = True, address: int = PEER, port: int = 1027, done: bool = True) -> Conversation:
        """A peer connects."""
        talk = Conversation(self, address, port, 7)
        talk.says(SYN, options=bytes.fromhex("020405b4") + (talk.init() if rehash else b""))
        given = self.kernels()
        if given:
            talk.kernel_tuple = (given[-1].source, given[-1].ports[0])
        talk.kernel(SYN | ACK, options=bytes.fromhex("020405b4"))
        self._learn(talk)
        if done:
            talk.says()
            self.wait(0.01)
            self._learn(talk)
            self.quiet()
        return talk

    def connects(self, rehash: bool = True, port: int = 4000, done: bool = True) -> Conversation:
        """The host connects to a peer."""
        talk = Conversation(self, PEER, port, 50000)
        talk.kernel(SYN, options=bytes.fromhex("020405b4"))
        self._learn(talk)
        talk.says(SYN | ACK, options=bytes.fromhex("020405b4") + (talk.init() if rehash else b""))
        if done:
            talk.kernel()
            self._learn(talk)
            self.quiet()
        return talk

    def _learn(self, talk: Conversation) -> None:
        for heard in self.wire():
            if heard.option is not None:
                talk.dut_nonce = heard.option[1]

    # What is compared --------------------------------------------------------------------------------------------

    def told(self, talk: Conversation, heard: list[Heard] | None = None) -> list[str]:
        """Segments as text; nonces by whose they are."""
        return [self._text(talk, one) for one in (self.wire() if heard is None else heard)]

    def _text(self, talk: Conversation, heard: Heard) -> str:
        start = f"{_name(heard.source)}>{_name(heard.destination)} {heard.kind} {talk.stale(heard.sequence)}"
        if heard.flags & ACK:
            start += f"/{talk.stale(heard.acknowledgement)}"
        if not heard.intact:
            start += " checksum"
        if heard.data:
            start += f" {len(heard.data)}"
        option = heard.option
        if option is None:
            return start
        if len(option) != 4:
            return f"{start} malformed"
        control, nonce, old, new = option
        whose = {talk.nonce: "peer's", talk.dut_nonce: "own"}.get(nonce, "another")
        kind = {INIT: "INIT", ADDR: "ADDR"}.get(control, str(control))
        return f"{start} {kind}({whose},{_name(old)},{_name(new)})"


def _name(address: int) -> str:
    names = {HOME: "home", AWAY: "away", FURTHER: "further", PEER: "peer", MOVED: "moved", AGAIN: "again"}
    return {**names, OTHER: "other"}.get(address, str(address))


# Scenarios --------------------------------------------------------------------------------------------------------

SCENARIOS: dict[str, Callable[[PlayedHost], Any]] = {}


def scenario(function: Callable[[PlayedHost], Any]) -> Callable[[PlayedHost], Any]:
    SCENARIOS[function.__name__] = function
    return function


def both(host: PlayedHost, talk: Conversation) -> tuple[list[str], list[str]]:
    """What has gone out, and what the kernel has been given."""
    return host.told(talk), host.told(talk, host.kernels())
