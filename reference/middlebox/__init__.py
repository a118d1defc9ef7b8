# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices between two wires, in user space: forwarding, address translation, and what roles add to them."""
