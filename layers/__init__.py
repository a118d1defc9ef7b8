# SPDX-License-Identifier: GPL-2.0-or-later
"""Scapy layers for transport mobility: MOPS, TCP Rehash, TCP Migrate, MSOCKS and SACIP, one module a protocol.

Importing any of them binds all, so that what a frame dissects to does not depend on who imported what.
"""

from layers import ipff, migrate, mops, msocks, rehash, sacip, tcp_options

__all__ = ["ipff", "migrate", "mops", "msocks", "rehash", "sacip", "tcp_options"]
