# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tester plays for a mobile node: the server it is connected to, and routers on the path."""

import struct
from dataclasses import dataclass
from typing import Any

from scapy.layers.inet import TCP
from scapy.packet import Packet

from layers.fields import address_to_str
from layers.mops import FAILED, SUCCESS, MOPSAnycastAck, MOPSMigrate, MOPSNATAck
from testbed.case.case import Case
from testbed.interruptions import Inconclusive
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent
from testbed.wire.clock import Deadline
from testbed.wire.network import TCP_PROTOCOL, Network
from testbed.wire.station import Station

Entry = tuple[int, int, int]
REPLIES = (SUCCESS, FAILED)
HEADER = 24
ENTRY = struct.Struct("!HHI")


class ServerEnd(TcpPeer):
    """The server's end of a connection: it knows the device's present address, and segments from no other are its."""

    def owns(self, frame: Frame) -> Packet | None:
        """The TCP segment in `frame` if it comes from the device's end as it is known, else None."""
        tcp = super().owns(frame)
        return tcp if tcp is not None and self.station.network.dissect(frame.data).src == self.remote else None


@dataclass(frozen=True)
class Asked:
    """A Migrate that the device sent: its frame and the network packet around it."""

    frame: Frame
    packet: Packet
    octets: bytes

    @property
    def message(self) -> Packet:
        """The Migrate."""
        return self.packet.payload

    @property
    def entries(self) -> list[Entry]:
        """Previous port, migrated port and identifier of each socket listed, whatever Count says."""
        rows = self.octets[HEADER : len(self.octets) - len(self.octets) % ENTRY.size]
        return list(ENTRY.iter_unpack(rows))

    def address(self, field: str) -> str:
        """An address of the message, as MOPS writes it."""
        return str(address_to_str(self.message.getfieldval(field)))


class Correspondent:
    """The tester as a server at an address of its own. `unicast` is its second address if it is an anycast server."""

    def __init__(self, case: Case, address: str = "", network: Network | None = None) -> None:
        self._case = case
        self.station = case.station(address, network)
        self.unicast: Station | None = None
        self.sessions = 0

    @property
    def address(self) -> str:
        """Where the device connects to."""
        return self.station.address

    @property
    def network(self) -> Network:
        """What the server is reached by."""
        return self.station.network

    def asked(self, mark: Mark = BEGINNING) -> list[Asked]:
        """Every Migrate request of the device to this server, from mark `mark` on.

        It is one whatever its fields say, so that only the case about a field fails where that field is wrong.
        """
        mine = [self.station.address, *([self.unicast.address] if self.unicast else [])]
        return [
            Asked(frame, packet, self.network.payload(frame.data))
            for frame, packet in self._case.message_packets(mark, self.network)
            if packet.dst in mine and isinstance(packet.payload, MOPSMigrate) and packet.payload.code not in REPLIES
        ]

    def reply(self, request: Asked, code: int = SUCCESS, **fields: Any) -> Packet:
        """A reply to the request, its fields as received; any of them can be replaced."""
        names = ("protocol", "previous_source", "migrated_source")
        content = {name: request.message.getfieldval(name) for name in names}
        return MOPSMigrate(**{"code": code, **content, "entries": request.entries, **fields})

    def sends(self, request: Asked, message: Packet | bytes, sender: Station | None = None) -> Sent:
        """Send a message to where the request came from, by the address it was sent to or by another station.

        Inconclusive where the device is no more at that address: what becomes of a reply unheard says nothing.
        """
        if request.packet.src != self._case.setup.networks[self.network.name].dut:
            raise Inconclusive(f"preamble: #{request.frame.index} came from {request.packet.src}, where nobody is now")
        return (sender or self._called(request)).send(
            self.network.icmp_protocol, message, destination=request.packet.src
        )

    def replies(self, request: Asked, code: int = SUCCESS, **fields: Any) -> Sent:
        """Reply to the request."""
        return self.sends(request, self.reply(request, code, **fields))

    def replies_in_time(self, request: Asked, code: int = SUCCESS, **fields: Any) -> Sent:
        """Reply; Inconclusive if the tester was so late that the device may have given up."""
        sent = self.replies(request, code, **fields)
        mops = self._case.setup.profile.ixit.mops
        if sent.ns - request.frame.ns > mops.retry_interval_s * (mops.retries + 1) * 0.8e9:
            raise Inconclusive(f"the tester answered #{request.frame.index} too late")
        return sent

    def becomes_anycast(self) -> Station:
        """Take a unicast address besides the one that the device knows."""
        self.unicast = self._case.station(network=self.network)
        return self.unicast

    def anycast_acknowledgement(self, end: TcpPeer, **fields: Any) -> Packet:
        """The anycast acknowledgement for a connection; any field can be replaced."""
        assert self.unicast
        content = {
            "protocol": TCP_PROTOCOL,
            "anycast_destination": self.network.in_mops(self.address),
            "unicast_destination": self.network.in_mops(self.unicast.address),
            "source_port": end.remote_port,
            "destination_port": end.port,
        }
        return MOPSAnycastAck(**{**content, **fields})

    def tells(self, end: TcpPeer, message: Packet | bytes, sender: Station | None = None) -> Sent:
        """Send a message to the device where this connection knows it."""
        return (sender or self.station).send(self.network.icmp_protocol, message, destination=end.remote)

    def hears_syn(self, port: int, mark: Mark, within_s: float) -> tuple[Frame, Packet]:
        """The device's SYN to a port of the server, as preamble: Inconclusive if it does not come."""
        found: list[tuple[Frame, Packet]] = []

        def syn() -> Frame | None:
            for frame in self._case.trace.received(mark):
                packet = self.network.dissect(frame.data)
                tcp = packet.getlayer(TCP)
                if tcp is not None and packet.dst == self.address and tcp.dport == port and "S" in tcp.flags:
                    found.append((frame, packet))
                    return frame
            return None

        if self._case.look(syn, Deadline(self._case.clock.now_ns(), within_s)) is None:
            raise Inconclusive("preamble: the device did not send a SYN")
        frame, packet = found[-1]
        return frame.account(), packet

    def _called(self, request: Asked) -> Station:
        if self.unicast and request.packet.dst == self.unicast.address:
            return self.unicast
        return self.station


class Router:
    """A NAT router on the path, as far as a mobile node notices: its acknowledgements."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.station = case.station()
        self.outside = case.station().address

    def acknowledgement(
        self, original: tuple[str, int], translated: tuple[str, int], level: int = 1, **fields: Any
    ) -> Packet:
        """The acknowledgement that `original` appears as `translated`; any field can be replaced."""
        in_mops = self._case.network.in_mops
        content = {
            "nat_level": level,
            "protocol": TCP_PROTOCOL,
            "original_source": in_mops(original[0]),
            "translated_source": in_mops(translated[0]),
            "entries": [(original[1], translated[1])],
        }
        return MOPSNATAck(**{**content, **fields})

    def tells(self, device: str, message: Packet | bytes) -> Sent:
        """Send a message to the device at this address."""
        return self.station.send(self._case.network.icmp_protocol, message, destination=device)
