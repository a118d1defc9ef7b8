# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies and mobile nodes that are wrong on purpose, each in one way."""
