# SPDX-License-Identifier: GPL-2.0-or-later
"""MOPS messages as sent and received: Migrate requests and replies, their entries and addresses (section 4)."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from scapy.packet import Packet

from layers.fields import address_to_str
from layers.mops import FAILED, SUCCESS, MOPSMigrate
from testbed.case.case import Case
from testbed.interruptions import Inconclusive
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent
from testbed.wire.clock import Deadline
from testbed.wire.network import Network
from testbed.wire.station import Station

CODES = {SUCCESS: "success", FAILED: "failed"}
"""The codes of replies."""

MOPS_TYPES = range(100, 103)
REPLY = "Migrate reply"
"""What the answers to a Migrate are called where their times are kept."""

HEADER = 24
ENTRY = struct.Struct("!HHI")

Entry = tuple[int, int, int]
"""Previous port, migrated port, and sequence number or Unique ID."""


class Listed(Protocol):
    """What a Migrate of the device can list, as the tester knows it."""

    @property
    def previous_port(self) -> int:
        """The device's port."""

    @property
    def identifier(self) -> int:
        """The device's SND.NXT or the Unique ID."""

    @property
    def is_only(self) -> bool:
        """Whether the device has nothing else with this server."""

    @property
    def shares_port(self) -> bool:
        """Whether the device has something else at the same port with this server."""

    def is_ruled_out(self, protocol: int) -> bool:
        """Whether a message with this Protocol is about others: the device has sockets of several with this server."""


@dataclass(frozen=True)
class SentMigrate:
    """A Migrate that the tester sent: the message, the frame, and where its replies begin in the case's trace."""

    message: Packet
    sent: Sent
    mark: Mark
    station: Station
    """Where the node is that asks, and where it would have its connections."""

    @property
    def entries(self) -> list[Entry]:
        """The entries that stand in it, whatever Count says."""
        return entries_in(bytes(self.message))


class Reply(NamedTuple):
    """A Migrate reply of the device."""

    frame: Frame
    message: Packet


@dataclass(frozen=True)
class ReceivedMigrate:
    """A Migrate that the device sent: its frame, the network packet around it, and its bytes."""

    frame: Frame
    packet: Packet
    octets: bytes
    network: Network

    @property
    def message(self) -> Packet:
        """The Migrate."""
        return self.packet.payload

    @property
    def right_checksum(self) -> int:
        """The checksum that it should carry."""
        ends = self.network.number(self.packet.src), self.network.number(self.packet.dst)
        return self.network.message_checksum(*ends, self.octets)

    @property
    def is_intact(self) -> bool:
        """Whether the checksum is right; in one's complement zero has two forms."""
        return int.from_bytes(self.octets[2:4], "big") % 0xFFFF == self.right_checksum % 0xFFFF

    @property
    def entries(self) -> list[Entry]:
        """Previous port, migrated port and identifier of each socket listed, whatever Count says."""
        return entries_in(self.octets)

    def address(self, field: str) -> str:
        """An address of the message, as MOPS writes it."""
        return in_mops(self.message.getfieldval(field))

    def find_entry(self, listed: Listed) -> Entry | None:
        """The entry that means this connection: with its port, else with its identifier, else the only one there is."""
        if listed.is_ruled_out(self.message.protocol):
            return None
        by_identifier = [one for one in self.entries if one[2] == listed.identifier]
        by_port = [one for one in self.entries if one[0] == listed.previous_port and not listed.shares_port]
        found = by_port or by_identifier or (self.entries if len(self.entries) == 1 and listed.is_only else [])
        return found[0] if found else None

    def entry(self, listed: Listed) -> Entry:
        """The entry that means this connection, as preamble."""
        entry = self.find_entry(listed)
        if entry is None:
            raise Inconclusive(f"preamble: #{self.frame.index} does not list port {listed.previous_port}")
        return entry


def in_mops(address: str | int) -> str:
    """An address as MOPS writes it: an IPv4 address a.b.c.d is 0.a.b.c.d."""
    return str(address_to_str(address))


def is_mops(packet: Packet) -> bool:
    """Whether a packet of ICMPv5 is one of MOPS: a device may send others where any host may."""
    return int.from_bytes(bytes(packet.payload)[:2]) in MOPS_TYPES


def messages(case: Case, since: Mark = BEGINNING) -> list[tuple[Frame, Packet]]:
    """Every message of MOPS that the device sent on the case's network since a mark."""
    found = case.messages(case.network.icmp_protocol, since)
    return [(frame, packet.payload) for frame, packet in found if is_mops(packet)]


