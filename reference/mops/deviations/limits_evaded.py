# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations by which the interval can be evaded."""

from collections.abc import Hashable

from reference.bump.network import UDP
from reference.mops.message import Entry
from reference.mops.rate_limit import RateLimit
from reference.mops.server import Command, Server
from reference.system.alterations import deviation


@deviation(
    "limit-ended-by-others",
    "4.1",
    "Commands about other ports and addresses do not end the interval of one.",
    "an attempt about one port ends the intervals of all others",
)
class LimitEndedByOthers(RateLimit):
    def start(self, key: Hashable, now: float) -> None:
        self._attempts.clear()
        super().start(key, now)


@deviation(
    "limit-for-each-code",
    "4.1",
    "The interval holds for both codes.",
    "each code has an interval of its own",
)
class LimitForEachCode(Server):
    def key(self, command: Command, entry: Entry) -> object:
        return super().key(command, entry), command.message.code


@deviation(
    "limit-for-repeats-alone",
    "4.1",
    "A second command for the same previous address and port is discarded inside the interval.",
    "only the same entry again is discarded",
)
class LimitForRepeatsAlone(Server):
    def key(self, command: Command, entry: Entry) -> object:
        return super().key(command, entry), command.message.migrated, entry


@deviation(
    "limit-not-after-success",
    "4.1",
    "Every attempt starts the interval.",
    "one that succeeds does not",
)
class LimitNotAfterSuccess(RateLimit):
    def attempted(self, key: Hashable, now: float, success: bool) -> None:
        if not success:
            super().attempted(key, now, success)


@deviation(
    "limit-not-for-udp",
    "4.1",
    "The interval holds for UDP sockets too.",
    "a Migrate of UDP is always taken",
)
class LimitNotForUdp(RateLimit):
    def key(self, network: str, protocol: int, address: int, port: int) -> Hashable:
        return (UDP, object()) if protocol == UDP else super().key(network, protocol, address, port)
