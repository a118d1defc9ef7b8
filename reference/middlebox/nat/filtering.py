# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes in to a mapping (RFC 4787, REQ-8; RFC 5382, REQ-3)."""

from reference.middlebox.nat.mappings import ANY_PORT, Endpoint, Mapping
from reference.middlebox.nat.settings import NatSettings


class Filtering:
    """Packets from remote endpoints that the inside has spoken to, more or less closely."""

    role = "NAT"

    def __init__(self, settings: NatSettings) -> None:
        self._behaviour = settings.filtering

    def lets_in(self, mapping: Mapping, remote: Endpoint, now: float) -> bool:
        """Whether a packet from a remote endpoint comes in."""
        if mapping.flow(remote, now) or mapping.flow((remote[0], ANY_PORT), now):
            return True
        if self._behaviour == "address-dependent":
            return any(address == remote[0] for address, _ in mapping.remotes(now))
        return self._behaviour == "endpoint-independent"
