# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester as the proxy of a mobile node: what it reads of the node's dialogue, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

from scapy.packet import Packet

from conformance.msocks.tester.dialogue import ANONYMOUS, PASSWORD, SUCCEEDED
from conformance.msocks.tester.streams import take
from layers.msocks import (
    MSOCKSReconnect,
    MSOCKSReconnectReply,
    Socks5Greeting,
    Socks5Reply,
    Socks5Request,
    Socks5Selection,
)
from testbed.case.case import Case
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers import connection
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.wire import chance
from testbed.wire.capture import BEGINNING, Frame, Mark
from testbed.wire.clock import Deadline

REFUSED = 2
_FIRST_PORT, _PORTS = 20_000, 40_000


@dataclass
class Call:
    """A connection of the node to the proxy: its end here, how much of it was taken as messages, and the last frame."""

    case: Case
    peer: TcpPeer
    syn: Segment
    at: int = 0
    last: Frame | None = None

    @property
    def rest(self) -> bytes:
        """What has come after the messages."""
        return bytes(self.peer.stream[self.at :])

    def read(self, kind: type[Packet], deadline: Deadline) -> Packet | None:
        """The next message, if it comes in time."""

        def is_whole() -> bool:
            return bool(self.rest) and len(self.rest) >= kind.needs(self.rest)

        if not self.comes(is_whole, deadline):
            return None
        length = kind.needs(self.rest)
        message = kind(self.rest[:length])
        self.at += length
        return message

    def comes(self, reached: Callable[[], bool], deadline: Deadline) -> bool:
        """Whether a condition holds in time; what comes meanwhile is acknowledged."""

        def look() -> Frame | None:
            self.last = take(self.peer) or self.last
            return self.last if reached() else None

        self.last = take(self.peer) or self.last
        return reached() or self.case.look(look, deadline) is not None

    def say(self, message: Packet | bytes) -> None:
        """Send a message."""
        self.peer.send(bytes(message))


@dataclass
class Link:
    """A connection of the node's application through the proxy, whatever side it is on."""

    call: Call
    identifier: tuple[str, int]
    to_node: bytearray = field(default_factory=bytearray)
    from_node: bytearray = field(default_factory=bytearray)
    """All that the node's application has sent, as far as it is told."""
    taken: bytearray = field(default_factory=bytearray)
    """What has come of it on sides that are lost."""

    @property
    def received(self) -> bytes:
        """All that has come from the node."""
        return bytes(self.taken) + self.call.rest

    def send(self, data: bytes) -> None:
        """Send data to the node."""
        self.to_node += data
        self.call.peer.send(data)

    def lose(self) -> None:
        """From now on nothing of this side comes or goes."""
        self.call.peer.read()
        self.call.peer.drop_incoming()


class MobilityProxy:
    """The proxy at the address where the profile says that the node finds it."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit.msocks
        if self._ixit.proxy is None:
            raise NotApplicable(f"{case.setup.profile.path}: ixit.msocks.proxy is missing")
        self.station = case.station(self._ixit.proxy)

    @property
    def command(self) -> int:
        """The number of RECONNECT."""
        return int(self._ixit.reconnect_command)

    def syn(self, since: Mark = BEGINNING) -> Segment:
        """The SYN of the node to the proxy, as preamble."""
        return connection.await_syn(self._case, self.station, self._ixit.port, since=since)

    def find_syn(
        self, deadline: Deadline, since: Mark, source: str = "", known: frozenset[int] = frozenset()
    ) -> Segment | None:
        """The first SYN to the proxy since a mark if it comes in time: from an address, where one is named.

        Those from known ports are left out.
        """

        def wanted(segment: Segment) -> bool:
            ends = segment.destination, segment.destination_port
            is_ours = ends == (self.station.address, self._ixit.port) and segment.flags == "S"
            return is_ours and source in ("", segment.source) and segment.source_port not in known

        found = connection.first_segment(self._case, wanted, deadline, since, self.station)
        if found:
            found.frame.account()
        return found

    def take(self, syn: Segment) -> Call:
        """Accept a connection of the node, as preamble."""
        peer = connection.new_peer(self._case, self.station, self._ixit.port, syn.source_port, checks_source=True)
        peer.remote = syn.source
        connection.accept(self._case, peer, syn)
        return Call(self._case, peer, syn)

    def agree(self, call: Call) -> Packet | None:
        """Read the greeting and choose a method of it; where that is name and password, take whatever is said."""
        greeting = call.read(Socks5Greeting, self._case.deadline())
        if greeting is None:
            return None
        method = ANONYMOUS if ANONYMOUS in greeting.methods else PASSWORD
        call.say(Socks5Selection(method=method))
        if method == PASSWORD:
            if not call.comes(lambda: len(call.rest) > 2, self._case.deadline()):
                raise Inconclusive("preamble: the node says no name and password")
            call.at = len(call.peer.stream)
            call.say(bytes([1, 0]))
        return greeting

    def identify(self) -> tuple[str, int]:
        """An identifier that chance draws."""
        return self.station.address, _FIRST_PORT + chance.randbelow(_PORTS)

    def welcome(self, call: Call) -> Link:
        """Answer a CONNECT by success, as preamble; the connection."""
        if self.agree(call) is None:
            raise Inconclusive("preamble: no greeting received from the node")
        if call.read(Socks5Request, self._case.deadline()) is None:
            raise Inconclusive("preamble: no CONNECT received from the node")
        return self.succeed(call)

    def succeed(self, call: Call) -> Link:
        """Success to a CONNECT."""
        identifier = self.identify()
        call.say(Socks5Reply(reply=SUCCEEDED, bound_address=identifier[0], bound_port=identifier[1]))
        return Link(call, identifier)

    def accept(self, call: Call, link: Link, *, received: int | None = None, sent: int | None = None) -> None:
        """Success to a RECONNECT, with the proxy's true counters unless others are named; the connection goes on."""
        counters = {
            "received": len(link.received) if received is None else received,
            "sent": len(link.to_node) if sent is None else sent,
        }
        bound = {"bound_address": link.identifier[0], "bound_port": link.identifier[1]}
        call.say(MSOCKSReconnectReply(reply=SUCCEEDED, **bound, **counters))

    def attach(self, call: Call, link: Link, request: MSOCKSReconnect) -> None:
        """Answer a RECONNECT by success, send again what the node has not received, and go on there."""
        self.accept(call, link)
        link.taken = bytearray(link.received)
        link.call = call
        if again := bytes(link.to_node[request.received :]):
            call.peer.send(again)

    def refuse(self, call: Call) -> None:
        """Refuse a request, and end the connection."""
        call.say(Socks5Reply(reply=REFUSED))
        call.peer.finish()
