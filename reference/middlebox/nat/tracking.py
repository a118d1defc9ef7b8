# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a flow lasts when nothing passes: what a NAT tells of a TCP connection's state (RFC 5382, REQ-5)."""

from reference.bump.tcp import ACK, FIN, RST, SYN
from reference.middlebox.nat.mappings import Flow
from reference.middlebox.nat.settings import NatSettings

_SPOKEN_OUT, _SPOKEN_IN, _OPEN, _FIN_OUT, _FIN_IN, _RESET = (1 << bit for bit in range(6))
_SPOKEN, _FINISHED = _SPOKEN_OUT | _SPOKEN_IN, _FIN_OUT | _FIN_IN

IN_MID_STREAM = _SPOKEN | _OPEN
"""What is remembered of a connection that was not seen opening but is known to be open."""


class Tracker:
    """Follows connections by their flags. Neither FIN nor RST ends a flow: they shorten what is left of it.

    A reset is believed for the transitory time (RFC 7857, 2.2): when a segment passes after it, it was none.
    """

    role = "NAT"

    def __init__(self, settings: NatSettings) -> None:
        self.established_s, self.transitory_s = settings.established_s, settings.transitory_s

    def segment(self, flow: Flow, flags: int, *, is_outward: bool) -> float:
        """Note a segment; how long the flow lasts from now on."""
        if flags & RST:
            flow.seen |= _RESET
        else:
            flow.seen = self.after(flow.seen, flags, is_outward=is_outward)
        return self.established_s if self.is_established(flow.seen) else self.transitory_s

    def after(self, seen: int, flags: int, *, is_outward: bool) -> int:
        """What is remembered after a segment that is no reset."""
        seen &= ~_RESET
        if flags & SYN and not flags & ACK and seen & _FINISHED == _FINISHED:
            seen = 0  # a new connection of the same endpoints
        seen |= _SPOKEN_OUT if is_outward else _SPOKEN_IN
        if seen & _SPOKEN == _SPOKEN and flags & ACK and not flags & SYN:
            seen |= _OPEN
        if flags & FIN:
            seen |= _FIN_OUT if is_outward else _FIN_IN
        return seen

    def is_established(self, seen: int) -> bool:
        """Whether the connection is open, neither closed by both ends nor reset."""
        return bool(seen & _OPEN) and seen & _FINISHED != _FINISHED and not seen & _RESET