def find_reply(case: Case, request: SentMigrate) -> Reply | None:
    """The first Migrate reply of the device to the request, if it came in time; replies to others are passed over."""
    deadline = Deadline(request.sent.ns, case.setup.profile.ixit.mops.reply_within_s)
    frame = case.look(lambda: next((one.frame for one in _open_replies(case, request)), None), deadline)
    if frame is None:
        return None
    case.answered(REPLY, request.sent.ns, frame.ns)
    reply = next(one for one in _open_replies(case, request) if one.frame is frame)
    frame.account(CODES[reply.message.code])
    return reply


def _open_replies(case: Case, request: SentMigrate) -> list[Reply]:
    return [
        Reply(frame, message)
        for frame, message in messages(case, request.mark)
        if isinstance(message, MOPSMigrate) and message.code in CODES and not frame.accounted
        if not is_for_another(case, request, message)
    ]


def is_for_another(case: Case, request: SentMigrate, reply: Packet) -> bool:
    """Whether a reply names ports of another Migrate that was sent in this case, and none of this one's."""
    named = _ports(reply.original)
    return not named & _ports(bytes(request.message)) and any(
        named & _ports(case.network.payload(frame.data))
        for frame in case.trace.frames
        if frame.outgoing and case.network.protocol(frame.data) == case.network.icmp_protocol
    )


def _ports(octets: bytes) -> set[tuple[int, int]]:
    """Previous and migrated port of each entry."""
    return {(previous, migrated) for previous, migrated, _ in entries_in(octets)}


def entries_in(octets: bytes) -> list[Entry]:
    """The entries that stand in a message, whatever its Count says."""
    whole = max(0, len(octets) - HEADER) // ENTRY.size * ENTRY.size
    return list(ENTRY.iter_unpack(octets[HEADER : HEADER + whole]))


@dataclass(frozen=True)
class Octets:
    """The bytes of a message. Which checksum is right is known when it is sent; `spoil` makes a wrong one of it."""

    octets: bytes
    spoil: Callable[[int], int] | None = None

    def between(self, network: Network, source: int, destination: int) -> bytes:
        """As they travel between these ends; what is too short to carry a checksum is left as it is."""
        if len(self.octets) < 4:
            return self.octets
        value = right = network.message_checksum(source, destination, self.octets)
        if self.spoil:
            value = self.spoil(right)
            value = (right + 1) % 0xFFFF if value % 0xFFFF == right % 0xFFFF else value
        return self.octets[:2] + value.to_bytes(2, "big") + self.octets[4:]


Message: TypeAlias = Packet | bytes | Octets
"""What can be sent: bytes as they are, a packet or octets with the right checksum unless they say otherwise."""


def send_message(station: Station, message: Message, destination: str = "") -> Sent:
    """Send a message to the device, or to one of its addresses."""
    network = station.network
    if isinstance(message, Octets):
        message = message.between(network, station.number, network.number(destination or network.dut))
    return station.send(network.icmp_protocol, message, destination=destination)


def enclosed(station: Station, message: Packet, destination: str = "", **fields: Any) -> Packet:
    """The network packet around a message from a station to the device; any field of its header can be replaced."""
    network = station.network
    packet = network.packet(station.address, destination or network.dut, network.icmp_protocol, message)
    for name, value in fields.items():
        setattr(packet, name, value)
    return packet


def reserved_fields(packet: Packet) -> dict[str, int]:
    """What the Reserved fields of a network packet say."""
    return {field.name: packet.getfieldval(field.name) for field in packet.fields_desc if "reserved" in field.name}


def sealed(octets: bytes) -> Octets:
    """The bytes of a message with the checksum that they should carry."""
    return Octets(octets)


def with_checksum(octets: bytes, value: int) -> Octets:
    """The bytes of a message with this checksum, or another wrong one if this is right."""
    return Octets(octets, lambda right: value)


def off_by_one(octets: bytes) -> Octets:
    """The bytes of a message with a checksum that is one more than the right one."""
    return Octets(octets, lambda right: (right + 1) % 0xFFFF)


def next_unique_id(unique_id: int) -> int:
    """The one-time Unique ID that follows this one (docs/dut-contract.md)."""
    return int.from_bytes(hashlib.sha256(unique_id.to_bytes(4, "big")).digest()[:4], "big")
