# SPDX-License-Identifier: GPL-2.0-or-later
"""A crafted TCP peer: every segment made by hand, so that any of them can be malformed at will (RFC 9293)."""

from typing import Any

from scapy.layers.inet import TCP
from scapy.packet import Packet

from testbed.wire.capture import Frame, Sent
from testbed.wire.network import TCP_PROTOCOL
from testbed.wire.station import Station

SEQUENCE_SPACE = 1 << 32


def after(left: int, right: int) -> int:
    """How far sequence number `left` lies behind `right`, negative where it lies before (modulo 2^32)."""
    return (left - right + (SEQUENCE_SPACE >> 1)) % SEQUENCE_SPACE - (SEQUENCE_SPACE >> 1)


class TcpPeer:
    """The tester's side of one connection.

    Sequence numbers are those of RFC 9293 3.3: `snd_nxt` is the next to send, `snd_una` the oldest unacknowledged,
    `rcv_nxt` the next expected; `window` is the receive window that the DUT announced last, scaled, in bytes.
    `stream` is what the DUT has sent, in order, `remote` its address. Nothing is acknowledged behind the case's back:
    `reads` takes in what has come, `acknowledges` says so on the wire. Segments with a wrong checksum are dropped, as
    TCP does.
    """

    def __init__(self, station: Station, port: int, remote_port: int, initial_sequence: int) -> None:
        self.station = station
        self.port = port
        self.remote = station.network.dut
        self.remote_port = remote_port
        self.snd_nxt = initial_sequence
        self.snd_una = initial_sequence
        self.rcv_nxt = 0
        self.window = 0
        self.scale = 0
        self.stream = bytearray()
        self.state = "CLOSED"
        self._is_deaf = False
        self._position = len(station.trace.frames)

    def segment(self, flags: str, payload: bytes = b"", **fields: Any) -> Packet:
        """A segment that fits the connection, with any header field replaced by `fields`."""
        header = {
            "sport": self.port,
            "dport": self.remote_port,
            "seq": self.snd_nxt,
            "ack": self.rcv_nxt if "A" in flags else 0,
            "flags": flags,
            "window": 65535,
        }
        return TCP(**{**header, **fields}) / payload if payload else TCP(**{**header, **fields})

    def transmits(self, segment: Packet) -> Sent:
        """Put a segment on the wire without any change of state."""
        return self.station.sends(TCP_PROTOCOL, segment, destination=self.remote)

    def sends(self, data: bytes, **fields: Any) -> Sent:
        """Send data and count it as sent."""
        sent = self.transmits(self.segment("PA", data, **fields))
        self.snd_nxt = (self.snd_nxt + len(data)) % SEQUENCE_SPACE
        return sent

    def loses(self, data: bytes) -> None:
        """Count data as sent that never reaches the wire."""
        self.snd_nxt = (self.snd_nxt + len(data)) % SEQUENCE_SPACE

    def starts(self, option: Packet | None = None) -> Sent:
        """Send the SYN, with a further TCP option if given."""
        self.state = "SYN-SENT"
        further = [(option.kind, bytes(option)[2:])] if option else []
        sent = self.transmits(self.segment("S", options=[("MSS", 1400), ("WScale", 0), *further]))
        self.snd_nxt = (self.snd_nxt + 1) % SEQUENCE_SPACE
        return sent

    def accepts(self, syn: Packet, **fields: Any) -> Sent:
        """Answer the DUT's SYN with a SYN-ACK; the connection is established when that is acknowledged."""
        self.state = "SYN-RECEIVED"
        self.rcv_nxt = (syn.seq + 1) % SEQUENCE_SPACE
        self.scale = next((value for name, value in syn.options if name == "WScale"), 0)
        sent = self.transmits(self.segment("SA", **fields))
        self.snd_nxt = (self.snd_nxt + 1) % SEQUENCE_SPACE
        return sent

    def acknowledges(self, **fields: Any) -> Sent:
        """Acknowledge all that has been read."""
        return self.transmits(self.segment("A", **fields))

    def resets(self) -> Sent:
        """Abort the connection."""
        self.state = "CLOSED"
        return self.transmits(self.segment("RA"))

    def finishes(self) -> Sent:
        """Send the FIN."""
        sent = self.transmits(self.segment("FA"))
        self.snd_nxt = (self.snd_nxt + 1) % SEQUENCE_SPACE
        return sent

    def rebinds(self, station: Station, port: int) -> None:
        """Go on at another address and port with the same sequence numbers: what a migration does at this end."""
        self.reads()
        self.station, self.port = station, port
        self._is_deaf = False

    def goes_deaf(self) -> None:
        """Treat everything as lost on the way that comes from now on, until this end goes on somewhere else."""
        self._is_deaf = True

    def ignores_all_so_far(self) -> None:
        """Treat everything that has come and was not read as lost on the way."""
        for frame in self.station.trace.frames[self._position :]:
            if self.owns(frame) is not None:
                frame.account("treated as lost")
        self._position = len(self.station.trace.frames)

    def owns(self, frame: Frame) -> Packet | None:
        """The TCP segment in `frame` if it is one of the DUT's on this connection, else None."""
        if frame.outgoing:
            return None
        packet = self.station.network.dissect(frame.data)
        tcp = packet.getlayer(TCP)
        if tcp is None or packet.dst != self.station.address:
            return None
        return tcp if (tcp.dport, tcp.sport) == (self.port, self.remote_port) else None

    def reads(self) -> list[Frame]:
        """Take in every segment of this connection that the trace holds; the frames that were new."""
        frames = self.station.trace.frames
        news = []
        while self._position < len(frames):
            frame = frames[self._position]
            self._position += 1
            if (tcp := self.owns(frame)) is None:
                continue
            if self._is_deaf:
                frame.account("treated as lost")
                continue
            if frame.judgeable_checksum and not self.station.network.tcp_checksum_ok(frame.data):
                frame.account("wrong TCP checksum: dropped")
                continue
            self._take(tcp, frame)
            news.append(frame)
        return news

    def _take(self, tcp: Packet, frame: Frame) -> None:
        flags = str(tcp.flags)
        payload = bytes(tcp.payload)
        if "R" in flags:
            self.state = "RESET"
            frame.account("reset")
            return
        if "S" in flags:
            if self.state == "SYN-SENT":
                self.state = "ESTABLISHED"
                self.rcv_nxt = (tcp.seq + 1) % SEQUENCE_SPACE
                self.scale = next((value for name, value in tcp.options if name == "WScale"), 0)
                self.window = tcp.window
                self.snd_una = tcp.ack
            frame.account()
            return
        self.window = tcp.window << self.scale
        if "A" in flags and after(tcp.ack, self.snd_una) > 0:
            self.snd_una = tcp.ack
            if self.state == "SYN-RECEIVED":
                self.state = "ESTABLISHED"
        offset = after(self.rcv_nxt, tcp.seq)
        if payload and 0 <= offset < len(payload):
            self.stream += payload[offset:]
            self.rcv_nxt = (tcp.seq + len(payload)) % SEQUENCE_SPACE
        elif payload:
            frame.account("repeated" if offset > 0 else "out of order")
        if "F" in flags and after(self.rcv_nxt, (tcp.seq + len(payload)) % SEQUENCE_SPACE) == 0:
            self.rcv_nxt = (self.rcv_nxt + 1) % SEQUENCE_SPACE
            self.state = "CLOSE-WAIT"
        frame.account()
