# SPDX-License-Identifier: GPL-2.0-or-later
"""The mobile node that the tester plays: it connects, moves and sends Migrate messages of any shape."""

import copy
from dataclasses import dataclass, field
from typing import Any

from scapy.packet import Packet

from layers.mops import MIGRATE, SUCCESS, MOPSMigrate
from testbed.case.case import Case
from testbed.case.verdict import Broken
from testbed.interruptions import Inconclusive
from testbed.peers.connection import connect, exchange
from testbed.peers.tcp import SEQUENCE_SPACE, TcpPeer, after
from testbed.wire.capture import Frame, Mark, Sent
from testbed.wire.clock import NANO, Deadline
from testbed.wire.network import TCP_PROTOCOL
from testbed.wire.notation import summary
from testbed.wire.station import Station

CODES = {2: "success", 3: "failed"}
MTU = 1500
MIGRATE_HEADER = 24
ENTRY = 8


@dataclass
class Session:
    """A connection of the mobile node. `peer` is where it is now, `left` the ends it was at before, oldest first."""

    peer: TcpPeer
    left: list[TcpPeer] = field(default_factory=list)

    def follows(self, station: Station, port: int) -> None:
        """Go on at a new address and port; the end that is left keeps its state as it was."""
        self.peer.read()
        self.left.append(copy.copy(self.peer))
        self.peer.rebind(station, port)


@dataclass(frozen=True)
class Request:
    """A Migrate that was sent: the message, the frame, and where in the case's trace its answers begin."""

    message: Packet
    sent: Sent
    mark: Mark


class MobileNode:
    """The tester as a mobile node."""

    def __init__(self, case: Case, address: str = "") -> None:
        self._case = case
        self.station = case.station(address)
        self.home = self.station

    @property
    def address(self) -> str:
        """Where the node is now."""
        return self.station.address

    def connects(self, port: int = 0, remote_port: int = 0, initial_sequence: int | None = None) -> Session:
        """Open a connection to the server's echo service and use it once."""
        peer = connect(self._case, self.station, port, remote_port, initial_sequence)
        self._use(peer)
        return Session(peer)

    def connects_quietly(self, remote_port: int) -> Session:
        """Open a connection to a port of the server without using it."""
        return Session(connect(self._case, self.station, remote_port=remote_port))

    def moves(self, address: str = "") -> None:
        """Take a new address, or this one; the old one stays under observation."""
        self.station = self._case.station(address)

    def returns(self, station: Station) -> None:
        """Take up an address that the node had before."""
        self.station = station

    def new_port(self) -> int:
        """A source port that no other case uses."""
        return next(self._case.setup.source_ports)

    def entry(self, session: Session, **replaced: int) -> tuple[int, int, int]:
        """The entry that migrates `session`; `previous_port`, `migrated_port` and `identifier` can be replaced."""
        values = {
            "previous_port": session.peer.port,
            "migrated_port": replaced.get("migrated_port") or self.new_port(),
            "identifier": session.peer.snd_nxt,
        } | replaced
        return values["previous_port"], values["migrated_port"], values["identifier"] % (1 << 32)

    def migrate(self, *sessions: Session, code: int = MIGRATE, **fields: Any) -> Packet:
        """A Migrate for these sessions to the node's present address and fresh ports; any field can be replaced."""
        content = {
            "code": code,
            "protocol": TCP_PROTOCOL,
            "previous_source": sessions[0].peer.station.address if sessions else self.home.address,
            "migrated_source": self.address,
            "entries": [self.entry(session) for session in sessions],
        }
        return MOPSMigrate(**{**content, **fields})

    def fill_packet(self, *sessions: Session) -> Packet:
        """A Migrate with as many entries as one packet carries: the sessions last, unknown ports before them."""
        header = len(self._case.network.packet(self.address, self._case.network.dut, 0, b""))
        room = (MTU - header - MIGRATE_HEADER) // ENTRY - len(sessions)
        unknown = [(1024 + number, 30000 + number, number) for number in range(room)]
        return self.migrate(*sessions, entries=unknown + [self.entry(session) for session in sessions])

    def sends(self, message: Packet | bytes, sender: Station | None = None) -> Request:
        """Send a message to the server, from the node's present address unless another station sends it."""
        sent = (sender or self.station).send(self._case.network.icmp_protocol, message)
        mark = self._case.trace.mark_at(sent.frame)
        return Request(message if isinstance(message, Packet) else MOPSMigrate(message), sent, mark)

    def follows(self, request: Request, *sessions: Session) -> None:
        """Go on with the sessions where the request has moved them."""
        ports = {previous: migrated for previous, migrated, _ in request.message.entries}
        for session in sessions:
            session.follows(self.station, ports[session.peer.port])

    def migrates(self, *sessions: Session, code: int = MIGRATE, use: bool = True) -> Request:
        """Move and migrate the sessions, and use them once, as preamble: Inconclusive if the server does not go along.

        Without `use` no data is sent: for cases that are about the first data at the new tuple.
        """
        self.moves()
        request = self.sends(self.migrate(*sessions, code=code))
        reply = find_reply(self._case, request)
        if reply is None or reply[1].code != SUCCESS:
            said = "silence" if reply is None else summary(reply[1])
            raise Inconclusive(f"preamble: an ordinary migration did not succeed: {said}", repeat=False)
        self.follows(request, *sessions)
        for session in sessions if use else ():
            self._use(session.peer)
        return request

    def migrates_with(self, session: Session, identifier: int) -> Request:
        """Move and send a Migrate with this sequence number; the evidence says how it stands to the server's window."""
        peer = session.peer
        ahead = after(identifier, peer.snd_una)
        window = f"window {peer.window}"
        self._case.values["sequence number"] = f"{identifier % SEQUENCE_SPACE} = RCV.NXT {ahead:+d} ({window})"
        self.moves()
        return self.sends(self.migrate(session, entries=[self.entry(session, identifier=identifier)]))

    def _use(self, peer: TcpPeer) -> None:
        try:
            exchange(self._case, peer, b"hello")
        except Broken as broken:
            raise Inconclusive(f"preamble: {broken.finding.reason}", repeat=broken.deadline is not None) from None

    def waits(self, since: Request, intervals: float) -> None:
        """Wait until `intervals` rate-limit intervals have passed since a request was sent."""
        interval = self._case.setup.profile.ixit.mops.rate_limit_s
        self._case.wait_until(since.sent.ns + round(intervals * interval * NANO))

    def was_in_time(self, request: Request, since: Request, intervals: float) -> None:
        """Inconclusive unless the tester itself sent `request` less than `intervals` intervals after `since`."""
        interval = self._case.setup.profile.ixit.mops.rate_limit_s
        late = (request.sent.ns - since.sent.ns) / NANO - intervals * interval
        if late >= 0:
            raise Inconclusive(f"the tester sent #{request.sent.frame.index} {late:.3f} s too late")


def find_reply(case: Case, request: Request) -> tuple[Frame, Packet] | None:
    """The first message from the server behind the request that is a Migrate reply, if it came in time."""

    def replies() -> list[tuple[Frame, Packet]]:
        return [
            (frame, message)
            for frame, message in case.messages(request.mark)
            if isinstance(message, MOPSMigrate) and message.code in CODES and not frame.accounted
        ]

    def first() -> Frame | None:
        found = replies()
        return found[0][0] if found else None

    frame = case.look(first, Deadline(request.sent.ns, case.setup.profile.ixit.mops.reply_within_s))
    if frame is None:
        return None
    message = next(message for candidate, message in replies() if candidate is frame)
    frame.account(CODES[message.code])
    return frame, message
