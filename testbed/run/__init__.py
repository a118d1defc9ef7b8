# SPDX-License-Identifier: GPL-2.0-or-later
"""A run: pytest, sessions, devices, attempts, records."""
