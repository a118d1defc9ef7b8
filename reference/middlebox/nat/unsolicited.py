# SPDX-License-Identifier: GPL-2.0-or-later
"""SYNs that nobody has asked for (RFC 5382, REQ-4)."""

from collections.abc import Callable
from dataclasses import dataclass

from reference.middlebox.nat.mappings import Endpoint
from reference.middlebox.nat.settings import NatSettings

_MOST = 1024

Key = tuple[int, Endpoint, Endpoint]
"""An identity of the network, the outside endpoint, the remote one."""


@dataclass(frozen=True)
class _Waiting:
    until: float
    tell: Callable[[], None]


class UnsolicitedSyns:
    """SYNs from the outside to no mapping: kept for six seconds, during which nothing is said.

    An outbound SYN to the same endpoint has it dropped in silence, otherwise its sender is told afterwards. Of a flood
    the first are told.
    """

    role = "NAT"

    def __init__(self, settings: NatSettings) -> None:
        self._wait_s = settings.unsolicited_s
        self._waiting: dict[Key, _Waiting] = {}

    def hold(self, key: Key, now: float, tell: Callable[[], None]) -> None:
        """A SYN has come; `tell` tells its sender that nobody is there."""
        if key not in self._waiting and len(self._waiting) < _MOST:
            self._waiting[key] = _Waiting(now + self._wait_s, tell)

    def called(self, key: Key) -> None:
        """A SYN has gone out the other way."""
        self._waiting.pop(key, None)

    def expire(self, now: float) -> None:
        """Tell those who have waited."""
        for key, waiting in list(self._waiting.items()):
            if waiting.until > now:
                break
            del self._waiting[key]
            waiting.tell()
