# SPDX-License-Identifier: GPL-2.0-or-later
"""A crafted TCP peer that knows TCP Rehash: any option of any length on any segment."""

import copy
import secrets
from collections.abc import Iterable
from typing import Any

from scapy.fields import RawVal
from scapy.packet import Packet

from layers.rehash import ADDR, INIT, RehashOption
from layers.tcp_options import HEADER, TimestampOption
from testbed.peers.segment import read
from testbed.peers.tcp import SEQUENCE_SPACE, TcpPeer
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.station import Station

Options = Iterable[Packet | bytes]
MSS = 1460
SYN_OPTIONS = (b"\x02\x04" + MSS.to_bytes(2, "big"), b"\x01\x03\x03\x00")
SACK_PERMITTED = b"\x01\x01\x04\x02"
NO_OPERATION = b"\x01"
TIMESTAMPS = 8


class RehashPeer(TcpPeer):
    """The tester's end of a connection. `nonce` is its own, `device_nonce` the one that the device has told, if any.

    With `timestamps` its segments carry them, and SACK is permitted.
    """

    def __init__(self, station: Station, port: int, remote_port: int, kind: int, timestamps: bool = False) -> None:
        super().__init__(station, port, remote_port, secrets.randbits(32))
        self.kind = kind
        self.nonce = secrets.randbits(32)
        self.device_nonce: int | None = None
        self.timestamps = timestamps
        self.clock = secrets.randbits(20)
        self.echo = 0

    def init(self, **fields: Any) -> Packet:
        """REHASH-INIT of this end; any field can be replaced."""
        content = {
            "kind": self.kind,
            "control": INIT,
            "nonce": self.nonce,
            "old": "0.0.0.0",
            "new": self.station.address,
        }
        return RehashOption(**{**content, **fields})

    def order(self, old: str, **fields: Any) -> Packet:
        """REHASH-ADDR from `old` to where this end is; any field can be replaced."""
        content = {"kind": self.kind, "control": ADDR, "nonce": self.device_nonce or 0, "old": old}
        return RehashOption(**{**content, "new": self.station.address, **fields})

    def stamps(self) -> Packet:
        """A timestamps option with the next value of this end's clock."""
        self.clock += 1
        return TimestampOption(tsval=self.clock, tsecr=self.echo)

    def segment(self, flags: str, payload: bytes = b"", options: Options = (), **fields: Any) -> Packet:
        """A segment that fits the connection, with these options as they stand."""
        placed = list(options)
        if self.timestamps and not any(isinstance(option, TimestampOption) for option in placed):
            placed = [NO_OPERATION * 2, self.stamps(), *placed]
        area = b"".join(map(bytes, placed))
        area += bytes(-len(area) % 4)
        if area:
            fields = {"options": RawVal(area), "dataofs": (HEADER + len(area)) // 4, **fields}
        return super().segment(flags, payload, **fields)

    def starts(self, option: Packet | None = None) -> Sent:
        """Send the SYN, with a further TCP option if given."""
        self.state = "SYN-SENT"
        sent = self.transmit(self.segment("S", options=self.syn_options(option)))
        self.snd_nxt = (self.snd_nxt + 1) % SEQUENCE_SPACE
        return sent

    def accepts(self, syn: Packet, **fields: Any) -> Sent:
        """Answer the device's SYN; `options` are further ones."""
        further = fields.pop("options", ())
        return super().accepts(syn, options=self.syn_options(*further), **fields)

    def syn_options(self, *further: Packet | bytes | None) -> list[Packet | bytes]:
        """The options of a SYN or SYN-ACK of this end."""
        sack = [SACK_PERMITTED] if self.timestamps else []
        return [*SYN_OPTIONS, *sack, *(option for option in further if option is not None)]

    def says_again(self, data: bytes) -> Sent:
        """Send data again that was counted as sent with the last segment, as TCP does until it is acknowledged."""
        return self.transmit(self.segment("PA", data, seq=(self.snd_nxt - len(data)) % SEQUENCE_SPACE))

    def at(self, station: Station, port: int = 0) -> "RehashPeer":
        """The same sequence numbers and nonces at another address of the tester; this end stays as it is."""
        self.read()
        end = copy.copy(self)
        end.stream = bytearray(end.stream)
        end.station, end.port = station, port or self.port
        end.hears_again()
        return end

    def follows_device(self, address: str, mark: Mark) -> None:
        """Take the device to be at `address`, and what came from there behind `mark` of the trace as unread."""
        self.read()
        self.remote, self._position = address, mark
        self.hears_again()

    def hears_again(self) -> None:
        """Nothing is lost on the way to this end any more."""
        self._is_deaf = False

    def owns(self, frame: Frame) -> Packet | None:
        """The segment in `frame` if it is one of this connection, from where the device is taken to be."""
        segment = read(frame)
        if segment is None or (segment.source, segment.ip.dst) != (self.remote, self.station.address):
            return None
        tcp = segment.tcp
        return tcp if (tcp.dport, tcp.sport) == (self.port, self.remote_port) else None

    def _take(self, tcp: Packet, frame: Frame) -> None:
        segment = read(frame)
        assert segment
        if self.device_nonce is None and segment.init:
            self.device_nonce = segment.init.nonce
        for option in segment.options:
            if option.kind == TIMESTAMPS and len(option.raw) == 10:
                self.echo = int.from_bytes(option.raw[2:6], "big")
        super()._take(tcp, frame)
