# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations in the interval between two commands for the same previous address and port."""

from collections.abc import Hashable

from reference.mops.rate_limit import RateLimit
from reference.mops.server import Command, Outcome, Server
from reference.system.alterations import deviation


@deviation(
    "no-rate-limit",
    "4.1",
    "A second command inside the interval is silently discarded and changes nothing.",
    "every command is taken",
)
class NoRateLimit(RateLimit):
    def is_inside(self, key: Hashable, now: float) -> bool:
        return False


@deviation(
    "rate-limit-too-short",
    "4.1",
    "The interval is as long as claimed.",
    "the interval is half as long as claimed",
)
class RateLimitTooShort(RateLimit):
    def __init__(self, interval_s: float) -> None:
        super().__init__(interval_s / 2)


@deviation(
    "rate-limit-for-ever",
    "4.1",
    "A command after the interval is answered and takes effect.",
    "one command for a previous address and port is all that is ever taken",
)
class RateLimitForEver(RateLimit):
    def __init__(self, interval_s: float) -> None:
        super().__init__(float("inf"))


@deviation(
    "rate-limit-restarted",
    "4.1",
    "Commands discarded inside the interval do not start it anew.",
    "every discarded command starts the interval anew",
)
class RateLimitRestarted(RateLimit):
    def discarded(self, key: Hashable, now: float) -> None:
        self.start(key, now)


@deviation(
    "rate-limit-not-for-failed",
    "4.1",
    "An attempt that failed starts the interval like one that succeeded.",
    "only success starts the interval: sequence numbers can be guessed as fast as the wire allows",
)
class RateLimitNotForFailed(RateLimit):
    def attempted(self, key: Hashable, now: float, success: bool) -> None:
        if success:
            super().attempted(key, now, success)


@deviation(
    "rate-limit-by-address",
    "4.1",
    "A command for another previous port of the same address is served inside the interval.",
    "one interval holds for all ports of a previous address",
)
class RateLimitByAddress(RateLimit):
    def key(self, network: str, protocol: int, address: int, port: int) -> Hashable:
        return super().key(network, protocol, address, 0)


@deviation(
    "rate-limit-by-port",
    "4.1",
    "A command for the same previous port of another address is served inside the interval.",
    "one interval holds for a previous port of all addresses",
)
class RateLimitByPort(RateLimit):
    def key(self, network: str, protocol: int, address: int, port: int) -> Hashable:
        return super().key(network, protocol, 0, port)


@deviation(
    "rate-limit-answered",
    "4.1",
    "A second command inside the interval is silently discarded.",
    "a command inside the interval is answered failed",
)
class RateLimitAnswered(Server):
    def limit(self, command: Command) -> tuple[Command | None, str]:
        admitted, wrong = super().limit(command)
        if admitted is None:
            self.answer(command, [Outcome(entry, wrong) for entry in command.message.entries])
        return admitted, wrong


@deviation(
    "rate-limit-without-effect",
    "4.1",
    "A second command inside the interval changes nothing.",
    "a command inside the interval is not answered, but carried out",
)
class RateLimitWithoutEffect(Server):
    def limit(self, command: Command) -> tuple[Command | None, str]:
        admitted, wrong = super().limit(command)
        if admitted is None:
            self.carry_out(command)
        return admitted, wrong
