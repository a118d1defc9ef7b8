# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in retransmissions, and in when a connection is given up."""

from dataclasses import replace

from reference.bump.arp import Arp
from reference.bump.flows import Flow
from reference.bump.network import Network
from reference.mops.exchange import Exchange, Moving
from reference.mops.message import FAILED, SUCCESS
from reference.mops.mobile_node import MobileNode
from reference.system.alterations import deviation


@deviation(
    "node-never-repeats",
    "4.1",
    "A Migrate that is not answered is repeated.",
    "a Migrate is sent once",
)
class NeverRepeats(MobileNode):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return True


@deviation(
    "node-repeats-for-ever",
    "4.1",
    "A Migrate is repeated at most three times.",
    "a Migrate is repeated until it is answered",
)
class RepeatsForEver(MobileNode):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return False


@deviation(
    "node-four-repeats",
    "4.1",
    "A Migrate is repeated at most three times.",
    "a Migrate is repeated once more than that",
)
class FourRepeats(MobileNode):
    def is_exhausted(self, exchange: Exchange) -> bool:
        return exchange.sent > self.retries + 1


@deviation(
    "node-repeats-too-fast",
    "4.1",
    "Repeats are 2 s apart.",
    "retransmissions are a quarter of that apart",
)
class RepeatsTooFast(MobileNode):
    def interval(self, exchange: Exchange) -> float:
        return self.retry_interval_s / 4


@deviation(
    "node-repeats-too-slow",
    "4.1",
    "Repeats are 2 s apart.",
    "retransmissions are one and a half of that apart",
)
class RepeatsTooSlow(MobileNode):
    def interval(self, exchange: Exchange) -> float:
        return self.retry_interval_s * 1.5


@deviation(
    "node-repeats-differ",
    "4.1",
    "A retransmission equals the first transmission.",
    "the sequence numbers of a retransmission are one larger each time",
)
class RepeatsDiffer(MobileNode):
    def retransmit(self, exchange: Exchange) -> None:
        for moving in exchange.sockets:
            moving.entry = moving.entry._replace(identifier=(moving.entry.identifier + 1) % (1 << 32))
        message, first = exchange.message, exchange.sockets[0]
        exchange.message = self.request(exchange.network, first.protocol, message.previous, exchange.sockets)
        exchange.data = self.encode(exchange.message)


@deviation(
    "node-never-gives-up",
    "4.1",
    "When the last retransmission is not answered the application sees an error.",
    "the application waits for ever",
)
class NeverGivesUp(MobileNode):
    def exhausted(self, exchange: Exchange) -> None:
        pass


@deviation(
    "node-dies-without-error",
    "4.1",
    "When the last retransmission is not answered the application sees an error.",
    "the socket is dead, and no error is reported to the application",
)
class DiesWithoutError(MobileNode):
    def report(self, network: Network, protocol: int, flow: Flow) -> None:
        pass


@deviation(
    "node-dead-goes-on",
    "4.1",
    "Once the socket is declared dead the node sends no further segment of the connection.",
    "when the last retransmission is not answered the connection continues on the new tuple",
)
class DeadGoesOn(MobileNode):
    def exhausted(self, exchange: Exchange) -> None:
        for moving in exchange.sockets:
            self.succeeded(exchange, moving)


@deviation(
    "node-success-ignored",
    "4.1",
    "Success ends the retransmissions.",
    "after success the Migrate is repeated all the same",
)
class SuccessIgnored(MobileNode):
    def finish(self, exchange: Exchange, code: int) -> None:
        super().finish(exchange, code)
        if code == SUCCESS:
            self.exchanges.append(replace(exchange, sockets=[]))


@deviation(
    "node-failed-ignored",
    "4.1",
    "Failed ends the retransmissions.",
    "after failed the Migrate is repeated all the same",
)
class FailedIgnored(MobileNode):
    def finish(self, exchange: Exchange, code: int) -> None:
        super().finish(exchange, code)
        if code == FAILED:
            self.exchanges.append(replace(exchange, sockets=[]))


@deviation(
    "node-speaks-before-success",
    "4.1",
    "The node sends no segment from the new tuple before success.",
    "the connection continues on the new tuple at once",
)
class SpeaksBeforeSuccess(MobileNode):
    def waits(self, network: Network, flow: Flow) -> bool:
        return False


@deviation(
    "node-data-from-old-address",
    "4.1",
    "After success the connection continues on the migrated tuple.",
    "what waited for the answer goes out from the address that was lost",
)
class DataFromOldAddress(MobileNode):
    old: int | None = None

    def move(self, network: Network, address: int, now: float) -> None:
        self.old = network.own
        super().move(network, address, now)

    def succeeded(self, exchange: Exchange, moving: Moving) -> None:
        network, own = exchange.network, exchange.network.own
        network.move(own if self.old is None else self.old)
        super().succeeded(exchange, moving)
        network.move(own)


@deviation(
    "node-repeats-from-before",
    "4.1",
    "A node that moves again while a Migrate is unanswered asks for its newest address.",
    "the Migrate of the move before is retransmitted beside the new one",
)
class RepeatsFromBefore(MobileNode):
    def drop_exchanges(self, network: Network) -> None:
        pass


@deviation(
    "node-old-address-answered",
    "4.1",
    "A node that has moved sends nothing more from the address it has lost.",
    "ARP requests for the address that was lost are answered",
)
class OldAddressAnswered(MobileNode):
    def announce(self, arp: Arp, address: int) -> None:
        arp.also_answers_for = {arp._own}
        super().announce(arp, address)
