# SPDX-License-Identifier: GPL-2.0-or-later
"""An interface: the lower tester's end of a wire. One reader, one append-only capture, sending without queues."""

import errno
import select
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator

from testbed.interruptions import DeviceLost, Inconclusive
from testbed.wire.capture import Frame, Sent, Trace
from testbed.wire.carrier import PATIENCE_S, Carrier
from testbed.wire.clock import Clock
from testbed.wire.headers import ETHERNET_HEADER, IPFF_ADDRESS, IpffEnds
from testbed.wire.leftovers import Key, Leftovers
from testbed.wire.receiving import Reassembly, is_fragment, is_same, why_dropped, with_tag, without_tag
from testbed.wire.segmentation import frames_of
from testbed.wire.sockets import PACKET_AUXDATA, PACKET_STATISTICS, SO_TIMESTAMPNS, SOL_PACKET, mtu_of

_PACKET_OUTGOING = 4
_TP_STATUS_CSUMNOTREADY = 1 << 3
_ANCILLARY = socket.CMSG_SPACE(16) + socket.CMSG_SPACE(20)
_LONGEST_FRAME = 1 << 17
_POLL_MS = 20
_KEPT_UNOWNED = 1000
_FINAL_LOG_S = 0.3

SETTLING_NS = 5_000_000
"""How long a frame may travel from the kernel's stamp to the capture's queue before it counts as late."""

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806

_ALL = (1 << 32) - 1


