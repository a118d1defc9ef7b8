# SPDX-License-Identifier: GPL-2.0-or-later
"""A stateful firewall between two links that knows MOPS (section 6)."""
