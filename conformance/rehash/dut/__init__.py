# SPDX-License-Identifier: GPL-2.0-or-later
"""Rehash hosts under test."""
