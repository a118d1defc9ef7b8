# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of requests and their replies, and of how many clients there are."""

import socket
from typing import Any

from reference.msocks import messages
from reference.msocks.loop import EventLoop
from reference.msocks.messages import End, Request
from reference.msocks.negotiation import Negotiation
from reference.msocks.outward import Outward
from reference.msocks.proxy import Proxy
from reference.msocks.settings import ProxySettings
from reference.system.alterations import deviation


@deviation("msocks-success-before-the-connection", "4", "Success means that the connection stands.", "it comes before")
class SuccessBeforeTheConnection(Negotiation):
    def carry_out(self, request: Request) -> None:
        if request.command == messages.CONNECT:
            self.say(messages.reply(messages.SUCCEEDED))
        super().carry_out(request)

    def _connected(self, outside: socket.socket) -> None:
        self._join(outside, self.proxy.outward.identifier(outside))


@deviation("msocks-connects-to-the-next-port", "4", "CONNECT leads to the port asked for.", "it leads to the next one")
class ConnectsToTheNextPort(Negotiation):
    def carry_out(self, request: Request) -> None:
        if request.command == messages.CONNECT and request.kind == messages.IPV4:
            address, port = request.to
            request = Request(request.command, request.kind, End(address, port + 1), request.counters, request.length)
        super().carry_out(request)


@deviation("msocks-failure-untold", "4", "A failure is told by an error.", "the connection ends without a word")
class FailureUntold(Negotiation):
    def refuse(self, code: int) -> None:
        if code in (messages.CONNECTION_REFUSED, messages.HOST_UNREACHABLE, messages.NETWORK_UNREACHABLE):
            self.give_up = None
            self._finish()
        else:
            super().refuse(code)


@deviation("msocks-unreachable-untold", "4", "A failure is told by an error.", "that nobody answers ARP is told late")
class UnreachableUntold(Negotiation):
    def refuse(self, code: int) -> None:
        if code == messages.HOST_UNREACHABLE:
            self.loop.after(12.0, lambda: Negotiation.refuse(self, code))
        else:
            super().refuse(code)


@deviation(
    "msocks-nothing-after-a-failure",
    "4",
    "After a failure others are served.",
    "a host that refused is not tried again",
)
class NothingAfterAFailure(Outward):
    failed: frozenset[str] = frozenset()

    def connect(self, request: Request, done: Any, failed: Any) -> Any:
        address = request.to.address

        def remember(code: int) -> None:
            self.failed |= {address}
            failed(code)

        if address in self.failed:
            failed(messages.CONNECTION_REFUSED)
            return lambda: None
        return super().connect(request, done, remember)


@deviation("msocks-general-failure", "1928.6", "The code says which failure it was.", "it is always the general one")
class GeneralFailure(Outward):
    def reply_code(self, error: OSError, icmp_type: int | None = None) -> int:
        return messages.GENERAL_FAILURE


@deviation("msocks-open-after-a-failure", "1928.6", "After a failure the connection ends.", "it stays open")
class OpenAfterAFailure(Negotiation):
    def refuse(self, code: int) -> None:
        self.give_up = None
        if not self.over:
            self.say(messages.reply(code))


@deviation("msocks-unknown-command-ignored", "1928.4", "An unknown command draws an error or the end.", "silence")
class UnknownCommandIgnored(Negotiation):
    def refuse(self, code: int) -> None:
        if code != messages.COMMAND_NOT_SUPPORTED:
            super().refuse(code)


@deviation(
    "msocks-unknown-command-is-connect", "1928.4", "An unknown command opens nothing.", "it is taken for CONNECT"
)
class UnknownCommandIsConnect(Negotiation):
    def carry_out(self, request: Request) -> None:
        if request.command not in (messages.CONNECT, messages.BIND, self.settings.reconnect_command):
            request = Request(messages.CONNECT, request.kind, request.to, request.counters, request.length)
        super().carry_out(request)


