# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts that are right in another way."""
