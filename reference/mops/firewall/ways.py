# SPDX-License-Identifier: GPL-2.0-or-later
"""What a session is known by: the network, the transport protocol and both ends, the inside one first."""

from typing import NamedTuple

Endpoint = tuple[int, int]
"""Address and port."""


class Way(NamedTuple):
    """The way between two ends."""

    network: str
    protocol: int
    inside: Endpoint
    outside: Endpoint

    def end(self, *, is_inside: bool) -> Endpoint:
        """One of the ends."""
        return self.inside if is_inside else self.outside

    def with_end(self, end: Endpoint, *, is_inside: bool) -> "Way":
        """The way with another end on one side."""
        return self._replace(inside=end) if is_inside else self._replace(outside=end)
