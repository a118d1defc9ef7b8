# SPDX-License-Identifier: GPL-2.0-or-later
"""Slow start after a rehash, at both ends (section 6.2)."""

from reference.bump import slow_start


class SlowStart(slow_start.SlowStart):
    """Congestion window and held segments of one connection of a host."""

    role = "host"
