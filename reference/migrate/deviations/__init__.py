# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts that are wrong on purpose, each in one way."""
