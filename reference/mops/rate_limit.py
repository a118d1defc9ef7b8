# SPDX-License-Identifier: GPL-2.0-or-later
"""The interval between two Migrate commands for the same previous address and port (MOPS, section 4.1).

"If 'ICMP migrate' command received with the same previous source IP address + source port too often, it should be
silently discarded by server. [...] Recommended is 5 seconds interval before accepting new attempt."
Readings: every attempt that was not discarded starts an interval, whether it succeeded or failed; a discarded command
does not restart it; a server without an interval (0) discards nothing.
"""

from collections.abc import Hashable

MAXIMUM = 65536


class RateLimit:
    """When was which key tried last; bounded, and without memory of intervals that are over."""

    role = "server"

    def __init__(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self._attempts: dict[Hashable, float] = {}  # in the order of time

    def __len__(self) -> int:
        return len(self._attempts)

    def key(self, network: str, protocol: int, address: int, port: int) -> Hashable:
        """What counts as the same: transport protocol, previous source address and previous source port."""
        return network, protocol, address, port

    def is_inside(self, key: Hashable, now: float) -> bool:
        """Whether a command for this key comes too soon."""
        attempt = self._attempts.get(key)
        return attempt is not None and now - attempt < self.interval_s

    def attempted(self, key: Hashable, now: float, success: bool) -> None:
        """Account for an attempt that has been answered."""
        self.start(key, now)

    def discarded(self, key: Hashable, now: float) -> None:
        """Account for a command that came too soon: it does not restart the interval."""

    def start(self, key: Hashable, now: float) -> None:
        """Start the interval of a key."""
        self._attempts.pop(key, None)
        while self._attempts:
            oldest = next(iter(self._attempts))
            if len(self._attempts) < MAXIMUM and now - self._attempts[oldest] < self.interval_s:
                break
            del self._attempts[oldest]
        self._attempts[key] = now
