# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in the fields of the Rehash option, and in connections that both sides have to do with."""

import struct

from reference.bump.flows import Flow
from reference.bump.tcp import split
from reference.rehash.context import Context, Exchange, RehashFlows, Segment
from reference.rehash.host import Host
from reference.rehash.option import ADDR, INIT, Option
from reference.system.alterations import deviation


@deviation(
    "option-kind-wrong",
    "7",
    "The option kind is 253.",
    "it is 252 in what is sent",
)
class OptionKindWrong(Host):
    def encode(self, option: Option) -> bytes:
        return option.pack(self.settings.option_kind - 1)


@deviation(
    "option-length-wrong",
    "7",
    "The option length is 16.",
    "it is 20 in what is sent, with four bytes of zero at the end",
)
class OptionLengthWrong(Host):
    def encode(self, option: Option) -> bytes:
        kind, _, *content = super().encode(option)
        return bytes((kind, 20, *content, 0, 0, 0, 0))


@deviation(
    "init-control-wrong",
    "7",
    "The control header of REHASH-INIT is 0x0001.",
    "it is 0x0100",
)
class InitControlWrong(Host):
    def init(self, flow: Flow, context: Context) -> Option:
        return super().init(flow, context)._replace(control=0x0100)


@deviation(
    "addr-control-wrong",
    "7",
    "The control header of REHASH-ADDR is 0x0010.",
    "it is 0x1000",
)
class AddrControlWrong(Host):
    def address(self, flow: Flow, context: Context, exchange: Exchange) -> Option:
        return super().address(flow, context, exchange)._replace(control=0x1000)


@deviation(
    "init-nonce-not-own",
    "7",
    "Authenticator of a REHASH-INIT is the sender's own nonce.",
    "a host that opens a connection sends its nonce with all bits inverted",
)
class InitNonceNotOwn(Host):
    def init(self, flow: Flow, context: Context) -> Option:
        option = super().init(flow, context)
        return option._replace(nonce=option.nonce ^ 0xFFFFFFFF) if context.is_active else option


@deviation(
    "crossing-init-ignored",
    "6.1",
    "REHASH-INITs that cross complete the exchange for both sides.",
    "a REHASH-INIT on a segment that does not acknowledge the host's own is no answer to it",
)
class CrossingInitIgnored(Host):
    def init_received(self, flow: Flow, context: Context, option: Option, segment: Segment, now: float) -> None:
        is_first = context.peer_nonce is None
        if not (is_first and context.is_init_sent and segment.length):
            super().init_received(flow, context, option, segment, now)


@deviation(
    "moved-by-one-side-only",
    "6.2",
    "A connection moved by one side can be moved by the other afterwards.",
    "the side that has moved first is the only one that can",
)
class MovedByOneSideOnly(Host):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._moved_here: set[Flow] = set()
        self._moved_there: set[Flow] = set()

    def begin_move(self, flow: Flow, context: Context, old: int, now: float) -> None:
        if flow in self._moved_there:
            self.flows.park(flow, old)
        else:
            self._moved_here.add(flow)
            super().begin_move(flow, context, old, now)

    def find(self, option: Option, segment: Segment) -> Flow | None:
        flow = super().find(option, segment)
        return None if flow in self._moved_here else flow

    def peer_moved(self, flow: Flow, context: Context, address: int) -> None:
        self._moved_there.add(flow)
        super().peer_moved(flow, context, address)


class _Garbling(Flow):
    def onto_wire(self, buffer: bytearray, at: int, checksum: int) -> None:
        super().onto_wire(buffer, at, checksum)
        (length,) = struct.unpack_from("!H", buffer, at - 18)
        data = at + (buffer[at + 12] >> 2 & 0x3C)
        if self.own_delta and length > 1000:
            buffer[data : data + 4] = buffer[data + 2 : data + 4] + buffer[data : data + 2]


@deviation(
    "large-segments-garbled",
    "6.2",
    "The stream continues after the move without a byte lost, repeated or reordered.",
    "in segments of more than 1000 bytes the first two words of data change places",
)
class LargeSegmentsGarbled(RehashFlows):
    flow_type = _Garbling


@deviation(
    "option-read-at-the-end-only",
    "5",
    "A Rehash option is understood wherever it stands among other options.",
    "it is understood as the last option only",
)
class OptionReadAtTheEndOnly(Host):
    def read(self, options: bytes) -> Option | None:
        kinds = [kind for kind, _ in split(options) if kind != 1]
        return super().read(options) if kinds[-1:] == [self.settings.option_kind] else None


@deviation(
    "option-length-15-accepted",
    "7",
    "An option with a length other than 16 rehashes nothing.",
    "one of length 15 is taken, its last byte as zero",
)
class OptionLength15Accepted(Host):
    def is_length_right(self, length: int) -> bool:
        return length == 15 or super().is_length_right(length)


@deviation(
    "option-length-17-accepted",
    "7",
    "An option with a length other than 16 rehashes nothing.",
    "one of length 17 is taken",
)
class OptionLength17Accepted(Host):
    def is_length_right(self, length: int) -> bool:
        return length == 17 or super().is_length_right(length)


@deviation(
    "undefined-control-is-addr",
    "7",
    "An option whose control header is undefined rehashes nothing.",
    "every control header but REHASH-INIT's is taken for REHASH-ADDR's",
)
class UndefinedControlIsAddr(Host):
    def understood(self, option: Option) -> Option | None:
        return option if option.control == INIT else option._replace(control=ADDR)


@deviation(
    "undefined-control-is-init",
    "7",
    "An option whose control header is undefined completes no init exchange.",
    "every control header but REHASH-ADDR's is taken for REHASH-INIT's",
)
class UndefinedControlIsInit(Host):
    def understood(self, option: Option) -> Option | None:
        return option if option.control == ADDR else option._replace(control=INIT)
