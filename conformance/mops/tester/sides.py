# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tester plays on both sides of a router: mobile nodes on the inside, servers and routers on the outside."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from scapy.packet import Packet

from conformance.mops.migrate import Entry, Message, in_mops, send_message
from conformance.mops.tester.nat_router import nat_acknowledgement
from layers.mops import MIGRATE, MOPSMigrate
from testbed.case.case import Case
from testbed.peers.tcp import TcpPeer
from testbed.peers.through import Tuple
from testbed.wire import chance
from testbed.wire.capture import Mark, Sent
from testbed.wire.headers import TCP_PROTOCOL
from testbed.wire.station import Station


@dataclass(frozen=True)
class Endpoint:
    """A port of a host of the tester's."""

    station: Station
    port: int

    @property
    def place(self) -> Tuple:
        """Address and port."""
        return self.station.address, self.port

    def __str__(self) -> str:
        return f"{self.station.address}:{self.port}"


@dataclass(frozen=True)
class SentMessage:
    """A message that the tester has sent: its bytes, the frame, and who sent it to whom."""

    octets: bytes
    sent: Sent
    since: Mark
    sender: Station
    destination: str

    @property
    def message(self) -> Packet:
        """The message, read as a Migrate."""
        return MOPSMigrate(self.octets)


def transmit(station: Station, message: Message, destination: str) -> SentMessage:
    """Send a message from a station to any address, through the device or to it."""
    sent = send_message(station, message, destination)
    octets = station.network.payload(sent.data)
    return SentMessage(octets, sent, station.trace.mark_at(sent.frame), station, destination)


class Host:
    """A host of the tester's at an address of its own."""

    side_name: ClassVar[str]

    def __init__(self, case: Case, address: str = "") -> None:
        self._case = case
        self.side = case.sides[self.side_name]
        self.station = self.side.station(address)

    @classmethod
    def like(cls, other: "Self") -> Self:
        """Another one on the same side."""
        return cls(other._case)

    @property
    def address(self) -> str:
        """Where it is."""
        return self.station.address

    @property
    def called(self) -> str:
        """The address by which hosts on the other side know it."""
        return self.address

    def at(self, port: int = 0) -> Endpoint:
        """A port of the host: this one, or one that no other case uses."""
        return Endpoint(self.station, port or next(self._case.setup.source_ports))


@dataclass
class Moved:
    """A connection that was opened elsewhere: `previous` is what the server knows the node's end by.

    `inner` is the node's end, where it is now, and `outer` the server's.
    """

    previous: Tuple
    inner: TcpPeer
    outer: TcpPeer

    @property
    def entry(self) -> Entry:
        """The entry that migrates it."""
        return self.previous[1], self.inner.port, self.inner.snd_nxt


class Node(Host):
    """A mobile node on the inside."""

    side_name = "inside"

    def request(self, previous: str, entries: Iterable[Entry], **fields: Any) -> Packet:
        """A Migrate to the node's address; any field can be replaced."""
        content = {
            "code": MIGRATE,
            "protocol": TCP_PROTOCOL,
            "previous_source": in_mops(previous),
            "migrated_source": in_mops(self.address),
            "entries": list(entries),
        }
        return MOPSMigrate(**{**content, **fields})

    def entries(self, number: int, previous: int = 1027) -> list[Entry]:
        """Entries of connections that only their server knows, to ports of this node."""
        return [(previous + one, self.at().port, chance.randbits(32)) for one in range(number)]

    def migrate(self, server: "Server", *moved: Moved, **fields: Any) -> SentMessage:
        """Send the Migrate of connections that have one previous address."""
        message = self.request(moved[0].previous[0], [one.entry for one in moved], **fields)
        return self.send(message, server)

    def send(self, message: Message, server: "Server") -> SentMessage:
        """Send a message to a server."""
        return transmit(self.station, message, server.called)

    def send_with_hops(self, message: Packet, server: "Server", hops: int) -> SentMessage:
        """Send a message to a server in a packet with this hop limit."""
        network = self.station.network
        packet = network.packet(self.address, server.address, network.icmp_protocol, message)
        setattr(packet, network.hops_field, hops)
        sent = self.station.transmit(packet)
        octets = network.payload(sent.data)
        return SentMessage(octets, sent, self.station.trace.mark_at(sent.frame), self.station, server.address)

    def tell(self, message: Message, address: str) -> SentMessage:
        """Send a message to an address."""
        return transmit(self.station, message, address)

    def bring(self, server: "Server", previous: Tuple, port: int = 0, **choices: Any) -> Moved:
        """A connection to a server that was opened elsewhere, in mid-stream; `choices` are those of both ends."""
        here, there = self.at(port), server.listening
        inner = _open_end(here, there.place, **choices)
        outer = _open_end(there, previous, **choices)
        inner.rcv_nxt, outer.rcv_nxt = outer.snd_nxt, inner.snd_nxt
        return Moved(previous, inner, outer)

    def take(self, moved: Moved, port: int = 0) -> Moved:
        """A connection that goes on from here, at this port or a new one; its server still knows the present tuple."""
        here = self.at(port)
        previous = (moved.outer.remote, moved.outer.remote_port)
        return Moved(previous, moved.inner.at(here.station, here.port), moved.outer.at(moved.outer.station))


def _open_end(at: Endpoint, to: Tuple, **choices: Any) -> TcpPeer:
    end = TcpPeer(at.station, at.port, to[1], checks_source=True, **choices)
    end.remote, end.state = to[0], "ESTABLISHED"
    end.window, end.largest = 65535, end.mss
    return end


class Server(Host):
    """A server on the outside, at a port of its own."""

    side_name = "outside"

    def __init__(self, case: Case, address: str = "", port: int = 0) -> None:
        super().__init__(case, address)
        self.listening = self.at(port)

    def reply_message(self, migrate: Packet, code: int, **fields: Any) -> Packet:
        """The reply to a Migrate as it came; any field can be replaced."""
        names = ("protocol", "previous_source", "migrated_source", "entries")
        content = {name: migrate.getfieldval(name) for name in names}
        return MOPSMigrate(**{"code": code, **content, **fields})

    def reply(self, migrate: Packet, to: str, code: int, **fields: Any) -> SentMessage:
        """Reply to a Migrate as it came, to an address; any field can be replaced."""
        return self.send(self.reply_message(migrate, code, **fields), to)

    def send(self, message: Message, to: str) -> SentMessage:
        """Send a message to an address."""
        return transmit(self.station, message, to)


class Upstream(Host):
    """A NAT router on the outside: it acknowledges what it makes of the device's outside tuples."""

    side_name = "outside"

    def translation(self) -> Tuple:
        """A tuple that this router could translate to."""
        return self.address, chance.randbits(15) + 1024

    def acknowledge(self, original: Tuple, translated: Tuple, level: int = 1, **fields: Any) -> SentMessage:
        """Tell the device that `original`, its own, appears as `translated`; any field can be replaced."""
        return self.send(nat_acknowledgement(original, translated, level, **fields), original[0])

    def send(self, message: Message, to: str) -> SentMessage:
        """Send a message to an address."""
        return transmit(self.station, message, to)
