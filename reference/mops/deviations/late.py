# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in what happens a while after the answer, or where there should be none."""

import struct
from dataclasses import replace
from functools import partial

from reference.bump.network import Network
from reference.bump.tcp import RST
from reference.mops.acknowledgements import NAT_TYPE
from reference.mops.deviations.segments import bare_segment
from reference.mops.message import FAILED, VERSION, Migrate
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation

_WHILE_S = 0.3


def fail_later(server: Server, network: Network, source: int, data: bytes) -> None:
    """Answer a message "failed" a while from now."""
    message = Migrate.parse(data)
    if message is not None:
        reply = replace(message, code=FAILED, reserved=0).pack()
        server._after(_WHILE_S, lambda: server._send(network, source, network.icmp_protocol, reply))


@deviation(
    "wrong-checksum-answered-late",
    "4.1",
    "A Migrate whose checksum is wrong is discarded in silence.",
    'it is answered "failed" 0.3 s later',
)
class WrongChecksumAnsweredLate(Server):
    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        if not self.is_checksum_right(data):
            fail_later(self, network, source, data)
        return super().read(network, source, data, arrival)


@deviation(
    "replies-answered-late",
    "4.1",
    "A Migrate with code 2 or 3 is never answered.",
    'it is answered "failed" 0.3 s later',
)
class RepliesAnsweredLate(Server):
    def read(self, network: Network, source: int, data: bytes, arrival: float) -> tuple[Command | None, str]:
        command, wrong = super().read(network, source, data, arrival)
        if wrong.startswith(("code 2 ", "code 3 ")):
            fail_later(self, network, source, data)
        return command, wrong


@deviation(
    "limited-command-answered-late",
    "4.1",
    "A second command inside the interval is silently discarded.",
    'it is answered "failed" 0.3 s later',
)
class LimitedCommandAnsweredLate(Server):
    def limit(self, command: Command) -> tuple[Command | None, str]:
        admitted, wrong = super().limit(command)
        if admitted is None:
            fail_later(self, command.network, command.source, command.message.pack())
        return admitted, wrong


@deviation(
    "success-said-twice",
    "4.1",
    "A Migrate is answered once.",
    "the success is said again 0.3 s later",
)
class SuccessSaidTwice(Server):
    def reply(self, command: Command, data: bytes) -> None:
        super().reply(command, data)
        if data[5] != FAILED:
            again = super().reply
            self._after(_WHILE_S, lambda: again(command, data))


def _nat_acknowledgement(protocol: int, address: int) -> bytes:
    """One that says that an address was translated to itself, at level 1, without a checksum."""
    words = protocol << 50 | address, 1 << 50 | address
    return struct.pack("!HHBBBBQQHH", NAT_TYPE, 0, VERSION, 0, 1, 0, *words, 1, 1)


@deviation(
    "nat-acknowledgement-sent",
    "4.3",
    "Only a NAT router sends NAT acknowledgements.",
    "each success is followed by an acknowledgement of a translation that changes nothing",
)
class NatAcknowledgementSent(Server):
    def reply(self, command: Command, data: bytes) -> None:
        super().reply(command, data)
        if data[5] != FAILED:
            super().reply(command, _nat_acknowledgement(command.message.protocol, command.source))


class _Later(Server):
    """Does something with what has migrated a while after the answer."""

    def answer(self, command: Command, outcomes: list[Outcome]) -> None:
        super().answer(command, outcomes)
        for outcome in outcomes:
            if outcome.done is not None and not outcome.reason:
                self._after(_WHILE_S, partial(self.regret, command, outcome))

    def regret(self, command: Command, outcome: Outcome) -> None:
        """What happens then."""


@deviation(
    "reset-after-success",
    "4.1",
    "The migrated connection is not reset.",
    "a reset goes to the migrated tuple 0.3 s after the success",
)
class ResetAfterSuccess(_Later):
    def regret(self, command: Command, outcome: Outcome) -> None:
        assert outcome.done is not None
        flow = outcome.done.flow
        self._send(command.network, flow.wire_address, flow.protocol, bare_segment(command.network, flow, RST))


@deviation(
    "success-retracted",
    "4.1",
    "A migrated connection stays at its new tuple.",
    "0.3 s after the success it is at the old one again",
)
class SuccessRetracted(_Later):
    def regret(self, command: Command, outcome: Outcome) -> None:
        assert outcome.done is not None
        self.undo(command, outcome.done)


@deviation(
    "refused-moves-later",
    "4.1",
    "A refused entry has not moved its connection.",
    "0.3 s after the refusal the connection is at the new tuple",
)
class RefusedMovesLater(Server):
    def answer(self, command: Command, outcomes: list[Outcome]) -> None:
        super().answer(command, outcomes)
        flows, previous, migrated = self.flows_of(command), command.previous, command.migrated
        if flows is None or previous is None or migrated is None or self.is_atomic(command):
            return
        for outcome in outcomes:
            found = self.candidates(command, outcome.entry, previous) if outcome.reason.startswith("identifier") else []
            for flow in found:
                self._after(_WHILE_S, partial(flows.migrate, flow, migrated, outcome.entry.migrated_port))
