# SPDX-License-Identifier: GPL-2.0-or-later
"""A crafted TCP peer: every segment made by hand, so that any of them can be malformed at will (RFC 9293)."""

import copy
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Self

from scapy.packet import Packet

from layers.tcp_options import TimestampOption
from testbed.peers.build import is_plain, layered_segment, plain_segment
from testbed.peers.options import NO_OPERATION, Options, PeerOption, offer
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE, EarlySegments, after
from testbed.wire import chance
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.headers import TCP_PROTOCOL
from testbed.wire.station import Station

MSS = 1400
DEFAULT_MSS = 536
"""Of an end that names no maximum segment size (RFC 9293, 3.7.1)."""
WINDOW = 65535
WINDOW_SCALE, TIMESTAMPS = 3, 8


class TcpPeer:
    """The tester's side of one connection.

    Sequence numbers are those of RFC 9293 3.3: `snd_nxt` is the next to send, `snd_una` the oldest unacknowledged,
    `rcv_nxt` the next expected; `window` is the receive window that the DUT announced last, scaled, in bytes,
    `largest` the most data of a segment that it takes; `stream` is what the DUT has sent, in order, `remote` its
    address: with `checks_source`, segments from another one are not of this connection. Nothing is acknowledged unless
    the case says so: `read` takes in what has come, `acknowledge` says so on the wire. Segments with a wrong checksum
    are dropped, as TCP does. With `timestamps` its segments carry them (RFC 7323), from `clock` on, and SACK is
    permitted, as it is with `sack`; `mss`, or what the tester's interface takes of it, and the shift of its own window,
    in `scale`, are what its SYN offers; `options` are those of protocols.
    """

    def __init__(
        self,
        station: Station,
        port: int,
        remote_port: int,
        initial_sequence: int | None = None,
        *,
        timestamps: bool = False,
        sack: bool = False,
        checks_source: bool = False,
        mss: int = MSS,
        scale: int = 0,
        clock: int | None = None,
        options: Iterable[PeerOption] = (),
    ) -> None:
        initial = chance.randbits(32) if initial_sequence is None else initial_sequence
        self.station = station
        self.port = port
        self.remote = station.network.dut
        self.remote_port = remote_port
        self.snd_nxt = self.snd_una = initial
        self.rcv_nxt = self.window = 0
        self.largest = DEFAULT_MSS
        self.scale = 0
        self.stream = bytearray()
        self.state = "CLOSED"
        self.timestamps = timestamps
        self.mss = min(mss, station.segment_room)
        self._offer = offer(self.mss, scale, sack or timestamps)
        self.clock = chance.randbits(20) if clock is None else clock
        self.echo = 0
        self.options = list(options)
        self._checks_source = checks_source
        self._drops_incoming = False
        self._mark = station.trace.mark()
        self._unread: deque[Frame] = deque()
        self._early = EarlySegments()

    def __str__(self) -> str:
        return f"{self.station.address}:{self.port}"

    # Segments

    def segment(self, flags: str, payload: bytes = b"", options: Options = (), **fields: Any) -> Packet:
        """A segment that fits the connection, with these options as they stand, any header field replaced by `fields`.

        An option area is padded with zeros to whole words and may be longer than a header can say.
        """
        return layered_segment(self._header(flags) | fields, self._area(flags, options), payload)

    def _header(self, flags: str) -> dict[str, Any]:
        ack = self.rcv_nxt if "A" in flags else 0
        ports = {"sport": self.port, "dport": self.remote_port}
        return {**ports, "seq": self.snd_nxt, "ack": ack, "flags": flags, "window": WINDOW}

    def _area(self, flags: str, options: Options) -> bytes:
        placed = list(options)
        if self.timestamps and not any(isinstance(option, TimestampOption) for option in placed):
            placed = [NO_OPERATION * 2, self.stamps(), *placed]
        placed += [option for one in self.options for option in one.on_send(self, flags)]
        area = b"".join(map(bytes, placed))
        return area + bytes(-len(area) % 4)

    def _transmit(self, flags: str, data: bytes = b"", options: Options = (), **fields: Any) -> Sent:
        """Send the segment; as bytes where it is an ordinary one, by the layers where a field may be anything."""
        header, area = self._header(flags) | fields, self._area(flags, options)
        if is_plain(header, area):
            ends = self.station.number, self.station.network.number(self.remote)
            return self.transmit(plain_segment(self.station.network, *ends, header, area, data))
        return self.transmit(layered_segment(header, area, data))

    def stamps(self) -> Packet:
        """A timestamps option with the next value of this end's clock."""
        self.clock = (self.clock + 1) % SEQUENCE_SPACE
        return TimestampOption(tsval=self.clock, tsecr=self.echo)

    def syn_options(self, *further: Packet | bytes | None) -> list[Packet | bytes]:
        """The options of a SYN or SYN-ACK of this end."""
        return [*self._offer, *(option for option in further if option is not None)]

    def transmit(self, segment: Packet | bytes) -> Sent:
        """Put a segment on the wire without any change of state."""
        return self.station.send(TCP_PROTOCOL, segment, destination=self.remote)

    def send(self, data: bytes = b"", flags: str = "PA", options: Options = (), **fields: Any) -> Sent:
        """Send a segment, and count what data and FIN take of the sequence space."""
        sent = self._transmit(flags, data, options, **fields)
        self._count(len(data) + ("F" in flags))
        return sent

    def send_lost(self, data: bytes) -> None:
        """Count data as sent that never reaches the wire."""
        self._count(len(data))

    def send_out_of_window(self, data: bytes, offset: int, options: Options = ()) -> Sent:
        """Send data that lies `offset` beyond the next of the stream, and does not count as sent."""
        return self._transmit("PA", data, options, seq=(self.snd_nxt + offset) % SEQUENCE_SPACE)

    def retransmit(self, data: bytes) -> Sent:
        """Send data again that was counted as sent with the last segment, as TCP does until it is acknowledged."""
        return self.send_out_of_window(data, -len(data))

    # Opening and closing

    def start(self, *options: Packet | bytes | None) -> Sent:
        """Send the SYN, with further options if given."""
        return self.start_with(self.syn_options(*options))

    def start_with(self, options: Options, **fields: Any) -> Sent:
        """Send a SYN with exactly these options."""
        self.state = "SYN-SENT"
        sent = self._transmit("S", options=options, **fields)
        self._count(1)
        return sent

    def accept(self, syn: Segment, *options: Packet | bytes) -> Sent:
        """Answer the DUT's SYN with a SYN-ACK; the connection is established when that is acknowledged."""
        self.state = "SYN-RECEIVED"
        self.rcv_nxt = (syn.seq + 1) % SEQUENCE_SPACE
        self.scale, self.largest = syn.scale, syn.mss or DEFAULT_MSS
        sent = self._transmit("SA", options=self.syn_options(*options))
        self._count(1)
        return sent

    def acknowledge(self, **fields: Any) -> Sent:
        """Acknowledge all that has been read."""
        return self._transmit("A", **fields)

    def reset(self) -> Sent:
        """Abort the connection."""
        self.state = "CLOSED"
        return self._transmit("RA")

    def finish(self) -> Sent:
        """Send the FIN."""
        return self.send(flags="FA")

    # Moving

    def rebind(self, station: Station, port: int, since: Mark | None = None) -> None:
        """Continue at another address and port with the same sequence numbers: what a migration does at this end.

        What came there since a mark is taken as unread.
        """
        self.read()
        if since is not None and (station, port) != (self.station, self.port):
            self._mark = since
        self.station, self.port = station, port
        self._drops_incoming = False

    def at(self, station: Station, port: int = 0) -> Self:
        """The same sequence numbers and options at another address of the tester; this end stays as it is."""
        self.read()
        end = copy.copy(self)
        end.stream = bytearray(end.stream)
        end._unread, end._early = deque(), end._early.copy()
        end.options = [copy.copy(option) for option in end.options]
        end.station, end.port = station, port or self.port
        end._drops_incoming = False
        return end

    def follow_remote(self, address: str, mark: Mark) -> None:
        """Take the DUT to be at `address`, and what came from there since a mark as unread."""
        self.read()
        self.remote, self._mark = address, mark
        self._drops_incoming = False

    # Receiving

    def pass_over(self, mark: Mark) -> None:
        """Look at nothing that came before a mark: of many ends that share a trace it is for others."""
        self._mark = mark

    def drop_incoming(self) -> None:
        """Treat everything as lost on the way that comes from now on, until this end continues somewhere else."""
        self._drops_incoming = True

    def drop_unread(self) -> None:
        """Treat everything that has come and was not read as lost on the way."""
        dropping, self._drops_incoming = self._drops_incoming, True
        self.read()
        self._drops_incoming = dropping

    def owns(self, frame: Frame) -> bool:
        """Whether a frame is a segment of the DUT on this connection."""
        return self.segment_in(frame) is not None

    def segment_in(self, frame: Frame) -> Segment | None:
        """The segment in a frame if it is one of the DUT's on this connection, else None."""
        segment = Segment.read(frame, self.station.network)
        if segment is None or segment.ip.destination != self.station.number:
            return None
        if (segment.destination_port, segment.source_port) != (self.port, self.remote_port):
            return None
        return None if self._checks_source and segment.source != self.remote else segment

    def read(self, until: Callable[[], bool] = lambda: False) -> list[Frame]:
        """Take in every segment of this connection that the trace holds; the frames that were new.

        Up to the one after which `until` holds: it is that one whose stamp tells when it came to that.
        """
        frames, self._mark = self.station.trace.since(self._mark)
        self._unread.extend(frames)
        news: list[Frame] = []
        while self._unread and not (news and until()):
            if (segment := self.segment_in(frame := self._unread.popleft())) is None:
                continue
            if self._drops_incoming:
                frame.account("treated as lost")
                continue
            if frame.judgeable_checksum and not self.station.network.tcp_checksum_ok(frame.data):
                frame.account("wrong TCP checksum: dropped")
                continue
            self._take(segment)
            news.append(frame)
        return news

    def _take(self, segment: Segment) -> None:
        for one in self.options:
            one.on_receive(self, segment)
        stamps = segment.option(TIMESTAMPS)
        if stamps and len(stamps.raw) == 10:
            self.echo = int.from_bytes(stamps.raw[2:6], "big")
        flags, frame = segment.flags, segment.frame
        if "R" in flags:
            self.state = "RESET"
            frame.account("reset")
            return
        if "S" in flags:
            if self.state == "SYN-SENT":
                self.state = "ESTABLISHED"
                self.rcv_nxt = (segment.seq + 1) % SEQUENCE_SPACE
                self.scale = segment.scale
                self.window, self.snd_una = segment.window, segment.ack
                self.largest = segment.mss or DEFAULT_MSS
            frame.account()
            return
        self.window = segment.window << self.scale
        if "A" in flags and after(segment.ack, self.snd_una) > 0:
            self.snd_una = segment.ack
            if self.state == "SYN-RECEIVED":
                self.state = "ESTABLISHED"
        offset = after(self.rcv_nxt, segment.seq)
        if segment.data and not 0 <= offset < len(segment.data):
            frame.account("retransmission" if offset > 0 else "out of order")
        if offset > -WINDOW:
            for due in self._early.in_turn(segment, lambda one: after(self.rcv_nxt, one.seq) >= 0):
                self._deliver(due)
        frame.account()

    def _deliver(self, segment: Segment) -> None:
        fresh = segment.data[after(self.rcv_nxt, segment.seq) :]
        self.stream += fresh
        self.rcv_nxt = (self.rcv_nxt + len(fresh)) % SEQUENCE_SPACE
        if "F" in segment.flags and self.rcv_nxt == (segment.seq + len(segment.data)) % SEQUENCE_SPACE:
            self.rcv_nxt = (self.rcv_nxt + 1) % SEQUENCE_SPACE
            self.state = "CLOSE-WAIT"

    def _count(self, length: int) -> None:
        self.snd_nxt = (self.snd_nxt + length) % SEQUENCE_SPACE
