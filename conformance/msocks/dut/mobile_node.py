# SPDX-License-Identifier: GPL-2.0-or-later
"""The mobile node under test: it finds its proxy, and comes back to it from elsewhere."""

from scapy.packet import Packet

from conformance.msocks.tester.mobility_proxy import Call, Link, MobilityProxy
from layers.msocks import MSOCKSReconnect, Socks5Request
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.device.application import END_OF_STREAM, Connecting, Socket
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import Inconclusive
from testbed.peers.host import MobileHost, Move
from testbed.peers.segment import Segment
from testbed.wire.capture import Frame, Mark
from testbed.wire.clock import Deadline

TARGET = "192.0.2.80", 8080
"""Whom the applications connect to: the proxy is asked to, and plays it."""


class MobileNode(MobileHost):
    """The device under test in the role of the mobile node."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._msocks = case.setup.profile.ixit.msocks

    # Connections

    def begin(self, target: tuple[str, int] = TARGET) -> Connecting:
        """Have an application connect to a host beyond the proxy."""
        return self.app.connect(*target)

    def connect(self, proxy: MobilityProxy, target: tuple[str, int] = TARGET) -> tuple[Link, Socket]:
        """A connection of an application through the proxy, as preamble."""
        since = self._case.mark()
        connecting = self.begin(target)
        link = proxy.welcome(proxy.take(proxy.syn(since)))
        try:
            return link, connecting.socket()
        except OperationFailed as trouble:
            raise Inconclusive(f"preamble: the application is not connected: {trouble.reason}") from None

    def asks_for(self, call: Call, target: tuple[str, int]) -> None:
        """CONNECT with the address and port that the application wants."""
        deadline = self._case.deadline()
        request = call.read(Socks5Request, deadline)
        if request is None:
            raise Broken(Finding("no CONNECT", "CONNECT", call.rest.hex() or "nothing"), deadline)
        frame = self.frame(call)
        require(request.version == 5, "version", 5, request.version, frame)
        require(request.cmd == 1, "command", 1, request.cmd, frame)
        require(request.reserved == 0, "RSV", 0, request.reserved, frame)
        seen = request.address, request.port
        require(seen == target, "address and port", target, seen, frame)

    def frame(self, call: Call) -> Frame:
        """The frame that has brought the last message."""
        assert call.last is not None
        return call.last

    # Data

    def application_sends(self, link: Link, socket: Socket, data: bytes) -> None:
        """The application sends data."""
        link.from_node += data
        socket.send(data)

    def brings(self, link: Link) -> None:
        """All that the application has sent has come to the proxy, byte for byte."""
        deadline = self._case.deadline()
        expected = bytes(link.from_node)
        link.call.comes(lambda: len(link.received) >= len(expected), deadline)
        seen = link.received
        require(seen == expected, "bytes from the node", _told(expected), _told(seen), deadline)

    def reads(self, link: Link, socket: Socket, already: int = 0) -> None:
        """The application reads all that the proxy has sent, from byte `already` on, byte for byte."""
        expected = bytes(link.to_node[already:])
        deadline = self._case.deadline()
        seen, why = socket.read(len(expected), deadline.within_s)
        require(seen == expected, "bytes at the application", _told(expected), f"{_told(seen)} {why}".strip(), deadline)

    def carries(self, link: Link, socket: Socket) -> None:
        """Data goes both ways between application and proxy."""
        before = len(link.to_node)
        self.application_sends(link, socket, b"from the node")
        self.brings(link)
        link.send(b"to the node")
        self.reads(link, socket, before)

    def acknowledges(self, link: Link) -> None:
        """Its kernel has acknowledged all that the proxy has sent, as preamble."""
        peer = link.call.peer
        if not link.call.comes(lambda: peer.snd_una == peer.snd_nxt, self._case.deadline()):
            raise Inconclusive("preamble: the node does not acknowledge what the proxy sends")

    # Moving

    def calls_again(self, proxy: MobilityProxy, move: Move) -> Call:
        """From its new address it opens another connection to the proxy, in time, as preamble agreed on a method."""
        deadline = self._case.deadline(self._msocks.reconnect_within_s, since_ns=move.done_ns)
        return self._calls(proxy, deadline, move.mark, move.new)

    def calls_after(self, proxy: MobilityProxy, since: Mark) -> Call:
        """After a loss it opens another connection to the proxy, in time, as preamble agreed on a method."""
        return self._calls(proxy, self._case.deadline(self._msocks.reconnect_within_s), since)

    def _calls(self, proxy: MobilityProxy, deadline: Deadline, since: Mark, source: str = "") -> Call:
        syn = proxy.find_syn(deadline, since, source)
        if syn is None:
            finding = Finding("no new connection to the proxy", f"a SYN within {deadline.within_s:g} s", "none")
            raise Broken(finding, deadline)
        return self._agreed(proxy, proxy.take(syn))

    def all_call_again(self, proxy: MobilityProxy, move: Move, count: int) -> list[Call]:
        """From its new address it opens so many connections to the proxy, in time."""
        deadline = self._case.deadline(self._msocks.reconnect_within_s, since_ns=move.done_ns)
        calls: dict[int, Call] = {}
        while len(calls) < count:
            syn = proxy.find_syn(deadline, move.mark, move.new, frozenset(calls))
            if syn is None:
                raise Broken(Finding("new connections to the proxy", str(count), str(len(calls))), deadline)
            calls[syn.source_port] = self._agreed(proxy, proxy.take(syn))
        return list(calls.values())

    def _agreed(self, proxy: MobilityProxy, call: Call) -> Call:
        if proxy.agree(call) is None:
            raise Inconclusive("preamble: no greeting received from the node")
        return call

    def asks_again(self, call: Call) -> Packet:
        """RECONNECT comes."""
        deadline = self._case.deadline()
        request = call.read(MSOCKSReconnect, deadline)
        if request is None:
            raise Broken(Finding("no RECONNECT", "RECONNECT", call.rest.hex() or "nothing"), deadline)
        return request

    def reconnects(self, proxy: MobilityProxy, call: Call, link: Link) -> Packet:
        """RECONNECT comes, with the identifier of a connection."""
        request = self.asks_again(call)
        frame = self.frame(call)
        require(request.cmd == proxy.command, "command", proxy.command, request.cmd, frame)
        named = request.address, request.port
        require(named == link.identifier, "identifier", link.identifier, named, frame)
        return request

    def counts(self, call: Call, request: Packet, link: Link, received: range | None = None) -> None:
        """The counters are true: what was received, and all that the application has sent."""
        frame = self.frame(call)
        allowed = range(len(link.to_node), len(link.to_node) + 1) if received is None else received
        expected = f"{allowed.start} to {allowed.stop - 1}"
        require(request.received in allowed, "counter of bytes received", expected, request.received, frame)
        sent = len(link.from_node)
        require(request.sent == sent, "counter of bytes sent", sent, request.sent, frame)

    def returns(self, proxy: MobilityProxy, link: Link, move: Move) -> tuple[Call, Packet]:
        """From its new address it comes back with its connection; the RECONNECT is not answered yet."""
        call = self.calls_again(proxy, move)
        return call, self.reconnects(proxy, call, link)

    def goes_on(self, proxy: MobilityProxy, link: Link, move: Move) -> Call:
        """It comes back with its connection, and is taken."""
        call, request = self.returns(proxy, link, move)
        proxy.attach(call, link, request)
        return call

    # Ends

    def half_closes(self, link: Link) -> None:
        """A FIN comes to the proxy."""
        deadline = self._case.deadline()
        peer = link.call.peer
        if not link.call.comes(lambda: peer.state == "CLOSE-WAIT", deadline):
            raise Broken(Finding(f"FIN at {peer}", "a FIN", peer.state), deadline)

    def sees_the_end(self, socket: Socket) -> None:
        """The application reads the end of the stream, in time."""
        deadline = self._case.deadline()
        seen, why = socket.read(1, deadline.within_s)
        require(END_OF_STREAM in why and not seen, "end of the stream", END_OF_STREAM, why or _told(seen), deadline)

    def tells_of_an_error(self, socket: Socket, since_ns: int) -> None:
        """The application has an error, or the end of the stream, in time."""
        deadline = Deadline(since_ns, self._ixit.tcp_within_s)
        for _ in self.app.polls(deadline.within_s):
            told = socket.error() or socket.try_send(b"?")
            if told and told != END_OF_STREAM:
                return
        raise Broken(Finding("the application is told nothing", "an error", "none"), deadline)

    def reconnects_nothing(self, proxy: MobilityProxy, since_ns: int) -> None:
        """No new connection to the proxy has been opened."""
        self._case.watch(self._ixit.silence_s)
        syns = [
            one
            for one in self._case.trace.received()
            if one.ns > since_ns and (segment := Segment.read(one, self._case.network)) and segment.flags == "S"
        ]
        if syns:
            raise Broken(Finding("connections to the proxy", "none", str(len(syns))), syns[0])


def _told(data: bytes) -> str:
    return f"{len(data)} bytes, {data[:24]!r}"
