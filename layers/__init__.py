# SPDX-License-Identifier: GPL-2.0-or-later
"""Scapy layers for transport mobility: MOPS, TCP Rehash, TCP Migrate, MSOCKS and SACIP, one module a protocol."""