@deviation("msocks-unknown-command-code", "1928.6", "The code for an unknown command is 07.", "it is 01")
class UnknownCommandCode(Negotiation):
    def unknown_command(self) -> int:
        return messages.GENERAL_FAILURE


@deviation("msocks-address-type-ignored", "1928.4", "An unknown address type draws an error or the end.", "silence")
class AddressTypeIgnored(Negotiation):
    def refuse(self, code: int) -> None:
        if code != messages.ADDRESS_TYPE_NOT_SUPPORTED:
            super().refuse(code)


@deviation("msocks-address-type-code", "1928.6", "The code for an unknown address type is 08.", "it is 01")
class AddressTypeCode(Negotiation):
    def refuse(self, code: int) -> None:
        super().refuse(messages.GENERAL_FAILURE if code == messages.ADDRESS_TYPE_NOT_SUPPORTED else code)


@deviation("msocks-name-cut", "1928.5", "The first octet says how long the name is.", "its last character is lost")
class NameCut(Negotiation):
    def carry_out(self, request: Request) -> None:
        if request.kind == messages.DOMAIN:
            to = End(request.to.address[:-1], request.to.port)
            request = Request(request.command, request.kind, to, request.counters, request.length)
        super().carry_out(request)


@deviation("msocks-reserved-set", "1928.6", "RSV is zero.", "it is the code of the reply and one more")
class ReservedSet(Negotiation):
    def say(self, message: bytes) -> None:
        super().say(message[:2] + b"\1" + message[3:] if len(message) > 3 else message)


@deviation("msocks-bound-port-of-the-proxy", "1928.6", "BND.PORT is the port of the connection.", "it is one above")
class BoundPortOfTheProxy(Outward):
    def identifier(self, held: socket.socket) -> End:
        address, port = super().identifier(held)
        return End(address, port + 1)


@deviation("msocks-bind-tells-once", "1928.6", "BIND is answered twice.", "who has come is not told")
class BindTellsOnce(Negotiation):
    told = False

    def say(self, message: bytes) -> None:
        if len(message) < 4 or not self.told:
            super().say(message)
        self.told |= len(message) > 3


@deviation("msocks-bound-session-stays", "4", "A session that the correspondent opened moves.", "RECONNECT is refused")
class BoundSessionStays(Negotiation):
    def _bind(self, request: Request) -> None:
        self.user = b"\0bind"
        super()._bind(request)


@deviation(
    "msocks-eight-at-a-time",
    "4",
    "Silent clients keep no other from being served.",
    "of one address eight negotiate at a time",
)
class EightAtATime(Negotiation):
    def __init__(self, proxy: Proxy, settings: ProxySettings, loop: EventLoop, client: socket.socket) -> None:
        self.address = client.getpeername()[0]
        super().__init__(proxy, settings, loop, client)
        alike = [one for one in proxy.clients if isinstance(one, EightAtATime) and one.address == self.address]
        if len(alike) >= 8:
            self.held.want(0)


@deviation("msocks-two-hundred-connections", "4", "Three hundred connections work at once.", "the 257th is not taken")
class TwoHundredConnections(Negotiation):
    def carry_out(self, request: Request) -> None:
        counts: dict[str, int] = self.proxy.__dict__.setdefault("counts", {})
        here = self.held.socket.getpeername()[0]
        counts[here] = counts.get(here, 0) + 1
        if request.command == messages.CONNECT and counts[here] > 256:
            self.refuse(messages.GENERAL_FAILURE)
        else:
            super().carry_out(request)


@deviation(
    "msocks-garbage-breaks-the-next", "4", "Garbage harms nobody else.", "after a wrong version others are ended"
)
class GarbageBreaksTheNext(Negotiation):
    def _ready(self, events: int) -> None:
        before = self.over
        super()._ready(events)
        if not before and self.over and self.buffer and self.buffer[0] != messages.VERSION:
            for relay in list(self.proxy.relays.values()):
                relay.abort()
