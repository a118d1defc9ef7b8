# SPDX-License-Identifier: GPL-2.0-or-later
"""Legacy hosts under test."""
