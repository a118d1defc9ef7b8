# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations that show when places change hands, or in what else the addresses of a move are for."""

import struct
from dataclasses import replace

from reference.bump.flows import Flow, Tuple
from reference.bump.network import ETHERNET, HEADROOM, TCP
from reference.mops.context import MopsFlows, last_move
from reference.mops.datapath import MopsDatapath
from reference.mops.deviations.path_errors import HearsErrors
from reference.mops.message import Entry
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation

_MOST_ENTRIES, _MOST_MOVES = 128, 4
_IPV4 = 0x0800
_TOO_BIG = (3, 4)


@deviation(
    "left-tuple-belongs-to-who-left",
    "4.1",
    "A tuple that one connection has left can be given to another one.",
    "what comes from there goes to the one that has left, if both have migrated",
)
class LeftTupleBelongsToWhoLeft(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self._left: dict[Tuple, Flow] = {}

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        self._left[flow.wire] = flow
        super().migrate(flow, address, port)

    def inbound(self, address: int, port: int, local_port: int, flags: int, now: float) -> Flow | None:
        flow = super().inbound(address, port, local_port, flags, now)
        who_left = self._left.get((address, port, local_port))
        is_robbed = flow is not None and last_move(flow) is not None and who_left is not None and who_left.is_live
        return who_left if is_robbed else flow


@deviation(
    "four-moves-at-most",
    "4.1",
    "A connection migrates as often as its node moves.",
    "from the fifth move on it stays, and success is reported",
)
class FourMovesAtMost(MopsFlows):
    def __init__(self) -> None:
        super().__init__()
        self._moves: dict[Tuple, int] = {}

    def migrate(self, flow: Flow, address: int, port: int) -> None:
        self._moves[flow.kernel] = self._moves.get(flow.kernel, 0) + 1
        if self._moves[flow.kernel] <= _MOST_MOVES:
            super().migrate(flow, address, port)


@deviation(
    "entries-beyond-128-forgotten",
    "4.1",
    "All n ports of a Migrate are remapped.",
    "the first 128 are, and success is reported for all",
)
class EntriesBeyond128Forgotten(Server):
    def carry_out(self, command: Command) -> list[Outcome]:
        entries = command.message.entries
        first = replace(command, message=replace(command.message, entries=entries[:_MOST_ENTRIES]))
        rest = [Outcome(entry, self.fate(command, entry)) for entry in entries[_MOST_ENTRIES:]]
        return super().carry_out(first) + rest

    def fate(self, command: Command, entry: Entry) -> str:
        """What is said of an entry that is not carried out."""
        return "" if self.candidates(command, entry, command.previous or 0) else "no such socket"


class _AddressForgotten(MopsDatapath):
    """Drops all but TCP and messages from an address that a move was about."""

    role = "server"

    def take_from_wire(self, length: int) -> None:
        header = bytes(self._wire_view[HEADROOM + ETHERNET : HEADROOM + length])
        ethertype = int.from_bytes(self._wire_view[HEADROOM + 12 : HEADROOM + ETHERNET], "big")
        network = next((one for one in self.networks if one.name == "ipv4"), None)
        if network is not None and ethertype == _IPV4 and header[9] not in (TCP, network.icmp_protocol):
            (source,) = struct.unpack_from("!I", header, 12)
            moves = [last_move(flow) for flow in network.flows.by_wire.values()]
            if source in {self.forgotten(move.previous[0], move.migrated[0]) for move in moves if move is not None}:
                return
        super().take_from_wire(length)

    def forgotten(self, previous: int, migrated: int) -> int:
        """The address of a move that is forgotten."""
        raise NotImplementedError


@deviation(
    "left-address-forgotten",
    "4.1",
    "Other traffic of the address that was left is as before.",
    "only TCP is taken from there",
)
class LeftAddressForgotten(_AddressForgotten):
    def forgotten(self, previous: int, migrated: int) -> int:
        return previous


@deviation(
    "new-address-for-tcp-alone",
    "4.1",
    "Other traffic of the new address is as before.",
    "only TCP is taken from there",
)
class NewAddressForTcpAlone(_AddressForgotten):
    def forgotten(self, previous: int, migrated: int) -> int:
        return migrated


@deviation(
    "packet-too-big-ends-the-connection",
    "4.1",
    "That a packet was too big for the path ends no connection.",
    "it ends the connection whose tuple it quotes",
)
class PacketTooBigEndsTheConnection(HearsErrors):
    def is_heard(self, kind: int, code: int) -> bool:
        return (kind, code) == _TOO_BIG
