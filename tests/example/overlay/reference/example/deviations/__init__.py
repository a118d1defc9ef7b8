# SPDX-License-Identifier: GPL-2.0-or-later
"""Example hosts that are wrong in one way."""
