# SPDX-License-Identifier: GPL-2.0-or-later
"""A port: the lower tester's end of a wire. One reader, one append-only capture, sending without queues."""

import select
import socket
import struct
import threading
from collections import deque

from testbed.capture import Frame, Trace
from testbed.clock import Clock
from testbed.sockets import PACKET_AUXDATA, PACKET_STATISTICS, SO_TIMESTAMPNS, SOL_PACKET

_PACKET_OUTGOING = 4
_TP_STATUS_CSUMNOTREADY = 1 << 3
_ANCILLARY = socket.CMSG_SPACE(16) + socket.CMSG_SPACE(20)
_POLL_MS = 20

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806

Key = tuple[int, int]
"""EtherType and network address: who a frame belongs to."""


class Sent:
    """A frame that was handed to the kernel; `frame` is its entry in the capture, stamp included."""

    def __init__(self, data: bytes, trace: Trace | None) -> None:
        self.data = data
        self.trace = trace
        self._seen = threading.Event()
        self._frame: Frame | None = None

    def seen(self, frame: Frame) -> None:
        """Called by the reader when the frame passes in the capture."""
        self._frame = frame
        self._seen.set()

    @property
    def frame(self) -> Frame:
        """The capture's entry; OSError if the kernel never showed the frame leaving."""
        if not self._seen.wait(5):
            raise OSError("a frame that was sent does not appear in the capture")
        assert self._frame is not None
        return self._frame

    @property
    def ns(self) -> int:
        """The kernel's stamp of the moment of sending."""
        return self.frame.ns


class Port:
    """One Ethernet interface of the tester.

    `mac` is the address that stations on this port use. Frames go to the trace of the station they are from or for;
    frames that belong to no station stay in `stray`.
    """

    def __init__(
        self, capture: socket.socket, sender: socket.socket, mac: str, clock: Clock, ipff_ethertype: int
    ) -> None:
        self.mac = mac
        self.clock = clock
        self.stray: list[Frame] = []
        self.drops = 0
        self.drained_ns = 0
        self._ipff_ethertype = ipff_ethertype
        self._capture = capture
        self._sender = sender
        self._index = 0
        self._stations: dict[Key, Trace] = {}
        self._outgoing: deque[Sent] = deque()
        self._sending = threading.Lock()
        self._closed = False
        self._reader = threading.Thread(target=self._read, name="port reader", daemon=True)
        self._reader.start()

    def add(self, key: Key, trace: Trace) -> None:
        """Let frames from and to `key` go to `trace`; for IPv4 the port then answers ARP for the address."""
        self._stations[key] = trace

    def remove(self, key: Key) -> None:
        """Forget the station at `key`."""
        self._stations.pop(key, None)

    def send(self, data: bytes, trace: Trace | None) -> Sent:
        """Put one frame on the wire as it is; its entry in the capture goes to `trace` too."""
        sent = Sent(data, trace)
        with self._sending:
            self._outgoing.append(sent)
            try:
                self._sender.send(data)
            except OSError:
                self._outgoing.pop()
                raise
        return sent

    def count_drops(self) -> int:
        """Frames lost to the tester since the port was opened (PACKET_STATISTICS)."""
        _, dropped = struct.unpack("=II", self._capture.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.drops += dropped
        return self.drops

    def fail(self, failure: BaseException) -> None:
        """Wake every waiting case with `failure`."""
        for trace in set(self._stations.values()):
            trace.fail(failure)

    def close(self) -> None:
        """Stop the reader and close the sockets."""
        self._closed = True
        self._reader.join()
        self._capture.close()
        self._sender.close()

    def _read(self) -> None:
        poller = select.poll()
        poller.register(self._capture, select.POLLIN)
        while not self._closed:
            now = self.clock.now_ns()
            try:
                data, ancillary, _, address = self._capture.recvmsg(1 << 16, _ANCILLARY)
            except BlockingIOError:
                self.drained_ns = now
                poller.poll(_POLL_MS)
                continue
            except OSError:  # a link that went down says so once (ENETDOWN)
                continue
            self._take(data, ancillary, address[2] == _PACKET_OUTGOING)

    def _take(self, data: bytes, ancillary: list[tuple[int, int, bytes]], outgoing: bool) -> None:
        ns, judgeable = 0, True
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("=qq", value[:16])
                ns = seconds * 1_000_000_000 + nanoseconds
            elif level == SOL_PACKET and kind == PACKET_AUXDATA:
                judgeable = not struct.unpack_from("=I", value)[0] & _TP_STATUS_CSUMNOTREADY
        frame = Frame(self._index, ns, outgoing, data, judgeable)
        self._index += 1
        trace = self._account_sent(frame) if outgoing else self._find_owner(data)
        if trace is None:
            self.stray.append(frame)
            return
        trace.append(frame)
        if not outgoing and data[12:14] == b"\x08\x06":
            self._answer_arp(frame, trace)

    def _account_sent(self, frame: Frame) -> Trace | None:
        # Frames leave in the order of `send`; after a capture drop the queue is searched for the frame that passed.
        while self._outgoing:
            sent = self._outgoing.popleft()
            if sent.data == frame.data:
                frame.account()
                sent.seen(frame)
                return sent.trace
        return None

    def _find_owner(self, data: bytes) -> Trace | None:
        ethertype = int.from_bytes(data[12:14], "big")
        if ethertype == ETHERTYPE_IPV4:
            return self._stations.get((ethertype, int.from_bytes(data[30:34], "big")))
        if ethertype == ETHERTYPE_ARP:
            return self._stations.get((ETHERTYPE_IPV4, int.from_bytes(data[38:42], "big")))
        if ethertype == self._ipff_ethertype:
            return self._stations.get((ethertype, int.from_bytes(data[30:38], "big") & ((1 << 50) - 1)))
        return None

    def _answer_arp(self, request: Frame, trace: Trace) -> None:
        """Answer a request for a station's address (RFC 826)."""
        data = request.data
        if data[20:22] != b"\x00\x01":
            return
        request.account("ARP request")
        mac = bytes.fromhex(self.mac.replace(":", ""))
        target, asker = data[38:42], data[22:32]
        self.send(data[6:12] + mac + data[12:20] + b"\x00\x02" + mac + target + asker, trace)