class Interface:
    """One Ethernet interface of the tester.

    `name` is that of the link, `mac` the address that stations on this interface use, `mtu` the most bytes of a packet
    in one of its frames, `path_mtu` of one that goes through the device and out of its other links too; `numbers` gives
    the frames their indices, which no other interface of the same device uses. Frames go to the trace of the station
    that they are from or for, or of a case that observes the address; of those that belong to nobody the last ones stay
    in `unowned`. What a station would not hear is dropped, and says why; a packet that came in fragments follows the
    last of them.

    Every frame with a kernel stamp up to `drained_ns` has been read: the reader found the queue empty `SETTLING_NS`
    later. A frame that takes longer from its stamp to the queue is counted in `late_frames`, for what was concluded
    from its absence is not proved. An interface with a `carrier` may be down for a while; nothing is proved meanwhile.
    """

    def __init__(
        self,
        name: str,
        capture: socket.socket,
        sender: socket.socket,
        mac: str,
        clock: Clock,
        ipff: IpffEnds,
        numbers: Iterator[int],
        carrier: Carrier | None = None,
    ) -> None:
        self.name = name
        self.mac = mac
        self.mtu = self.path_mtu = mtu_of(sender)
        self.clock = clock
        self.unowned: deque[Frame] = deque(maxlen=_KEPT_UNOWNED)
        self.drained_ns = 0
        self.late_frames = 0
        self._drops = 0
        self._mac = bytes.fromhex(mac.replace(":", ""))
        self._reassembly = Reassembly()
        self._ipff = ipff
        self._capture = capture
        self._sender = sender
        self._numbers = numbers
        self.carrier = carrier
        self.leftovers: Leftovers | None = None
        self._stations: dict[Key | None, Trace] = {}
        self._observers: dict[Key | None, Trace] = {}
        self._outgoing: deque[Sent] = deque()
        self._sending = threading.Lock()
        self._counting = threading.Lock()
        self._failure: BaseException | None = None
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._read, name="interface reader", daemon=True)
        self._reader.start()

    def add(self, key: Key, trace: Trace) -> None:
        """Let frames from and to `key` go to `trace`; for IPv4 the interface then answers ARP for the address."""
        self._stations[key] = trace
        if self.leftovers:
            self.leftovers.forget(key)
        if self._failure:
            trace.fail(self._failure)

    def observe(self, key: Key, trace: Trace) -> None:
        """Let frames from and to `key` go to `trace` unless they are for a station; nobody answers for the address."""
        self._observers[key] = trace
        if self._failure:
            trace.fail(self._failure)

    def remove(self, key: Key) -> None:
        """Forget the station at `key`."""
        self._stations.pop(key, None)

    def remove_observer(self, key: Key) -> None:
        """Forget the observer at `key`."""
        self._observers.pop(key, None)

    def send(self, data: bytes, trace: Trace | None) -> Sent:
        """Put one frame on the wire as it is; its entry in the capture goes to `trace` too.

        Raises Inconclusive where the interface's queue is full or the frame is longer than its MTU allows, and what the
        interface has failed with, if it has.
        """
        sent = Sent(data, trace, self.clock)
        with self._sending:
            self._outgoing.append(sent)
            try:
                self._sender.send(data)
            except OSError as error:
                self._outgoing.pop()
                if self._failure:
                    raise self._failure from None
                if error.errno == errno.ENOBUFS:
                    raise Inconclusive("the tester's interface did not take a frame: its queue is full") from None
                if error.errno == errno.ENETDOWN and self.carrier:
                    self.carrier.lost()
                    raise Inconclusive("the tester's interface is down") from None
                if error.errno == errno.EMSGSIZE:
                    packet = f"a packet of {len(data) - ETHERNET_HEADER} bytes"
                    reason = f"{packet} is more than the MTU of the tester's interface, {self.mtu}"
                    raise Inconclusive(reason, repeat=False) from None
                raise
        return sent

    def count_losses(self) -> int:
        """Frames that the capture lost (PACKET_STATISTICS) or got too late to judge by, since it was opened."""
        with self._counting:
            try:
                _, dropped = struct.unpack("=II", self._capture.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
            except OSError:
                dropped = 0  # the interface is closed; what was lost until then is known
            self._drops += dropped
            return self._drops + self.late_frames

    def fail(self, failure: BaseException) -> None:
        """Let every case that waits or will wait on this interface raise `failure`; the first one stays."""
        self._failure = self._failure or failure
        for trace in [*self._stations.values(), *self._observers.values()]:
            trace.fail(self._failure)

    def close(self) -> None:
        """Stop the reader and close the sockets."""
        self._closed.set()
        self._reader.join()
        if self.carrier:
            self.carrier.close()
        self._capture.close()
        self._sender.close()

    def _read(self) -> None:
        poller = select.poll()
        poller.register(self._capture, select.POLLIN)
        while not self._closed.is_set():
            now = self.clock.now_ns()
            try:
                data, ancillary, _, address = self._capture.recvmsg(_LONGEST_FRAME, _ANCILLARY)
            except BlockingIOError:
                if self.carrier and not self.carrier.is_up():
                    if not self._outlast(self.carrier):
                        return
                    continue
                self.drained_ns = now - SETTLING_NS
                poller.poll(_POLL_MS)
            except OSError as error:
                if error.errno == errno.EINVAL:  # a frame that no card would cut into segments of TCP over IPv4
                    self.late_frames += 1
                    continue
                if self.carrier and error.errno == errno.ENETDOWN and self._outlast(self.carrier):
                    continue
                # The interface is down or gone. Where that is because the device has died, its exit says more.
                self._closed.wait(_FINAL_LOG_S)
                self.fail(DeviceLost(f"the tester's interface is no longer there: {error.strerror}"))
                return
            else:
                try:
                    self._take(data, ancillary, address[2] == _PACKET_OUTGOING)
                except Exception as error:  # nobody would read any more, and every case wait for ever
                    self.fail(error)
                    return

    def _outlast(self, carrier: Carrier) -> bool:
        """Wait until the wire is there again; if it is not, whoever waits on this interface is told."""
        if carrier.outlast(self._closed):
            return True
        self.fail(DeviceLost(f"the tester's interface {carrier.interface} was down for {PATIENCE_S:.0f} s"))
        return False

    def _take(self, data: bytes, ancillary: list[tuple[int, int, bytes]], outgoing: bool) -> None:
        ns, judgeable, pieces = 0, True, frames_of(data)
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("=qq", value[:16])
                ns = seconds * 1_000_000_000 + nanoseconds
            elif level == SOL_PACKET and kind == PACKET_AUXDATA:
                judgeable = not struct.unpack_from("=I", value)[0] & _TP_STATUS_CSUMNOTREADY
                pieces = [with_tag(one, value) for one in pieces]
        if ns <= self.drained_ns:
            self.late_frames += 1
        # A queue that is never empty is read in order: what is older than this frame has been read.
        self.drained_ns = max(self.drained_ns, ns - SETTLING_NS)
        for one in pieces:
            frame = Frame(next(self._numbers), ns, outgoing, one, judgeable, self.name)
            if outgoing:
                self._pass(frame)
            else:
                self._receive(frame)

    def _receive(self, frame: Frame) -> None:
        data, vlan = without_tag(frame.data)
        if vlan == 0 and data is not frame.data:
            frame.data, frame.note = data, "with a priority tag"
        source, destination = self._ends(data) or (None, None)
        trace = self._stations.get(destination)
        owner = trace or self._observers.get(destination) or self._observers.get(source)
        if owner is None:
            self.unowned.append(frame)
            if self.leftovers and destination and not why_dropped(data, vlan, self._mac):
                self.leftovers.take(destination, frame)
            return
        whole = self._drop(frame, data, vlan) if trace else None
        owner.append(frame)
        if whole:
            owner.append(Frame(next(self._numbers), frame.ns, False, whole, frame.judgeable_checksum, self.name))
        if trace and not frame.dropped and int.from_bytes(data[12:14], "big") == ETHERTYPE_ARP:
            self.answer_arp(frame, trace)

    def _drop(self, frame: Frame, data: bytes, vlan: int) -> bytes | None:
        """Drop what a station does not hear, and fragments; the frame of a packet that was put together with this."""
        if why := why_dropped(data, vlan, self._mac):
            frame.dropped = True
            frame.account(why)
        elif is_fragment(data):
            frame.dropped = True
            frame.account("fragment")
            return self._reassembly.add(data)
        return None

    def _pass(self, frame: Frame) -> None:
        """Join a frame that left with its Sent; what others send through the interface is none of ours."""
        sent = self._find_sent(frame.data)
        if sent is None:
            self.unowned.append(frame)
            return
        frame.data = sent.data
        frame.account()
        (self.unowned if sent.trace is None else sent.trace).append(frame)
        sent.seen(frame)

    def _find_sent(self, data: bytes) -> Sent | None:
        # Frames leave in the order of `send`: those before the one that passed were lost to the capture.
        with self._sending:
            for place, sent in enumerate(self._outgoing):
                if is_same(sent.data, data):
                    for _ in range(place + 1):
                        self._outgoing.popleft()
                    return sent
        return None

    def _ends(self, data: bytes) -> tuple[Key, Key] | None:
        """Source and destination of a frame of a network, sender and target of an ARP message; None for all others."""
        ethertype = int.from_bytes(data[12:14], "big")
        if ethertype == ETHERTYPE_IPV4:
            kind, places, mask = ethertype, (slice(26, 30), slice(30, 34)), _ALL
        elif ethertype == ETHERTYPE_ARP:
            kind, places, mask = ETHERTYPE_IPV4, (slice(28, 32), slice(38, 42)), _ALL
        elif ethertype == self._ipff.ethertype:
            kind, places, mask = ethertype, (self._ipff.source, self._ipff.destination), IPFF_ADDRESS
        else:
            return None
        source, destination = (int.from_bytes(data[place], "big") & mask for place in places)
        return (kind, source), (kind, destination)

    def answer_arp(self, request: Frame, trace: Trace | None) -> None:
        """Answer a request for an address of the tester (RFC 826)."""
        data = request.data
        if data[20:22] != b"\x00\x01":
            return
        request.account("ARP request")
        mac = bytes.fromhex(self.mac.replace(":", ""))
        target, asker = data[38:42], data[22:32]
        try:
            self.send(data[6:12] + mac + data[12:20] + b"\x00\x02" + mac + target + asker, trace)
        except (OSError, Inconclusive, DeviceLost):
            request.note = "ARP request that the tester could not answer"
